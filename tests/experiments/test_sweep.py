"""`--sweep`: the grid of some values, scored on held-out training images."""

import json
import os
import re
import signal
import time

import numpy as np
import pytest
from helpers import assert_refused, run_main, same_variables, start_command
from PIL import Image
from sweeping import SOFTMAX, read_csv

from mnist_graph import MnistGraphError, read_data_sets, recipes, sweep
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.runs.find import find_run, list_runs, load_run
from mnist_graph.runs.predictor import Predictor

LINE = re.compile(r"learning_rate (\S+), seed 0: validation accuracy (0\.\d{4}), \d+\.\d s")


def test_each_run_is_a_line_a_row_and_a_run_directory(swept):
    cwd, _, outcome = swept
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    printed = {found[1]: found[2] for line in lines if (found := LINE.fullmatch(line))}
    rows = read_csv(cwd / "sweeps/1/results.csv")
    assert [row["learning_rate"] for row in rows] == ["0.1", "0.5", "1e+38"]
    accuracies = {row["learning_rate"]: float(row["validation_accuracy"]) for row in rows[:2]}
    assert {rate: f"{accuracy:.4f}" for rate, accuracy in accuracies.items()} == printed
    for row in rows[:2]:
        run = load_run(cwd / "sweeps/1" / row["run"])
        assert run.recipe.learning_rate == float(row["learning_rate"])
        assert f"{run.result.accuracy:.6g}" == row["validation_accuracy"]


def test_the_table_and_the_best_command_come_last(swept):
    _, words, outcome = swept
    *_, head, low, high, failed, best = outcome.out.splitlines()
    names = "learning_rate  validation accuracy  lowest  highest  seconds  runs"
    assert head.split() == names.split()
    assert [row.split()[0] for row in (low, high, failed)] == ["0.1", "0.5", "1e+38"]
    assert failed.split()[1] == "failed"
    data_dir = words[words.index("--data-dir") + 1]
    assert best.endswith(
        f" --model softmax --iterations 20 --validation-size 300 --data-dir {data_dir}"
    )
    assert "3 runs in sweeps/1" in outcome.err
    assert "the first 300 training images, which are held out" in outcome.err


def test_a_loss_that_is_nan_is_a_result_and_not_repeated(swept):
    cwd, _, outcome = swept
    assert "learning_rate 1e+38, seed 0: the loss is " in outcome.out
    (row,) = [row for row in read_csv(cwd / "sweeps/1/results.csv") if row["error"]]
    assert row["validation_accuracy"] == ""
    assert row["error"].startswith("the loss is ")


def test_the_picture_is_drawn(swept):
    pixels = np.asarray(Image.open(swept[0] / "sweeps/1/sweep.png").convert("RGB")).reshape(-1, 3)
    for color in ((0x1F, 0x77, 0xB4), (0xD6, 0x27, 0x28)):  # accuracy and time
        near = np.abs(pixels.astype(int) - color).max(axis=1) < 60
        assert near.sum() > 50


def test_accuracies_are_of_held_out_images_and_not_of_the_test_images(swept, misleading):
    run = load_run(swept[0] / "sweeps/1/runs/2")
    data = read_data_sets(misleading, validation_size=300)
    with Predictor(run, precision=run.recipe.precision) as predictor:
        right = [
            (predictor.predict(part.pixels).argmax(axis=1) == part.sparse_labels).mean()
            for part in (data.validation, data.test)
        ]
    assert run.result.accuracy == right[0] > 0.5
    assert right[1] < 0.2


def test_the_accuracy_of_a_sweep_cannot_be_taken_for_a_test_accuracy(swept, misleading):
    cwd = swept[0]
    run = load_run(cwd / "sweeps/1/runs/2")
    saved = json.loads((run.directory / "result.json").read_text())
    assert set(saved) == {"validation_accuracy", "seconds", "iterations_per_second"}
    described = json.loads((run.directory / "recipe.json").read_text())
    assert described["sha256"]["held_out"] == "train[0:300]"
    with pytest.raises(MnistGraphError, match="has no test accuracy"):
        run.result.test_accuracy  # noqa: B018 - it raises
    assert list(list_runs(cwd / "runs", "softmax")) == []
    runs_dir = run.directory.parent.parent
    (runs_dir / "softmax").symlink_to("runs")  # as if someone had moved them
    try:
        found = [each.directory.name for each in list_runs(runs_dir, "softmax")]
        assert run.directory.name in found
        sha256 = read_data_sets(misleading, validation_size=300).sha256
        assert find_run(runs_dir, run.recipe, sha256) is None
    finally:
        (runs_dir / "softmax").unlink()
    assert read_run_data(run.directory).run.tested_on == "validation"
    words = ("--run-dir", "sweeps/1/runs/2", "--data-dir", misleading)
    for command in (("--evaluate",), ("--resume", "--quiet"), ("--export", "out", "--quiet")):
        outcome = run_main(cwd, *words, *command)
        assert_refused(outcome, 2, "is of a sweep, which leaves the test images alone")
    served = run_main(cwd, *words[:2], "--serve", "--port", 0)
    assert_refused(served, 2, "is of a sweep and has no test accuracy")


def test_the_same_command_again_trains_nothing(swept):
    cwd, words, outcome = swept
    before = {path: path.stat().st_mtime_ns for path in (cwd / "sweeps/1/runs").rglob("*")}
    again = run_main(cwd, *words, "--quiet")
    assert again == (0, "".join(outcome.out.splitlines(keepends=True)[3:]), "")
    assert {path: path.stat().st_mtime_ns for path in (cwd / "sweeps/1/runs").rglob("*")} == before
    assert [path.name for path in (cwd / "sweeps").iterdir()] == ["1"]
    assert "3 runs in sweeps/1: all finished" in run_main(cwd, *words).err


@pytest.mark.slow
def test_another_grid_is_another_sweep(swept, misleading, tmp_path):
    cwd, words, _ = swept
    (tmp_path / "sweeps").mkdir()
    os.symlink(cwd / "sweeps/1", tmp_path / "sweeps/1")
    outcome = run_main(tmp_path, *words[:-1], "learning_rate=0.1", "--at-a-time", 1)
    assert outcome.code == 0
    assert "1 run in sweeps/2: 1 at a time" in outcome.err
    assert (tmp_path / "sweeps/2/results.csv").exists()


@pytest.mark.slow
def test_more_seeds_are_added_and_the_recipes_that_hold_nothing_out_are_scored_on_the_last(
    tmp_path, misleading
):
    """From Python."""
    recipe = recipes["cnn-fast"].override(iterations=3, hidden=[8], batch_size=16)
    words = {"data_dir": misleading, "sweeps_dir": tmp_path / "sweeps", "at_a_time": 2}
    ended = []
    first = sweep(recipe, {"keep_prob": [0.5, 1.0]}, **words, when_ended=ended.append)
    assert first.setting.held_out == range(1600, 2000)
    second = sweep(recipe, {"keep_prob": [0.5, 1.0]}, seeds=2, **words, when_ended=ended.append)
    assert first.directory == second.directory
    assert sorted(each.trial.number for each in ended) == [1, 2, 3, 4]
    seeds = [run.recipe.seed for run in map(load_run, sorted(second.directory.glob("runs/*")))]
    assert seeds == [0, 0, 1, 1]
    assert [len(row.accuracies) for row in second.summaries()] == [2, 2]
    assert second.best().seed == 0


LONG = ("--model", "softmax", "--iterations", 3000, "--sweep", "learning_rate=0.1,0.2,0.3,0.5")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    cwd = tmp_path_factory.mktemp("uninterrupted")
    assert run_main(cwd, *LONG, "--at-a-time", 2).code == 0
    return cwd


def wait_for_runs(cwd, count):
    """Wait until as many runs have begun to train."""
    for _ in range(600):
        histories = (cwd / "sweeps/1/runs").glob("*/history.csv")
        if sum(path.stat().st_size > 100 for path in histories) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("nothing is trained")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_sweep_continues_with_the_same_command(tmp_path, uninterrupted, sent):
    process = start_command(tmp_path, *LONG, "--at-a-time", 2)
    wait_for_runs(tmp_path, 2)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert re.search(r"stopped after \d of 4 runs; the same command continues\n$", err)
        assert "Traceback" not in err
        begun = [path.name for path in (tmp_path / "sweeps/1/runs").iterdir()]
        assert all(load_run(tmp_path / "sweeps/1/runs" / name).checkpoint() for name in begun)
    again = run_main(tmp_path, *LONG, "--at-a-time", 2)
    assert again.code == 0, again.err
    assert [path.name for path in (tmp_path / "sweeps").iterdir()] == ["1"]
    for number in range(1, 5):
        one, other = (cwd / "sweeps/1/runs" / str(number) for cwd in (tmp_path, uninterrupted))
        assert same_variables(one, other)
    accuracies = [
        [row["validation_accuracy"] for row in read_csv(cwd / "sweeps/1/results.csv")]
        for cwd in (tmp_path, uninterrupted)
    ]
    assert accuracies[0] == accuracies[1]


REFUSED = [
    (("learning_rate",), "--sweep takes NAME=VALUE,VALUE,..., not 'learning_rate'"),
    (("learning_rate=",), "--sweep takes NAME=VALUE,VALUE,..., not 'learning_rate='"),
    (("learning-rate=1",), "no hyperparameter 'learning-rate'; did you mean learning_rate?"),
    (("learning_rate=0.1,much",), "learning_rate must be a number, not 'much'"),
    (("learning_rate=0.1,",), "learning_rate must be a number, not ''"),
    (("learning_rate=0.1,-1",), "learning_rate must be a number above 0"),
    (("learning_rate=0.1,1e-1",), "learning_rate has the value 0.1 twice"),
    (("learning_rate=1", "learning_rate=2"), "learning_rate is swept twice"),
    (("iterations=20",), "iterations is swept and given a value of its own; choose one"),
    (("keep_prob=0.5",), "softmax has no keep_prob to set"),
    (("batch_size=1701",), "batch_size is 1,701, but there are only 1,700 training images"),
    (("optimizer=adam,sgd",), "optimizer must be one of adam, gradient-descent, not sgd"),
    (
        [
            f"{n}={','.join(map(str, range(1, 101)))}"
            for n in ("batch_size", "seed", "learning_rate")
        ],
        "a sweep of 1,000,000 runs; at most 1,000 are trained",
    ),
]


@pytest.mark.parametrize(("texts", "said"), REFUSED)
def test_an_invalid_sweep_is_refused(command, tmp_path, misleading, texts, said):
    swept = [word for text in texts for word in ("--sweep", text)]
    assert_refused(command(*SOFTMAX, "--data-dir", misleading, *swept), 2, said)
    assert list(tmp_path.iterdir()) == []


OTHER_REFUSED = [
    (("--sweep", "seed=1,2"), 2, "--model is missing"),
    (("--model", "reader", "--sweep", "seed=1,2"), 2, "reader reads rows of digits"),
    (("--model", "mlp", "--sweep", "seed=1", "--resume"), 2, "--resume and --sweep cannot be"),
    (("--model", "mlp", "--sweep", "seed=1", "--predict", "a.png"), 2, "cannot be used together"),
    (("--model", "mlp", "--sweep", "seed=1", "--watch"), 2, "--watch has no effect with --sweep"),
    (("--model", "mlp", "--seeds", 2), 2, "--seeds needs --sweep"),
    (("--model", "mlp", "--at-a-time", 2), 2, "--at-a-time needs --sweep or --tune"),
    (("--model", "mlp", "--sweep", "seed=1,2", "--seeds", 2), 2, "seed is swept already"),
    (("--model", "mlp", "--sweep", "bias=0,1", "--seeds", 0), 2, "seeds must be at least 1"),
    (("--model", "mlp", "--sweep", "bias=0", "--data-dir", "no"), 1, "no is not a folder"),
    (("--model", "mlp", "--sweep", "bias=0", "--at-a-time", 0), 2, "at_a_time must be between"),
]


@pytest.mark.parametrize(("words", "code", "said"), OTHER_REFUSED)
def test_flags_that_do_not_fit_a_sweep_are_refused(command, words, code, said):
    assert_refused(command(*words), code, said)


def test_a_sweep_that_another_process_works_on_is_refused(swept):
    from mnist_graph.runs.locks import locked

    cwd, words, _ = swept
    with locked(cwd / "sweeps/1", "used"):
        outcome = run_main(cwd, *words)
    assert_refused(outcome, 1, "sweeps/1 is being used by another process; wait for it to finish")


def test_a_folder_that_cannot_be_written_is_an_error(command, tmp_path, misleading):
    (tmp_path / "sweeps").write_text("")
    outcome = command(*SOFTMAX, "--data-dir", misleading, "--sweep", "learning_rate=0.1")
    assert_refused(outcome, 1, "cannot write to sweeps")
