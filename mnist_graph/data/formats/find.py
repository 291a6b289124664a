"""What a folder or a file is, and what reads it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mnist_graph.data.formats.cifar import find_cifar, read_cifar
from mnist_graph.data.formats.examples import Examples, Form, Progress
from mnist_graph.data.formats.idx_files import find_files, read_files
from mnist_graph.data.formats.keras_npz import find_keras, read_keras
from mnist_graph.data.formats.listing import list_pictures
from mnist_graph.data.formats.svhn import has_svhn, read_svhn
from mnist_graph.errors import MnistGraphError, UsageError

MISSING = (
    "the four IDX files (train-images-idx3-ubyte, plain or .gz, ...), no mnist.npz, no .bin files "
    "of CIFAR, no .mat files of SVHN, and not one folder of pictures for each class"
)
Reader = Callable[[Form, Path | None, Progress | None], Examples]
"""Reads data: brings pictures to the form, saves what was decoded in the folder, tells the last how
many pictures have been.
"""


def find_reader(place: Path) -> Reader | None:
    """Return what reads the labelled images in a folder or a file; None if there are none in a
    format that is read.

    The reader raises UsageError if it is given a form for images that have one, and
    MnistGraphError for what is damaged, missing or inconsistent. So does this function.
    """
    if read := _find_arrays(place):
        return partial(_read_arrays, place, read)
    try:
        pictures = list_pictures(place) if place.is_dir() else None
    except OSError as error:
        raise MnistGraphError(f"cannot read {place}: {error.strerror or error}") from error
    if pictures is None:
        return None
    from mnist_graph.data.formats.pictures import read_pictures  # Pillow

    return partial(read_pictures, place, pictures)


def require_reader(place: Path) -> Reader:
    """Return what `find_reader` returns. Raises MnistGraphError if it returns None."""
    if (reader := find_reader(place)) is not None:
        return reader
    if place.is_dir():
        raise MnistGraphError(f"{place} has none of {MISSING}")
    raise MnistGraphError(f"{place} is not a folder, and no .npz file as Keras writes it")


def _find_arrays(place: Path) -> Callable[[], Examples] | None:
    """Return what reads a format whose images all have one size; None for any other."""
    if paths := find_files(place):
        return partial(read_files, paths)
    if names := find_cifar(place):
        return partial(read_cifar, place, *names)
    if has_svhn(place):
        return partial(read_svhn, place)
    if file := find_keras(place):
        return partial(read_keras, file)
    return None


def _read_arrays(
    place: Path,
    read: Callable[[], Examples],
    form: Form,
    cache: Path | None,
    progress: Progress | None,
) -> Examples:
    if form.is_given:
        raise UsageError(
            f"the images in {place} have one size already; --image-size, --grey and --colour are "
            "for folders of pictures"
        )
    return read()
