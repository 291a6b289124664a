"""CTC against its definition, written in NumPy: a sum over all paths."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph.graph.ctc import are_equal, ctc_loss, greedy_decode

tf1 = tf.compat.v1
COLUMNS, CLASSES = 4, 3
BLANK = CLASSES
LABELS = np.array([[1, 0], [2, -1], [1, 1], [-1, -1], [0, 2]], np.int32)
LOGITS = np.random.default_rng(0).normal(0, 2, (5, COLUMNS, CLASSES + 1)).astype(np.float32)


def run(build, *arrays):
    """Return the value of the tensor that `build` makes of `arrays`."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(0)
        return session.run(build(*(tf.constant(array) for array in arrays)))


def read(path):
    """Return what a path reads as: repeated digits merged, blanks removed."""
    return [digit for digit, _ in itertools.groupby(path) if digit != BLANK]


def loss_by_definition(logits, label):
    """Minus the logarithm of the summed probability of all paths that read as `label`."""
    exponents = np.exp(logits.astype(np.float64))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    total = sum(
        np.prod([probabilities[column, digit] for column, digit in enumerate(path)])
        for path in itertools.product(range(CLASSES + 1), repeat=len(logits))
        if read(path) == label
    )
    return -np.log(total)


def without_padding(labels):
    return [[int(digit) for digit in row if digit >= 0] for row in labels]


def test_loss_is_that_of_all_paths_that_read_as_the_labels():
    losses = run(ctc_loss, LOGITS, LABELS)
    expected = [
        loss_by_definition(logits, label)
        for logits, label in zip(LOGITS, without_padding(LABELS), strict=True)
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_gradient_is_the_slope_of_the_loss():
    def gradient(logits, labels):
        return tf1.gradients(tf.reduce_sum(ctc_loss(logits, labels)), logits)[0]

    slopes, step = run(gradient, LOGITS, LABELS), 1e-3
    for strip, column, number in ((0, 1, 0), (1, 3, BLANK), (3, 2, BLANK), (3, 0, 1)):
        changed = [LOGITS[strip].copy() for _ in range(2)]
        changed[0][column, number] -= step
        changed[1][column, number] += step
        low, high = (loss_by_definition(c, without_padding(LABELS)[strip]) for c in changed)
        slope = (high - low) / (2 * step)
        assert slopes[strip, column, number] == pytest.approx(slope, rel=1e-2, abs=1e-4)


def test_labels_that_do_not_fit_into_the_columns_have_no_loss():
    # The first needs five columns, the second six.
    labels = np.array([[1, 1, 1, -1, -1], [0, 0, 1, 2, 0], [0, 1, 2, -1, -1]], np.int32)
    *impossible, possible = run(ctc_loss, np.stack([LOGITS[0], LOGITS[0], LOGITS[1]]), labels)
    assert impossible == [0, 0]
    assert possible == pytest.approx(loss_by_definition(LOGITS[1], [0, 1, 2]), rel=1e-5)


def test_predictions_are_what_the_most_probable_path_reads_as():
    logits = np.random.default_rng(1).normal(0, 2, (50, 9, CLASSES + 1)).astype(np.float32)
    predictions = run(greedy_decode, logits)
    assert predictions.shape == (50, 9)
    assert predictions.dtype == np.int32
    expected = [read(path) for path in logits.argmax(axis=2).tolist()]
    assert without_padding(predictions) == expected
    for row, label in zip(predictions, expected, strict=True):
        assert (row[len(label) :] == -1).all()


def test_strips_are_equal_only_with_all_digits():
    predictions = [[1, 2, -1], [1, -1, -1], [1, 2, 3], [-1, -1, -1]]
    labels = np.array([[1, 2], [1, 2], [1, 2], [-1, -1]], np.int32)
    equal = run(are_equal, np.array(predictions, np.int32), labels)
    assert equal.tolist() == [True, False, False, True]
