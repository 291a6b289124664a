"""`--evaluate` prints a report of a run's test predictions and draws every mistake."""

import numpy as np
from helpers import assert_refused, run_main, some_mnist, write_data
from PIL import Image

from mnist_graph import Classifier
from mnist_graph.panels.montage import RED
from mnist_graph.runs.find import load_run
from mnist_graph.runs.metrics import classification_report


def test_evaluate_prints_the_report_and_draws_every_mistake(trained, mnist):
    run = trained("mlp")
    outcome = run_main(run.cwd, *run.words, "--evaluate")
    accuracy, error, title, head, *rows, last = outcome.out.splitlines()
    assert accuracy == run.outcome.out.splitlines()[-1]
    assert error.startswith("Expected calibration error: 0.0")
    assert title == "Confusion matrix (rows: labels, columns: predictions):"
    assert head.split() == [*"0123456789", "recall"]
    with Classifier(load_run(run.directory), precision="auto") as classifier:
        probabilities = classifier.predict(mnist.test.pixels)
    report = classification_report(probabilities, mnist.test.sparse_labels)
    for label, row in enumerate(rows):
        name, *counts, recall = row.split()
        assert name == str(label)
        assert [int(c.replace(",", "").replace(".", "0")) for c in counts] == [
            *report.confusion[label]
        ]
        assert recall == f"{report.recall[label]:.4f}"
    assert last.split() == ["precision", *(f"{share:.4f}" for share in report.precision)]
    mistakes = 10_000 - int(np.trace(report.confusion))
    path = "runs/mlp/1/mistakes.png"
    assert outcome.err == f"mnist-graph: all {mistakes:,} mistakes drawn in {path}\n"
    sheet = np.asarray(Image.open(run.cwd / path))
    corners = (sheet[::84, ::84] == RED).all(axis=-1)
    assert corners.sum() == mistakes
    assert outcome.code == 0


def test_evaluate_trains_first_if_there_is_no_run(tmp_path):
    outcome = run_main(tmp_path, "--model", "softmax", "--iterations", "20", "--evaluate")
    assert outcome.code == 0
    assert "training it first" in outcome.err
    assert outcome.out.count("Accuracy on test set") == 1


def test_evaluate_refuses_other_data(trained, tmp_path, mnist):
    folder = write_data(tmp_path / "data", *some_mnist(mnist, 5100))
    run = trained("softmax")
    words = ("--model", "softmax", "--run-dir", run.directory, "--data-dir", folder)
    outcome = run_main(tmp_path, *words, "--evaluate")
    assert_refused(outcome, 2, f"{run.directory} was trained on other data; give its --data-dir")


def test_evaluate_refuses_another_validation_size(trained, tmp_path):
    run = trained("softmax")
    words = ("--model", "softmax", "--run-dir", run.directory, "--validation-size", "0")
    outcome = run_main(tmp_path, *words, "--evaluate")
    assert_refused(outcome, 2, f"in {run.directory} validation_size is 5000, not 0")
