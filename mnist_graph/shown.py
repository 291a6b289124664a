"""Digits, and what a network took them for, as a run keeps some of them to be looked at."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.files import read_bytes, write_whole

MAX_BYTES = 2**26
"""Of the arrays, unpacked."""


class Shown(NamedTuple):
    """Some of the digits that were judged."""

    pixels: np.ndarray
    """uint8 [n, height, width], 255 is full ink."""
    labels: np.ndarray
    """int32 [n]."""
    guesses: np.ndarray
    """int32 [n]."""
    judged: int
    """How many were judged in all."""
    mistakes: int
    """How many of these were taken for another."""

    @property
    def wrong(self) -> np.ndarray:
        """Which are: bool [n]."""
        return self.labels != self.guesses


def select(pixels: np.ndarray, labels: np.ndarray, guesses: np.ndarray, most: int) -> Shown:
    """At most so many of the digits, those taken for another first, else in their order."""
    wrong = labels != guesses
    which = np.argsort(~wrong, kind="stable")[:most]
    parts = (np.asarray(part)[which] for part in (pixels, labels, guesses))
    return Shown(*parts, judged=len(labels), mistakes=int(wrong.sum()))


def save_shown(path: Path, shown: Shown) -> None:
    """Write them to the .npz file `path`. OSError."""

    def write(written: Path) -> None:
        with written.open("wb") as file:
            np.savez_compressed(file, **shown._asdict())

    write_whole(path, write)


def load_shown(path: Path) -> Shown | None:
    """What `save_shown` wrote; None where there is no such file. Raises MnistGraphError for
    one that is damaged.
    """
    if not path.exists():
        return None
    content = io.BytesIO(read_bytes(path, MAX_BYTES))
    try:
        with zipfile.ZipFile(content) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ValueError("too large")
        with np.load(content, allow_pickle=False) as arrays:
            pixels, labels, guesses, judged, mistakes = (arrays[key] for key in Shown._fields)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or not pixels.size:
            raise ValueError("no images")
        if not labels.shape == guesses.shape == pixels.shape[:1]:
            raise ValueError("not as many labels as images")
        if not labels.dtype == guesses.dtype == np.int32:
            raise ValueError("labels that are none")
        shown = Shown(pixels, labels, guesses, int(judged), int(mistakes))
        if not int(shown.wrong.sum()) <= shown.mistakes <= shown.judged >= len(labels):
            raise ValueError("more mistakes than digits")
        return shown
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise MnistGraphError(f"{path} is damaged; it is left out") from error
