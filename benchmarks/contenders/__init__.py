"""The classic networks as users of each library would run them: one module per library.

Each module defines `measure_speed(model, precision, iterations)`, which trains softmax, mlp or
cnn and returns a `Timing`. All use the recipe's batches, batch size, dropout, optimizer, learning
rate and initial distribution. `ours` and `pytorch` also define `train_to_99(seed, precision)`;
`ours`, `exported` and `pytorch` define `measure_predictions(paths, precision, images)`.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.exports_child import time_calls
from mnist_graph import read_data_sets, recipes
from mnist_graph.data.batches import make_batch
from mnist_graph.data.datasets import DataSet
from mnist_graph.exports.runtimes import Exported, run_in_batches

SHAPES: dict[str, list[tuple[int, ...]]] = {
    "softmax": [(784, 10)],
    "mlp": [(784, 512), (512, 256), (256, 128), (128, 10)],
    "cnn": [(5, 5, 1, 32), (5, 5, 32, 64), (7 * 7 * 64, 1024), (1024, 10)],
}
"""Shapes of the weights, layer by layer: [height, width, in, out] for convolutions, each of which
keeps the size of the image and is followed by 2x2 max pooling.
"""
WARM_UP = 0.2
"""Share of the iterations that is not timed: compilation and first allocations fall into it."""


class Timing(NamedTuple):
    """The speed and accuracy of one training, or of predictions."""

    milliseconds: float
    """Per iteration, including the selection of its batch; or per call that predicts."""
    accuracy: float
    """On the test set, in training after the last iteration."""
    outside: float | None = None
    """Share of the time spent outside TensorFlow, if measured."""


class Finish(NamedTuple):
    """A complete training run."""

    seconds: float
    """In the training loop."""
    accuracy: float
    """On the test set."""


def time_training(
    model: str,
    iterations: int,
    step: Callable[[np.ndarray, np.ndarray], None],
    synchronize: Callable[[], None],
    predict_logits: Callable[[np.ndarray], np.ndarray],
    steps_per_call: int = 0,
) -> Timing:
    """Train with `step` and time it, then evaluate with `predict_logits`.

    `step(pixels, labels)` takes uint8 [n, 28, 28] and int32 [n], or as many batches as there are
    `steps_per_call`, if any: uint8 [steps, n, 28, 28] and int32 [steps, n]. `synchronize` returns
    when all steps are finished; `predict_logits(pixels)` returns [n, 10].

    Raises ValueError if the calls do not fit into the iterations.
    """
    recipe = recipes[model]
    data = read_data_sets(validation_size=recipe.validation_size)
    warm_up = round(WARM_UP * iterations)
    if steps_per_call and (warm_up % steps_per_call or iterations % steps_per_call):
        raise ValueError(f"{iterations} iterations are not made of calls of {steps_per_call}")
    for iteration in range(0, iterations, steps_per_call or 1):
        if iteration == warm_up:
            synchronize()
            start = time.perf_counter()
        if steps_per_call:
            several = range(iteration, iteration + steps_per_call)
            batches = zip(*(make_batch(data.train, recipe, each) for each in several), strict=True)
            step(*map(np.stack, batches))
        else:
            step(*make_batch(data.train, recipe, iteration))
    synchronize()
    seconds = time.perf_counter() - start
    accuracy = measure_accuracy(data.test, predict_logits)
    return Timing(1000 * seconds / (iterations - warm_up), accuracy)


def time_predictions(call: Exported, images: int) -> Timing:
    """Time `call(images=...)` for batches of this number of `images`: float32 [images, 784] in,
    "classes" [images] out. The milliseconds are per call, the median of all; the accuracy is that
    on all test images.
    """
    test = read_data_sets(validation_size=0).test
    seconds = time_calls(call, {"images": test.images[:images]})
    classes = run_in_batches(call, {"images": test.images})["classes"]
    return Timing(1000 * seconds, float((classes == test.sparse_labels).mean()))


def measure_accuracy(test: DataSet, predict_logits: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the accuracy on `test`, evaluated in batches of 250."""
    starts = range(0, test.num_examples, 250)
    predictions = np.concatenate(
        [predict_logits(test.pixels[start : start + 250]).argmax(1) for start in starts]
    )
    return float((predictions == test.sparse_labels).mean())
