"""How well a network classifies, and how well calibrated its probabilities are."""

from typing import NamedTuple

import numpy as np

CALIBRATION_BINS = 15
"""As in Guo et al. 2017, "On Calibration of Modern Neural Networks"."""


class ClassificationReport(NamedTuple):
    """What `--evaluate` prints."""

    confusion: np.ndarray
    """int64 [classes, classes]: the number of images with the label of the row that were
    classified as the column.
    """
    calibration_error: float

    @property
    def accuracy(self) -> float:
        """The share of correct predictions."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def precision(self) -> np.ndarray:
        """For each class, the share of its predictions that are correct: float64 [classes],
        NaN for a class that was never predicted.
        """
        return _divide(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> np.ndarray:
        """For each class, the share of its images that are classified correctly: float64
        [classes], NaN for a class without images.
        """
        return _divide(np.diag(self.confusion), self.confusion.sum(axis=1))


def classification_report(probabilities: np.ndarray, labels: np.ndarray) -> ClassificationReport:
    """Compare probabilities, float [n, classes], with the labels [n]."""
    classes = probabilities.shape[1]
    pairs = labels.astype(np.int64) * classes + probabilities.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return ClassificationReport(confusion, calibration_error(probabilities, labels))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error: the mean difference between confidence and
    accuracy, over bins of equal width (Guo et al. 2017).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, correct - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
