"""The classic networks as users of each library would train them: one module per library.

Each module defines `measure_speed(model, precision, iterations)`, which trains softmax, mlp or
cnn and returns a `Timing`. All use the recipe's batches, batch size, optimizer, learning rate
and initial distribution. `ours` and `pytorch` also define `train_to_99(seed)`.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_graph import read_data_sets, recipes
from mnist_graph.data.batches import make_batch
from mnist_graph.data.datasets import DataSet

WARM_UP = 0.2
"""Share of the iterations that is not timed: compilation and first allocations fall into it."""


class Timing(NamedTuple):
    """The speed and accuracy of one training."""

    milliseconds: float
    """Per iteration, including the selection of its batch."""
    accuracy: float
    """On the test set, after the last iteration."""
    outside: float | None = None
    """Share of the time spent outside TensorFlow, if measured."""


def time_training(
    model: str,
    iterations: int,
    step: Callable[[np.ndarray, np.ndarray], None],
    synchronize: Callable[[], None],
    predict_logits: Callable[[np.ndarray], np.ndarray],
) -> Timing:
    """Train with `step` and time it, then evaluate with `predict_logits`.

    `step(pixels, labels)` takes uint8 [n, 28, 28] and int32 [n]; `synchronize` returns when all
    steps are finished; `predict_logits(pixels)` returns [n, 10].
    """
    recipe = recipes[model]
    data = read_data_sets(validation_size=recipe.validation_size)
    warm_up = round(WARM_UP * iterations)
    for iteration in range(iterations):
        if iteration == warm_up:
            synchronize()
            start = time.perf_counter()
        step(*make_batch(data.train, recipe, iteration))
    synchronize()
    seconds = time.perf_counter() - start
    accuracy = measure_accuracy(data.test, predict_logits)
    return Timing(1000 * seconds / (iterations - warm_up), accuracy)


def measure_accuracy(test: DataSet, predict_logits: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the accuracy on `test`, evaluated in batches of 250."""
    starts = range(0, test.num_examples, 250)
    predictions = np.concatenate(
        [predict_logits(test.pixels[start : start + 250]).argmax(1) for start in starts]
    )
    return float((predictions == test.sparse_labels).mean())
