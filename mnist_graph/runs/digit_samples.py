"""Digits with their labels and predictions, which a run saves for the panels."""

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.files import read_bytes, write_whole

MAX_BYTES = 2**26
"""The largest size of the arrays, uncompressed: 85,000 digits of 28x28."""

KEYS = ("pixels", "labels", "guesses", "judged", "mistakes")
"""The arrays' names in the .npz file, in the order of DigitSample's fields."""


class DigitSample(NamedTuple):
    """Some of the digits that a network has evaluated."""

    pixels: np.ndarray
    """uint8 [n, height, width]; 255 is full ink."""
    labels: np.ndarray
    """int32 [n]."""
    predictions: np.ndarray
    """int32 [n]."""
    evaluated: int
    """The number of digits evaluated in all."""
    mistakes: int
    """How many of these were misclassified."""

    @property
    def wrong(self) -> np.ndarray:
        """Which digits of the sample are misclassified: bool [n]."""
        return self.labels != self.predictions


def select_sample(
    pixels: np.ndarray, labels: np.ndarray, predictions: np.ndarray, most: int
) -> DigitSample:
    """Return at most `most` of the digits: first the misclassified ones, then the others, each
    in their order.
    """
    wrong = labels != predictions
    indices = np.argsort(~wrong, kind="stable")[:most]
    return DigitSample(
        np.asarray(pixels)[indices],
        np.asarray(labels)[indices],
        np.asarray(predictions)[indices],
        evaluated=len(labels),
        mistakes=int(wrong.sum()),
    )


def save_sample(path: Path, sample: DigitSample) -> None:
    """Write the sample to the .npz file `path`. Raises OSError."""

    def write(written: Path) -> None:
        with written.open("wb") as file:
            arrays: dict[str, Any] = dict(zip(KEYS, sample, strict=True))
            np.savez_compressed(file, **arrays)

    write_whole(path, write)


def load_sample(path: Path) -> DigitSample | None:
    """Return the sample that `save_sample` wrote; None if there is no such file. Raises
    MnistGraphError if it is damaged.
    """
    if not path.exists():
        return None
    content = io.BytesIO(read_bytes(path, MAX_BYTES))
    try:
        with zipfile.ZipFile(content) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ValueError("too large")
        with np.load(content, allow_pickle=False) as arrays:
            pixels, labels, predictions, evaluated, mistakes = (arrays[key] for key in KEYS)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or not pixels.size:
            raise ValueError("invalid images")
        if not labels.shape == predictions.shape == pixels.shape[:1]:
            raise ValueError("the number of labels differs from that of images")
        if not labels.dtype == predictions.dtype == np.int32:
            raise ValueError("invalid labels")
        sample = DigitSample(pixels, labels, predictions, int(evaluated), int(mistakes))
        if not int(sample.wrong.sum()) <= sample.mistakes <= sample.evaluated >= len(labels):
            raise ValueError("inconsistent counts")
        return sample
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise MnistGraphError(f"{path} is damaged; delete it") from error
