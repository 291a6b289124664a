"""The batches of a training, each a function of the seed and the iteration."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from mnist_graph.augmentation import augment
from mnist_graph.datasets import DataSet, batch_indices
from mnist_graph.recipe import Recipe

Batch = tuple[np.ndarray, np.ndarray]
Item = TypeVar("Item")


def batches(dataset: DataSet, recipe: Recipe, start: int = 0) -> Iterator[tuple[int, Batch]]:
    """Each iteration of `recipe` from `start` on with its batch: pixels, uint8 [batch_size,
    height, width], and labels, int32 [batch_size].

    Where the recipe distorts its images, the next batch is made while this one is used.
    """

    def make(iteration: int) -> Batch:
        return make_batch(dataset, recipe, iteration)

    iterations = range(start, recipe.iterations)
    made = map(make, iterations) if recipe.augmentation is None else _ahead(make, iterations)
    return zip(iterations, made, strict=True)


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


def _ahead(make: Callable[[int], Item], iterations: range) -> Iterator[Item]:
    """What `map` gives, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        made = None
        for iteration in iterations:
            coming = thread.submit(make, iteration)
            if made is not None:
                yield made.result()
            made = coming
        if made is not None:
            yield made.result()
