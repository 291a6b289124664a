"""`from mnist_graph import input_data` replaces
`from tensorflow.examples.tutorials.mnist import input_data` in an old listing.

What listings called has TensorFlow 1's names, arguments and results. Errors are MnistGraphErrors,
and nothing is printed or downloaded.
"""

import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mnist_graph.data import datasets
from mnist_graph.data.arguments import checked_path
from mnist_graph.data.datasets import DataSets, dense_to_one_hot
from mnist_graph.data.idx import read_gzip, read_idx
from mnist_graph.data.scaling import FULL_INK
from mnist_graph.errors import MnistGraphWarning, UsageError

__all__ = ["DataSet", "dense_to_one_hot", "extract_images", "extract_labels", "read_data_sets"]

FAKE_EXAMPLES = 10_000
"""The size of each set of fake data, as in TensorFlow 1."""


def read_data_sets(
    train_dir: str | Path | None = None,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = np.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str | None = None,
) -> DataSets:
    """Read the IDX files in `train_dir`, or the bundled MNIST, as `mnist_graph.read_data_sets`
    does; or, with fake_data=True, make three sets of fake data. `source_url` has no effect.
    """
    if source_url:
        warnings.warn(
            "source_url has no effect: nothing is downloaded", MnistGraphWarning, stacklevel=2
        )
    if not fake_data:
        return datasets.read_idx_data_sets(
            train_dir, one_hot, dtype, reshape, validation_size, seed
        )
    train, validation, test = (
        DataSet([], [], True, one_hot, dtype, reshape, seed) for _ in range(3)
    )
    return DataSets(train, validation, test, sha256={})


class DataSet(datasets.DataSet):
    """A data set of arrays of your own.

    `images` are numbers from 0 to 255, [n, height, width, 1], or of any other shape with
    reshape=False; dtype=float32 scales them to [0, 1], uint8 leaves them as they are. `labels` are
    class numbers [n] or rows [n, classes]. With fake_data=True both are ignored: there are 10,000
    images whose pixels are all 1, of class 0; only then `one_hot` has an effect.

    Raises UsageError for arrays that do not fit together.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = np.float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        if fake_data:
            one = 1 if datasets.image_dtype(dtype) == np.uint8 else FULL_INK
            pixels = np.broadcast_to(np.uint8(one), (FAKE_EXAMPLES, 28, 28))
            numbers = np.zeros(FAKE_EXAMPLES, np.uint8)
            super().__init__(pixels, numbers, 10, one_hot, dtype, reshape, seed)
            return
        images, labels = _as_numbers("images", images), _as_numbers("labels", labels)
        _check_shapes(images.shape, labels.shape, reshape)
        pixels = images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
        rows = labels.ndim == 2
        numbers = labels.argmax(axis=1) if rows else labels
        classes = labels.shape[1] if rows else int(labels.max(initial=0)) + 1
        super().__init__(pixels, numbers, classes, rows, dtype, reshape, seed)
        if not reshape:
            self._image_shape = images.shape[1:]
        self._labels = labels.copy()  # whatever their type


def _as_numbers(name: str, values: Any) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise UsageError(f"{name} must all have the same shape") from None
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise UsageError(f"{name} must be finite numbers")
    return array


def _check_shapes(images: tuple[int, ...], labels: tuple[int, ...], reshape: bool) -> None:
    """Raise UsageError for arrays whose shapes do not make a data set."""
    if reshape and (len(images) != 4 or images[3] != 1):
        raise UsageError(
            f"images must be [n, height, width, 1], not {list(images)}; "
            "with reshape=False they can have another shape"
        )
    if not images or len(labels) not in (1, 2) or images[0] != labels[0] or labels[1:] == (0,):
        raise UsageError(
            f"labels must be one number or row for each image, but images are {list(images)} and "
            f"labels {list(labels)}"
        )


def extract_images(f: BinaryIO | str | Path) -> np.ndarray:
    """Read images, uint8 [n, height, width, 1], from a gzip-compressed IDX file: one that is open
    in binary mode or, as in the first versions of TensorFlow, its path.

    Raises MnistGraphError for a file that cannot be read or is not one of images.
    """
    return _extract(f, 3)[..., np.newaxis]


def extract_labels(
    f: BinaryIO | str | Path, one_hot: bool = False, num_classes: int = 10
) -> np.ndarray:
    """Read labels, uint8 [n], from a file as `extract_images` takes it; or, with one_hot=True,
    float64 rows [n, num_classes].

    Raises MnistGraphError for a file that cannot be read, is not one of labels, or has a label
    that is not below `num_classes` while one_hot=True.
    """
    labels = _extract(f, 1)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def _extract(f: BinaryIO | str | Path, dimensions: int) -> np.ndarray:
    if isinstance(f, str | os.PathLike):
        return read_idx(checked_path("f", f), dimensions)[0]
    advice = "give the path, or what open(path, 'rb') returns"
    try:
        content = f.read()
    except Exception as error:  # no file, closed, in text mode; TensorFlow's files have their own
        raise UsageError(f"cannot read {f!r:.80} ({error}): {advice}") from error
    if not isinstance(content, bytes):
        raise UsageError(f"{f!r:.80} is open in text mode: {advice}")
    return read_gzip(content, getattr(f, "name", "the file"), dimensions)
