"""The batches of a training run; each follows from the seed and the iteration alone."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.data.datasets import DataSet, DataSets, batch_indices
from mnist_graph.data.distortions import augment
from mnist_graph.data.originals import find_originals
from mnist_graph.data.photo_distortions import augment_photos
from mnist_graph.data.shapes import describe_shape, is_colour
from mnist_graph.errors import UsageError

Batch = tuple[np.ndarray, np.ndarray]
"""Pixels, uint8 [n, *image_shape], and labels, int32 [n]; of strips, int32 [n, longest], padded
with -1.
"""
TEST_STRIPS = 2000
"""How many strips test a network: at an accuracy of 0.9, its standard error is 0.007."""
WHOLE = slice(None)
"""All rows of a batch."""
Item = TypeVar("Item")
Result = TypeVar("Result")


class StripSettings(Protocol):
    """What determines the batches of strips; a recipe has it all."""

    @property
    def batch_size(self) -> int: ...
    @property
    def seed(self) -> int: ...


class BatchSettings(StripSettings, Protocol):
    """What determines the batches of images; a recipe has it all."""

    @property
    def augmentation(self) -> Augmentation | None: ...
    @property
    def mixed_in(self) -> int: ...


def batches(
    dataset: DataSet,
    settings: BatchSettings,
    ranges: Iterable[range],
    rows: slice = WHOLE,
    originals: DataSet | None = None,
) -> Iterator[tuple[range, Batch]]:
    """Yield each range of iterations with its batches, or these `rows` of each, concatenated:
    pixels, uint8 [len(range) * batch_size, *image_shape], and labels, int32
    [len(range) * batch_size]. The last `settings.mixed_in` of each batch are `originals`.

    A thread prepares the next range while the caller uses the current one.
    """

    def make(iterations: range) -> Batch:
        return _make_batches(dataset, settings, iterations, rows, originals)

    return _ahead(make, ranges)


def strip_batches(
    data: DataSets, settings: StripSettings, ranges: Iterable[range], rows: slice = WHOLE
) -> Iterator[tuple[range, Batch]]:
    """Yield each range, of a single iteration, with its strips and their labels, or these `rows` of
    them, made from the training digits. They are prepared as those of `batches`.
    """
    from mnist_graph.data.strips.maker import training_strips  # OpenCV, which MNIST does not need

    maker = training_strips(data, settings.seed)

    def make(iterations: range) -> Batch:
        (iteration,) = iterations
        return maker.batch(iteration, settings.batch_size, rows)

    return _ahead(make, ranges)


def training_batches(
    data: DataSets,
    settings: BatchSettings,
    reads_strips: bool,
    ranges: Iterable[range],
    rows: slice = WHOLE,
) -> Iterator[tuple[range, Batch]]:
    """Yield what `strip_batches` yields, or else what `batches` does."""
    if reads_strips:
        return strip_batches(data, settings, ranges, rows)
    originals = find_originals(data) if settings.mixed_in else None
    return batches(data.train, settings, ranges, rows, originals)


def require_full_batch(settings: BatchSettings, count: int) -> None:
    """Raise UsageError if a batch takes more than `count` training images."""
    size, mixed_in = settings.batch_size, settings.mixed_in
    if size - mixed_in > count:
        less = f", less {mixed_in:,} that are mixed in" if mixed_in else ""
        raise UsageError(
            f"batch_size is {size:,}{less}, but there are only {count:,} training images; use a "
            "smaller --batch-size"
        )


def require_rows(workers: int, batch_size: int) -> None:
    """Raise UsageError if not each of the `workers` gets a row of every batch."""
    if workers > batch_size:
        raise UsageError(
            f"{workers} workers cannot share a batch of {batch_size}; use fewer workers or a "
            "larger --batch-size"
        )


def require_digits(data: DataSets) -> None:
    """Raise UsageError for data of which no strips can be made: anything but the ten digits in
    MNIST's size.
    """
    found = [len(np.unique(part.sparse_labels)) for part in (data.train, data.test)]
    if (data.image_shape, *found) != ((28, 28), 10, 10) or data.class_names:
        raise UsageError(
            "strips are made from 28x28 images of all ten digits; the data has "
            f"{min(found)} classes of {describe_shape(data.image_shape)}"
        )


def require_fitting(data: DataSets, settings: BatchSettings) -> None:
    """Raise UsageError for colour pictures that would be distorted as ink on a background is."""
    strength = settings.augmentation
    if strength is not None and not strength.photo and is_colour(data.image_shape):
        raise UsageError(
            "the recipe's augmentation distorts ink on an empty background, and these pictures are "
            "in colour; use colour-fast, or --set augmentation=photo"
        )


def test_examples(data: DataSets, reads_strips: bool) -> Batch:
    """Return the test images with their labels; or TEST_STRIPS strips that are made from them."""
    if reads_strips:
        return _test_strips(data.test, TEST_STRIPS)
    return data.test.pixels, sparse_labels(data.test, slice(None))


@lru_cache(maxsize=1)
def _test_strips(dataset: DataSet, count: int) -> Batch:
    from mnist_graph.data.strips.maker import make_test_strips

    return make_test_strips(dataset, count)


def make_batch(
    dataset: DataSet, settings: BatchSettings, iteration: int, originals: DataSet | None = None
) -> Batch:
    """Return pixels and labels of one iteration; see `batches`."""
    iterations = range(iteration, iteration + 1)
    return _make_batches(dataset, settings, iterations, WHOLE, originals)


def _make_batches(
    dataset: DataSet,
    settings: BatchSettings,
    iterations: range,
    rows: slice,
    originals: DataSet | None,
) -> Batch:
    size, seed = settings.batch_size, settings.seed
    if originals is None:
        pixels, labels = _draw(dataset, size, seed, iterations, rows)
    else:
        pixels, labels = _draw_mixed(dataset, originals, settings, iterations, rows)
    strength = settings.augmentation
    if strength is not None:
        distort = augment_photos if strength.photo else augment
        for iteration, batch in zip(iterations, np.split(pixels, len(iterations)), strict=True):
            # The third number keeps this random stream apart from that of the epoch orders.
            random = np.random.default_rng((seed, iteration, 1))
            batch[:] = distort(batch, random, strength, (size, rows))
    return pixels, labels


def _draw(dataset: DataSet, size: int, seed: int, iterations: range, rows: slice) -> Batch:
    """Return these `rows` of the batches of `size` images, undistorted."""
    count = dataset.num_examples
    indices = np.concatenate([batch_indices(count, size, seed, i)[rows] for i in iterations])
    return dataset.pixels[indices], sparse_labels(dataset, indices)


def _draw_mixed(
    dataset: DataSet,
    originals: DataSet,
    settings: BatchSettings,
    iterations: range,
    rows: slice,
) -> Batch:
    """Return these `rows` of batches with `originals` after the data's own images, undistorted."""
    mixed_in, seed = settings.mixed_in, settings.seed
    parts = []
    for number in iterations:
        iteration = range(number, number + 1)
        mine = _draw(dataset, settings.batch_size - mixed_in, seed, iteration, WHOLE)
        theirs = _draw(originals, mixed_in, seed, iteration, WHOLE)
        parts.append([np.concatenate(pair)[rows] for pair in zip(mine, theirs, strict=True)])
    pixels, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return pixels, labels


def sparse_labels(dataset: DataSet, indices: np.ndarray | slice) -> np.ndarray:
    """Return the labels of these examples as the graph takes them: int32 [n]."""
    return dataset.sparse_labels[indices].astype(np.int32)


def _ahead(make: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Yield each item with make(item), computed by a thread while the item before is used."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        pending: tuple[Item, Future[Result]] | None = None
        for item in items:
            upcoming = item, thread.submit(make, item)
            if pending is not None:
                yield pending[0], pending[1].result()
            pending = upcoming
        if pending is not None:
            yield pending[0], pending[1].result()
