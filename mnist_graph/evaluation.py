"""How well a trained network reads: which digits it takes for which, and how sure it may be."""

from typing import NamedTuple

import numpy as np

CALIBRATION_BINS = 15
"""As many as in Guo et al. 2017, "On Calibration of Modern Neural Networks"."""


class Report(NamedTuple):
    confusion: np.ndarray
    """int64 [classes, classes]: how many of the digit of the row were taken for that of the
    column.
    """
    calibration_error: float

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def precision(self) -> np.ndarray:
        """Of what was taken for each digit, the share that is one: float64 [classes], NaN
        where nothing was.
        """
        return _share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> np.ndarray:
        """Of each digit, the share that was taken for it: float64 [classes], NaN where there
        is none.
        """
        return _share(np.diag(self.confusion), self.confusion.sum(axis=1))


def evaluate(probabilities: np.ndarray, labels: np.ndarray) -> Report:
    """The report on images [n] with these labels and probabilities, float [n, classes]."""
    classes = probabilities.shape[1]
    pairs = labels.astype(np.int64) * classes + probabilities.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return Report(confusion, calibration_error(probabilities, labels))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The expected calibration error: how far the network's confidence is from its accuracy,
    on average over bins of equal width (Guo et al. 2017).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
