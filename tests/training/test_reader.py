"""A reader is trained, resumed and evaluated like every recipe."""

import numpy as np
import pytest
from helpers import (
    TINY_READER,
    StopAt,
    assert_refused,
    printed,
    run_main,
    same_variables,
    some_mnist,
    write_data,
)
from PIL import Image

from mnist_graph import read_data_sets, recipes, train
from mnist_graph.data.batches import test_examples as examples_for_testing
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.runs.digit_samples import are_wrong
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Stop


def test_reader_trains_prints_and_saves_what_the_panels_show(trained, mnist):
    run = trained("reader")
    assert [line[0] for line in printed(run.outcome.out)] == ["0", "10", "20", "29"]
    losses = [float(loss) for _, loss, _ in printed(run.outcome.out)]
    assert losses[-1] < 0.7 * losses[0]
    data = read_run_data(run.directory)
    pixels, labels = examples_for_testing(mnist, reads_strips=True)
    assert data.tested.pixels.shape == pixels.shape
    assert data.tested.evaluated == len(labels)
    accuracy = 1 - data.tested.mistakes / len(labels)
    assert run.outcome.out.splitlines()[-1] == f"Accuracy on test set: {accuracy:.6g}"
    assert data.batch.pixels.shape[:2] == (4, 32)


def test_resume_reproduces_the_uninterrupted_run(trained, tmp_path):
    whole = load_run(trained("reader").directory)
    stopped = tmp_path / "run"
    with pytest.raises(Stop):
        train(
            whole.recipe,
            read_data_sets(validation_size=0),
            stopped,
            log_every=10,
            hooks=[StopAt(12)],
        )
    words = (*TINY_READER, "--log-every", "10", "--resume", "--run-dir", stopped)
    assert run_main(tmp_path, *words).code == 0
    assert load_run(stopped).history == whole.history
    assert same_variables(stopped, whole.directory)


def test_evaluate_prints_the_errors_and_draws_the_strips(trained):
    run = trained("reader")
    outcome = run_main(run.cwd, *TINY_READER, "--evaluate")
    accuracy, errors, title, head, *rows = outcome.out.splitlines()
    assert accuracy == run.outcome.out.splitlines()[-1]
    assert errors.startswith("Character error rate: ")
    assert title == "Digits as they were read (rows: labels, columns: predictions):"
    assert head.split() == [*"0123456789", "missed"]
    assert [row.split()[0] for row in rows] == [*"0123456789", "inserted"]
    sample = read_run_data(run.directory).tested
    counts = np.array([[int(c.replace(".", "0")) for c in row.split()[1:]] for row in rows])
    assert counts[:-1].sum() == (sample.labels >= 0).sum()
    rate = (counts.sum() - np.trace(counts)) / counts[:-1].sum()
    assert errors == f"Character error rate: {rate:.4f}"
    assert are_wrong(sample.labels, sample.predictions).sum() == sample.mistakes
    with Image.open(run.directory / "mistakes.png") as sheet:
        assert sheet.width * sheet.height >= 9 * sample.mistakes * sample.pixels[0].size
    assert f"all {sample.mistakes} mistakes drawn in" in outcome.err


def test_data_of_which_no_strips_can_be_made_is_refused(tmp_path, mnist):
    folder = write_data(tmp_path / "data", *some_mnist(mnist, classes=3))
    outcome = run_main(tmp_path, *TINY_READER, "--data-dir", folder)
    assert_refused(outcome, 2, "28x28 images of all ten digits; the data has 3 classes of 28x28")
    assert not (tmp_path / "runs").exists()


def test_predictions_of_images_need_another_recipe(trained):
    run = trained("reader")
    assert recipes["reader"].reads_strips
    outcome = run_main(run.cwd, "--model", "mlp", "--evaluate", "--run-dir", run.directory)
    assert_refused(outcome, 2, "is a run of reader, not of mlp")
