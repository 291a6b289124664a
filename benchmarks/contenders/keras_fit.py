"""Keras 3 on TensorFlow: `fit` with several steps per execution, with or without XLA."""

import time

import keras
import numpy as np
from keras import layers

from benchmarks.contenders import WARM_UP, Timing
from mnist_graph import read_data_sets, recipes
from mnist_graph.data.batches import make_batch

STEPS_PER_EXECUTION = 20
"""As many as JAX takes in one call."""


def measure_speed(model: str, precision: str, iterations: int, jit: bool = False) -> Timing:
    """Time `fit` with `jit_compile=jit`; the policy is mixed_bfloat16 for bfloat16."""
    recipe = recipes[model]
    keras.utils.set_random_seed(0)
    if precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    data = read_data_sets(validation_size=recipe.validation_size)
    batches = [make_batch(data.train, recipe, iteration) for iteration in range(iterations)]
    pixels, labels = (np.concatenate(part) for part in zip(*batches, strict=True))
    network = keras.Sequential([layers.Input((28, 28, 1)), *_make_layers(model)])
    uses_adam = recipe.optimizer == "adam"
    optimizer = keras.optimizers.Adam if uses_adam else keras.optimizers.SGD
    network.compile(
        optimizer(recipe.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=STEPS_PER_EXECUTION,
        jit_compile=jit,
    )
    warm_up = round(WARM_UP * iterations) * recipe.batch_size

    def fit(part: slice) -> float:
        """Train on a part of the examples and return the seconds it takes."""
        images = pixels[part, ..., np.newaxis].astype(np.float32) / 255
        start = time.perf_counter()
        network.fit(images, labels[part], recipe.batch_size, shuffle=False, verbose=0)
        return time.perf_counter() - start

    fit(slice(warm_up))
    seconds = fit(slice(warm_up, None))
    images = data.test.pixels[..., np.newaxis].astype(np.float32) / 255
    predictions = network.predict(images, 250, verbose=0).argmax(1)
    accuracy = float((predictions == data.test.sparse_labels).mean())
    timed_iterations = len(pixels[warm_up:]) // recipe.batch_size
    return Timing(1000 * seconds / timed_iterations, accuracy)


def _make_layers(model: str) -> list[layers.Layer]:
    if model == "softmax":
        zeros = {"kernel_initializer": "zeros", "dtype": "float32"}
        return [layers.Flatten(), layers.Dense(10, **zeros)]
    initializers = {
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.1, seed=0),
        "bias_initializer": keras.initializers.Constant(0.1),
    }
    relu = {"activation": "relu", **initializers}
    if model == "mlp":
        hidden = [layers.Flatten(), *(layers.Dense(units, **relu) for units in (512, 256, 128))]
    else:
        hidden = [
            layers.Conv2D(32, 5, padding="same", **relu),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 5, padding="same", **relu),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(1024, **relu),
        ]
    return [*hidden, layers.Dropout(0.5), layers.Dense(10, dtype="float32", **initializers)]
