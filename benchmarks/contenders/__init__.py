"""The classic networks as users of each library would train them, one module for each library.

`contend(model, precision, iterations)` trains softmax, mlp or cnn for so many iterations, with
the recipe's batch size, optimiser and rate, on the batches that the recipe's own run would
take, from its initialisation, and returns `Timed`.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_graph import read_data_sets, recipes
from mnist_graph.batches import make_batch
from mnist_graph.datasets import DataSet

WARM = 0.2
"""The share of the iterations that is not timed: compilation, caches, memory."""


class Timed(NamedTuple):
    """What a contender came to."""

    milliseconds: float
    """Of one iteration, taking its batch from the training set included."""
    accuracy: float
    """On the test images, after the last."""
    outside: float | None = None
    """The share of the time that was spent outside of TensorFlow, where that was measured."""


def run(
    model: str,
    iterations: int,
    step: Callable[[np.ndarray, np.ndarray], None],
    wait: Callable[[], None],
    logits: Callable[[np.ndarray], np.ndarray],
) -> Timed:
    """Train by `step(pixels, labels)`, uint8 [n, 28, 28] and int32 [n], timed up to where
    `wait` returns; judge by `logits(pixels)`, [n, 10].
    """
    recipe = recipes[model]
    data = read_data_sets(validation_size=recipe.validation_size)
    warm = round(WARM * iterations)
    for iteration in range(iterations):
        if iteration == warm:
            wait()
            begun = time.perf_counter()
        step(*make_batch(data.train, recipe, iteration))
    wait()
    seconds = time.perf_counter() - begun
    return Timed(1000 * seconds / (iterations - warm), accuracy(data.test, logits))


def accuracy(test: DataSet, logits: Callable[[np.ndarray], np.ndarray]) -> float:
    """The share of `test` that `logits(pixels)` reads right, judged in pieces."""
    parts = range(0, test.num_examples, 250)
    read = np.concatenate([logits(test.pixels[i : i + 250]).argmax(1) for i in parts])
    return float((read == test.sparse_labels).mean())
