"""Development stand-in, until the maker of strips is merged: MNIST digits side by side.

Open `__init__` first.
"""

import numpy as np

from mnist_graph.data.datasets import DataSet, DataSets

TEST_COUNT = 2000


def make_batch(
    data: DataSets, seed: int, iteration: int, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels uint8 [n, 32, width] and labels int32 [n, longest], padded with -1."""
    random = np.random.default_rng((seed, iteration, 2))
    return _paste(data.train, random, batch_size, int(random.integers(3, 13)))


_tests: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def make_test_strips(data: DataSets, count: int = TEST_COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Return test strips in the same form."""
    if id(data) not in _tests:
        _tests[id(data)] = _paste(data.test, np.random.default_rng(1), count, 8)
    return _tests[id(data)]


def _paste(
    digits: DataSet, random: np.random.Generator, count: int, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.zeros((count, 32, longest * 32), np.uint8)
    labels = np.full((count, longest), -1, np.int32)
    for strip, numbers in zip(pixels, labels, strict=True):
        left = 0
        for column in range(random.integers(1, longest + 1)):
            chosen = random.integers(digits.num_examples)
            region = strip[2:30, left : left + 28]
            np.maximum(region, digits.pixels[chosen], out=region)
            numbers[column] = digits.sparse_labels[chosen]
            left += random.integers(16, 28)
    return pixels, labels
