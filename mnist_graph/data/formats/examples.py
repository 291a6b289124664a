"""Labelled images, as every format returns them, and what is checked of all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_graph.data.shapes import describe_shape
from mnist_graph.errors import MnistGraphError

MAX_PIXELS = 2**16
"""The largest supported image, in pixels: 256 x 256."""
MAX_CLASSES = 2**16
"""The largest number of classes."""
MAX_BYTES = 600_000_000
"""Uncompressed size of the largest file of arrays that is read: twelve times MNIST's."""
Progress = Callable[[int, int], None]
"""Is told how much of how much is done."""


class Form(NamedTuple):
    """What pictures of any size and mode are brought to. None: what most of them are."""

    size: tuple[int, int] | None = None
    """Height and width in pixels. None: the commonest."""
    colour: bool | None = None
    """Whether in colour. None: if one of them has colour."""

    @property
    def is_given(self) -> bool:
        """Whether anything is said of it."""
        return self != Form()


class Part(NamedTuple):
    """Images with their labels."""

    pixels: np.ndarray
    """uint8 [n, height, width] or, in colour, [n, height, width, 3]."""
    labels: np.ndarray
    """uint8 [n], or uint16 where there are more than 256 classes."""
    images_name: str
    """What errors call the images,"""
    labels_name: str
    """and the labels."""


class Examples(NamedTuple):
    """The training and test images of a data set."""

    train: Part
    test: Part
    sha256: dict[str, str]
    """Identifies the data, wherever they are."""
    class_names: tuple[str, ...] = ()
    """The name of each class; () if their numbers are their names."""
    own_validation: int | None = None
    """How many of the first training images the data themselves set apart for validation; None:
    as many as a recipe says."""


def check_examples(place: Path, examples: Examples) -> int:
    """Return the number of classes. Raises MnistGraphError if training and test images, or images
    and labels, do not fit together. `place` is what errors call the whole.
    """
    train, test = examples.train, examples.test
    if train.pixels.shape[1:] != test.pixels.shape[1:]:
        sizes = " and ".join(describe_shape(part.pixels.shape[1:]) for part in (train, test))
        raise MnistGraphError(f"training and test images differ in size ({sizes}) in {place}")
    require_small(train.pixels.shape[1], train.pixels.shape[2], train.images_name)
    for part in (train, test):
        if len(part.pixels) != len(part.labels):
            raise MnistGraphError(
                f"{part.images_name} has {len(part.pixels):,} images, but "
                f"{part.labels_name} has {len(part.labels):,} labels"
            )
    classes = max(int(train.labels.max()) + 1, len(examples.class_names))
    if classes < 2:
        raise MnistGraphError(f"{train.labels_name} has only one class; there is nothing to learn")
    if (highest := int(test.labels.max())) >= classes:
        raise MnistGraphError(
            f"{test.labels_name} has label {highest}, but the training labels end at {classes - 1}"
        )
    return classes


def require_small(height: int, width: int, name: str, advice: str = "") -> None:
    """Raise MnistGraphError for images that are too large to train on."""
    if height * width > MAX_PIXELS:
        raise MnistGraphError(
            f"{name}: images of {height}x{width} are too large; the limit is {MAX_PIXELS:,} "
            f"pixels{advice}"
        )


def smallest_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return class numbers in the smallest type that has them: uint8 or uint16 [n]."""
    return labels.astype(np.uint8 if classes <= 2**8 else np.uint16)


def read_limited(path: Path) -> bytes:
    """Return the content of a file. Raises MnistGraphError if it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MnistGraphError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise MnistGraphError(f"{path} has more than {MAX_BYTES:,} bytes")
    return content
