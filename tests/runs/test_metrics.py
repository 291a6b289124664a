"""--evaluate and --describe."""

import math

import numpy as np
import pytest
from helpers import assert_refused, run_main, some_mnist, write_data
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from mnist_graph import Classifier, recipes
from mnist_graph.graph.outline import outline
from mnist_graph.runs.metrics import calibration_error, classification_report
from mnist_graph.graph.build import build_network
from mnist_graph.panels.montage import RED
from mnist_graph.runs.find import load_run


@pytest.fixture
def judged(mnist):
    random = np.random.default_rng(0)
    labels = mnist.test.sparse_labels[:2000].astype(np.int32)
    logits = random.normal(size=(2000, 10)) + 3 * np.eye(10)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels


def test_the_report_is_what_scikit_learn_finds(judged):
    probabilities, labels = judged
    predictions = probabilities.argmax(axis=1)
    report = classification_report(probabilities, labels)
    assert np.array_equal(report.confusion, confusion_matrix(labels, predictions))
    assert report.accuracy == (labels == predictions).mean()
    np.testing.assert_allclose(report.precision, precision_score(labels, predictions, average=None))
    np.testing.assert_allclose(report.recall, recall_score(labels, predictions, average=None))


def test_a_digit_that_is_not_there_has_no_precision_and_no_recall():
    report = classification_report(np.eye(3)[[0, 0, 1]], np.array([0, 1, 1]))
    assert report.precision.tolist()[:2] == [0.5, 1.0]
    assert math.isnan(report.precision[2])
    assert math.isnan(report.recall[2])


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy():
    """Half of them right at 0.9, all of them right at 0.6: |0.5 - 0.9| / 2 + |1 - 0.6| / 2."""
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 4)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 0])
    assert calibration_error(probabilities, labels) == pytest.approx(0.4)
    assert calibration_error(np.eye(10)[labels], labels) == 0  # confidence 1 is in a bin, too


def test_evaluate_prints_the_report_and_draws_every_mistake(trained, mnist):
    run = trained("mlp")
    outcome = run_main(run.cwd, *run.words, "--evaluate")
    accuracy, error, _, head, *rows, last = outcome.out.splitlines()
    assert accuracy == run.outcome.out.splitlines()[-1]
    assert error.startswith("Expected calibration error: 0.0")
    assert head.split() == [*"0123456789", "recall"]
    assert last.split()[0] == "precision"
    with Classifier(load_run(run.directory), precision="auto") as classifier:
        report = classification_report(classifier.predict(mnist.test.pixels), mnist.test.sparse_labels)
    for label, row in enumerate(rows):
        name, *counts, recall = row.split()
        assert name == str(label)
        assert [int(c.replace(",", "").replace(".", "0")) for c in counts] == [
            *report.confusion[label]
        ]
        assert recall == f"{report.recall[label]:.4f}"
    mistakes = 10_000 - int(np.trace(report.confusion))
    path = "runs/mlp/1/mistakes.png"
    assert outcome.err == f"mnist-graph: all {mistakes:,} mistakes drawn in {path}\n"
    sheet = np.asarray(Image.open(run.cwd / path))
    corners = (sheet[::84, ::84] == RED).all(axis=-1)
    assert corners.sum() == mistakes
    assert outcome.code == 0


def test_evaluate_trains_first_where_there_is_no_run(tmp_path):
    outcome = run_main(tmp_path, "--model", "softmax", "--iterations", "20", "--evaluate")
    assert outcome.code == 0
    assert "training it first" in outcome.err
    assert outcome.out.count("Accuracy on test set") == 1


def test_evaluate_refuses_other_data_than_the_runs(trained, tmp_path, mnist):
    folder = write_data(tmp_path / "data", *some_mnist(mnist))
    run = trained("softmax")
    words = ("--model", "softmax", "--run-dir", run.directory, "--data-dir", folder)
    outcome = run_main(tmp_path, *words, "--validation-size", "0", "--evaluate")
    assert outcome.code == 2
    outcome = run_main(tmp_path, *words, "--evaluate")
    assert outcome.code == 2, outcome


def test_describe_prints_each_layer(tmp_path):
    outcome = run_main(tmp_path, "--model", "cnn", "--describe")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert rows == [
        ["layer", "output", "shape", "parameters", "multiply-adds"],
        ["images", "28x28x1", "0", "0"],
        ["conv1", "14x14x32", "832", "627,200"],
        ["conv2", "7x7x64", "51,264", "10,035,200"],
        ["dense1", "1024", "3,212,288", "3,211,264"],
        ["dropout1", "1024", "0", "0"],
        ["output", "10", "10,250", "10,240"],
        ["total", "3,274,634", "13,883,904"],
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", list(recipes))
def test_the_layers_have_all_parameters(name):
    network = outline(recipes[name])
    layers = network.layers
    assert sum(layer.parameters for layer in layers) == network.parameters
    assert layers[-1].output_shape == (10,)
    assert all(layer.parameters or layer.name.startswith("dropout") for layer in layers[1:])


def test_describe_goes_by_the_flags_and_the_data(tmp_path, mnist):
    rows, columns = slice(4, 20), slice(0, 14)
    folder = write_data(tmp_path / "data", *some_mnist(mnist, 60, 4, rows, columns))
    words = ("--model", "mlp", "--hidden", "5", "--validation-size", "0", "--data-dir", folder)
    out = run_main(tmp_path, *words, "--describe").out
    assert "16x14x1" in out
    assert out.splitlines()[-1].split()[-2] == f"{16 * 14 * 5 + 5 + 5 * 4 + 4:,}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--describe",), "--model is missing"),
        (("--model", "mlp", "--describe", "--evaluate"), "--evaluate and --describe"),
        (("--model", "mlp", "--resume", "--plot", "a"), "--resume and --plot"),
        (("--model", "mlp", "--evaluate", "--json"), "--json goes with --predict"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, words, said):
    assert_refused(run_main(tmp_path, *words), 2, said)
