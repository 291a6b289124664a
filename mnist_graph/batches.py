"""The batches of a training, each a function of the seed and the iteration."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from mnist_graph.augmentation import augment
from mnist_graph.datasets import DataSet, batch_indices
from mnist_graph.recipe import Recipe

Batch = tuple[np.ndarray, np.ndarray]
Item = TypeVar("Item")
Made = TypeVar("Made")


def batches(
    dataset: DataSet, recipe: Recipe, ranges: Iterable[range]
) -> Iterator[tuple[range, Batch]]:
    """Each range of iterations with their batches, one behind the other: pixels, uint8
    [len(range) * batch_size, height, width], and labels, int32 [len(range) * batch_size].

    The next are made while these are used.
    """

    return _ahead(lambda iterations: _make(dataset, recipe, iterations), ranges)


def make_batch(dataset: DataSet, recipe: Recipe, iteration: int) -> Batch:
    """Pixels and labels of one iteration."""
    return _make(dataset, recipe, range(iteration, iteration + 1))


def _make(dataset: DataSet, recipe: Recipe, iterations: range) -> Batch:
    count, size, seed = dataset.num_examples, recipe.batch_size, recipe.seed
    which = np.concatenate([batch_indices(count, size, seed, i) for i in iterations])
    pixels = dataset.pixels[which]
    if recipe.augmentation is not None:
        for iteration, batch in zip(iterations, np.split(pixels, len(iterations)), strict=True):
            # The third number sets this stream apart from that of the epochs' orders.
            random = np.random.default_rng((seed, iteration, 1))
            batch[:] = augment(batch, random, recipe.augmentation)
    return pixels, sparse_labels(dataset, which)


def sparse_labels(dataset: DataSet, which: np.ndarray | slice) -> np.ndarray:
    """The labels of these examples as the graph takes them: int32 [n]."""
    return dataset.sparse_labels[which].astype(np.int32)


def _ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[tuple[Item, Made]]:
    """Each item and what `make` gives for it, made in a thread while the one before is used."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        made = None
        for item in items:
            coming = item, thread.submit(make, item)
            if made is not None:
                yield made[0], made[1].result()
            made = coming
        if made is not None:
            yield made[0], made[1].result()
