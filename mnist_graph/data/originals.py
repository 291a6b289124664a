"""MNIST's training digits, mixed into batches of other data so that a network does not forget."""

from functools import cache

from mnist_graph.data.datasets import BUNDLED_SHA256, DataSet, DataSets, read_data_sets
from mnist_graph.data.formats.idx_files import FILES
from mnist_graph.data.shapes import describe_shape
from mnist_graph.errors import UsageError


def find_originals(data: DataSets) -> DataSet:
    """Return the digits that are mixed into batches of `data`: data.originals, or by default all of
    MNIST's 60,000 training digits.

    Raises UsageError if `data` is MNIST itself, or its images or classes are not like MNIST's.
    """
    if data.originals is None and all(data.sha256.get(n) == BUNDLED_SHA256[n] for n in FILES):
        raise UsageError("mix adds MNIST's digits to data of your own; name it with --data-dir")
    if data.class_names:
        names = ", ".join(data.class_names)
        raise UsageError(f"mix adds digits, but the classes are {names:.80}; leave out mix")
    originals = _training_digits() if data.originals is None else data.originals
    ours, theirs = _describe(data.train), _describe(originals)
    if ours != theirs:
        raise UsageError(f"mix adds digits of {theirs}, but the data has {ours}; leave out mix")
    return originals


def _describe(data: DataSet) -> str:
    return f"{data.classes} classes in {describe_shape(data.pixels.shape[1:])}"


@cache
def _training_digits() -> DataSet:
    return read_data_sets(validation_size=0).train
