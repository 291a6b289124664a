"""Accuracy, precision, recall and calibration."""

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from mnist_graph.runs.metrics import calibration_error, classification_report


@pytest.fixture
def predicted(mnist):
    """Probabilities [2000, 10] that are often right, and labels [2000]."""
    random = np.random.default_rng(0)
    labels = mnist.test.sparse_labels[:2000].astype(np.int32)
    logits = random.normal(size=(2000, 10)) + 3 * np.eye(10)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels


def test_report_agrees_with_scikit_learn(predicted):
    probabilities, labels = predicted
    predictions = probabilities.argmax(axis=1)
    report = classification_report(probabilities, labels)
    assert np.array_equal(report.confusion, confusion_matrix(labels, predictions))
    assert report.accuracy == (labels == predictions).mean()
    np.testing.assert_allclose(report.precision, precision_score(labels, predictions, average=None))
    np.testing.assert_allclose(report.recall, recall_score(labels, predictions, average=None))


def test_absent_class_has_neither_precision_nor_recall():
    report = classification_report(np.eye(3)[[0, 0, 1]], np.array([0, 1, 1]))
    assert report.precision.tolist()[:2] == [0.5, 1.0]
    assert math.isnan(report.precision[2])
    assert math.isnan(report.recall[2])


def test_calibration_error_is_the_mean_gap_between_confidence_and_accuracy():
    """Half are right at 0.9, and all are right at 0.6: |0.5 - 0.9| / 2 + |1 - 0.6| / 2."""
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 4)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 0])
    assert calibration_error(probabilities, labels) == pytest.approx(0.4)
    assert calibration_error(np.eye(10)[labels], labels) == 0  # confidence 1 is in the last bin
