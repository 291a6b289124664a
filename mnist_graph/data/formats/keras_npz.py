"""mnist.npz as Keras writes it: x_train, y_train, x_test and y_test."""

from pathlib import Path

import numpy as np

from mnist_graph.data.arrays import digest, load_arrays
from mnist_graph.data.formats.examples import (
    MAX_BYTES,
    MAX_CLASSES,
    Examples,
    Part,
    read_limited,
    smallest_labels,
)
from mnist_graph.data.shapes import COLOURS
from mnist_graph.errors import MnistGraphError

NAME = "mnist.npz"
KEYS = ("x_train", "y_train", "x_test", "y_test")


def find_keras(path: Path) -> Path | None:
    """Return `path` if it is an .npz file, or mnist.npz if it is a folder that has it, or None."""
    file = path / NAME if path.is_dir() else path
    return file if file.suffix == ".npz" and file.is_file() else None


def read_keras(file: Path) -> Examples:
    """Return what an .npz file has. Nothing in it is unpickled.

    Raises MnistGraphError if it is damaged or has other arrays.
    """
    content = read_limited(file)
    try:
        arrays = load_arrays(content, MAX_BYTES)
    except ValueError as error:
        raise MnistGraphError(
            f"{file} is damaged, too large, or has objects instead of numbers"
        ) from error
    if missing := [key for key in KEYS if key not in arrays]:
        raise MnistGraphError(f"{file} lacks {', '.join(missing)}; it has {', '.join(arrays)}")
    train, test = (
        Part(
            _as_pixels(arrays[images], f"{file}: {images}"),
            _as_labels(arrays[labels], f"{file}: {labels}"),
            f"{file}: {images}",
            f"{file}: {labels}",
        )
        for images, labels in (KEYS[:2], KEYS[2:])
    )
    return Examples(train, test, {key: digest(arrays[key]) for key in KEYS})


def _as_pixels(array: np.ndarray, name: str) -> np.ndarray:
    """Return images without a channel of their own if they are grey."""
    if (
        array.dtype != np.uint8
        or array.ndim not in (3, 4)
        or array.shape[3:] not in ((), (1,), (COLOURS,))
    ):
        raise MnistGraphError(
            f"{name} must be uint8 [n, height, width], or with 1 or 3 channels, not {array.dtype} "
            f"{list(array.shape)}"
        )
    if not array.size:
        raise MnistGraphError(f"{name} has no images")
    return array[..., 0] if array.shape[3:] == (1,) else array


def _as_labels(array: np.ndarray, name: str) -> np.ndarray:
    """Return class numbers [n]; some of Keras's sets have them in a column."""
    labels = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    fits = labels.ndim == 1 and labels.dtype.kind in "iu" and labels.size
    if not fits or labels.min() < 0 or labels.max() >= MAX_CLASSES:
        raise MnistGraphError(f"{name} must be class numbers [n], from 0 on")
    return smallest_labels(labels, int(labels.max()) + 1)
