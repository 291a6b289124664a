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

    def make(iterations: range) -> Batch:
        pieces = [make_batch(dataset, recipe, iteration) for iteration in iterations]
        if len(pieces) == 1:
            return pieces[0]
        pixels, labels = zip(*pieces, strict=True)
        return np.concatenate(pixels), np.concatenate(labels)

    return _ahead(make, ranges)


def make_batch(dataset: DataSet, recipe: Recipe, iteration: int) -> Batch:
    """Pixels and labels of one iteration."""
    which = batch_indices(dataset.num_examples, recipe.batch_size, recipe.seed, iteration)
    pixels = dataset.pixels[which]
    if recipe.augmentation is not None:
        # The third number sets this stream apart from that of the epochs' orders.
        random = np.random.default_rng((recipe.seed, iteration, 1))
        pixels = augment(pixels, random, recipe.augmentation)
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
