"""Digits or strips with their labels and predictions, which a run saves for the panels."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.data.shapes import COLOURS
from mnist_graph.data.strips.size import PADDING
from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.arrays import read_bounded_arrays
from mnist_graph.runs.files import write_whole

MAX_BYTES = 2**26
"""The largest size of the arrays, uncompressed: 85,000 digits of 28x28."""

KEYS = ("pixels", "labels", "guesses", "judged", "mistakes")
"""The arrays' names in the .npz file, in the order of DigitSample's fields."""


class DigitSample(NamedTuple):
    """Some of the digits, or of the strips, that a network has evaluated."""

    pixels: np.ndarray
    """uint8 [n, height, width], 255 is full ink; or in colour [n, height, width, 3]."""
    labels: np.ndarray
    """int32 [n]; of strips [n, longest], padded with -1."""
    predictions: np.ndarray
    """The same; of strips, the number of columns can be another."""
    evaluated: int
    """The number of digits evaluated in all."""
    mistakes: int
    """How many of these were misclassified."""

    @property
    def wrong(self) -> np.ndarray:
        """Which digits of the sample are misclassified: bool [n]."""
        return are_wrong(self.labels, self.predictions)


def are_wrong(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return which predictions differ from their labels: bool [n].

    Both are int32 [n]; or, of strips, [n, longest] and [n, columns], padded with -1.
    """
    if labels.ndim == 1:
        return labels != predictions
    width = max(labels.shape[1], predictions.shape[1])
    one, other = (
        np.pad(digits, ((0, 0), (0, width - digits.shape[1])), constant_values=PADDING)
        for digits in (labels, predictions)
    )
    return (one != other).any(axis=1)


def select_sample(
    pixels: np.ndarray, labels: np.ndarray, predictions: np.ndarray, most: int
) -> DigitSample:
    """Return at most `most` of the digits: first the misclassified ones, then the others, each
    in their order.
    """
    wrong = are_wrong(labels, predictions)
    indices = np.argsort(~wrong, kind="stable")[:most]
    return DigitSample(
        np.asarray(pixels)[indices],
        np.asarray(labels)[indices],
        np.asarray(predictions)[indices],
        evaluated=len(labels),
        mistakes=int(wrong.sum()),
    )


def select_mistakes(pixels: np.ndarray, labels: np.ndarray, predictions: np.ndarray) -> DigitSample:
    """Return all digits whose predictions differ from their labels."""
    count = int(are_wrong(labels, predictions).sum())
    return select_sample(pixels, labels, predictions, count)


def as_lists(digits: np.ndarray) -> list[list[int]]:
    """Return labels of strips, int32 [n, longest], without their padding."""
    return [[digit for digit in row if digit != PADDING] for row in digits.tolist()]


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
    try:
        arrays = read_bounded_arrays(path, MAX_BYTES, MAX_BYTES)
        pixels, labels, predictions, evaluated, mistakes = (arrays[key] for key in KEYS)
        has_shape = pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] == COLOURS)
        if pixels.dtype != np.uint8 or not has_shape or not pixels.size:
            raise ValueError("invalid images")
        if not len(labels) == len(predictions) == len(pixels):
            raise ValueError("the number of labels differs from that of images")
        if not labels.ndim == predictions.ndim <= 2:
            raise ValueError("labels of another form than predictions")
        if not labels.dtype == predictions.dtype == np.int32:
            raise ValueError("invalid labels")
        sample = DigitSample(pixels, labels, predictions, int(evaluated), int(mistakes))
        if not int(sample.wrong.sum()) <= sample.mistakes <= sample.evaluated >= len(labels):
            raise ValueError("inconsistent counts")
        return sample
    except (ValueError, TypeError, KeyError) as error:
        raise MnistGraphError(f"{path} is damaged; delete it") from error
