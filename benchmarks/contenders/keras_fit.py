"""Keras 3 on TensorFlow: `fit`, with the mixed_bfloat16 policy where it is asked for."""

import time

import keras
import numpy as np
from keras import layers

from benchmarks.contenders import WARM, Timed
from mnist_graph import read_data_sets, recipes
from mnist_graph.batches import make_batch


def contend(model: str, precision: str, iterations: int) -> Timed:
    recipe = recipes[model]
    keras.utils.set_random_seed(0)
    if precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    data = read_data_sets(validation_size=recipe.validation_size)
    batches = [make_batch(data.train, recipe, iteration) for iteration in range(iterations)]
    pixels, labels = (np.concatenate(part) for part in zip(*batches, strict=True))
    network = keras.Sequential([layers.Input((28, 28, 1)), *_layers(model)])
    adam = recipe.optimizer == "adam"
    kind = keras.optimizers.Adam if adam else keras.optimizers.SGD
    network.compile(
        kind(recipe.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=10,
        jit_compile=False,  # with it, slower on a CPU
    )
    warm = round(WARM * iterations) * recipe.batch_size

    def fit(part: slice) -> float:
        images = pixels[part, ..., np.newaxis].astype(np.float32) / 255
        begun = time.perf_counter()
        network.fit(images, labels[part], recipe.batch_size, shuffle=False, verbose=0)
        return time.perf_counter() - begun

    fit(slice(warm))
    seconds = fit(slice(warm, None))
    images = data.test.pixels[..., np.newaxis].astype(np.float32) / 255
    right = network.predict(images, 250, verbose=0).argmax(1) == data.test.sparse_labels
    timed = len(pixels[warm:]) // recipe.batch_size
    return Timed(1000 * seconds / timed, float(right.mean()))


def _layers(model: str) -> list[layers.Layer]:
    if model == "softmax":
        zeros = {"kernel_initializer": "zeros", "dtype": "float32"}
        return [layers.Flatten(), layers.Dense(10, **zeros)]
    start = {
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.1, seed=0),
        "bias_initializer": keras.initializers.Constant(0.1),
    }
    relu = {"activation": "relu", **start}
    if model == "mlp":
        inner = [layers.Flatten(), *(layers.Dense(units, **relu) for units in (512, 256, 128))]
    else:
        inner = [
            layers.Conv2D(32, 5, padding="same", **relu),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 5, padding="same", **relu),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(1024, **relu),
        ]
    return [*inner, layers.Dropout(0.5), layers.Dense(10, dtype="float32", **start)]
