"""`--tune`: a search with Optuna, in an SQLite file."""

import re
import shlex
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from helpers import assert_refused, run_main, run_python, start_command
from sweeping import SOFTMAX, read_csv

from mnist_graph import MnistGraphError, recipes, tune
from mnist_graph.errors import UsageError
from mnist_graph.runs.find import list_runs, load_run


def states(path):
    """Return the states of the trials in a study, in order."""
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("select state from trials order by number")]


def test_the_first_trial_is_the_recipe_and_the_ranges_are_printed(tuned):
    cwd, _, outcome = tuned
    assert outcome.code == 0, outcome.err
    rows = read_csv(cwd / "sweeps/1/results.csv")
    assert [row["trial"] for row in rows] == ["1", "2", "3", "4"]
    assert (rows[0]["learning_rate"], rows[0]["batch_size"]) == ("0.5", "100")
    assert states(cwd / "sweeps/1/study.db") == ["COMPLETE"] * 4
    assert "learning_rate: 0.05 to 5 on a logarithmic scale\n" in outcome.err
    assert "batch_size: 50, 100, 200\n" in outcome.err
    for row in rows:
        run = load_run(cwd / "sweeps/1/runs" / row["trial"])
        assert 0.05 <= run.recipe.learning_rate <= 5
        assert run.recipe.learning_rate == float(row["learning_rate"])
        assert run.recipe.batch_size == int(row["batch_size"])
        assert run.recipe.seed == 3
        assert f"{run.result.accuracy:.6g}" == row["validation_accuracy"]


def test_the_best_recipe_is_printed_as_a_command_and_tested_once(tuned):
    cwd, words, outcome = tuned
    rows = read_csv(cwd / "sweeps/1/results.csv")
    best = max(rows, key=lambda row: float(row["validation_accuracy"]))
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("Best: ")]
    (run,) = list_runs(cwd / "runs", "softmax")
    assert run.recipe.learning_rate == float(best["learning_rate"])
    assert run.recipe.batch_size == int(best["batch_size"])
    assert outcome.out.splitlines()[-1] == f"Accuracy on test set: {run.result.test_accuracy:.6g}"
    assert run.result.test_accuracy < 0.2 < float(best["validation_accuracy"])
    pasted = shlex.split(line.removeprefix("Best: mnist-graph "))
    finished = run_main(cwd, *pasted, "--evaluate")
    assert finished.out.startswith(f"Accuracy on test set: {run.result.test_accuracy:.6g}\n")
    again = run_main(cwd, *words, "--quiet")
    assert again.code == 0, again.err
    assert again.out.splitlines()[-1] == outcome.out.splitlines()[-1]
    assert len(list(list_runs(cwd / "runs", "softmax"))) == 1


def test_the_table_has_the_best_trials_first(tuned):
    lines = tuned[2].out.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("trial  "))
    accuracies = [float(line.split()[-2]) for line in lines[head + 1 : head + 5]]
    assert accuracies == sorted(accuracies, reverse=True)


def test_a_damaged_study_is_an_error(tuned, tmp_path, misleading):
    words = (*SOFTMAX, "--data-dir", misleading, "--tune", 2, "--study")
    content = (tuned[0] / "sweeps/1/study.db").read_bytes()
    for name, damaged in (
        ("half", content[: len(content) // 2]),
        ("junk", content[:16] + b"?" * 999),
    ):
        path = tmp_path / f"{name}.db"
        path.write_bytes(damaged)
        outcome = run_main(tmp_path, *words, path)
        assert_refused(outcome, 1, f"the study {path} is damaged or cannot be written: ")


def test_what_is_no_study_is_refused(command, tmp_path, tuned):
    (tmp_path / "text.db").write_text("no database at all")
    words = (*SOFTMAX, "--tune", 2, "--study")
    refused = {
        "text.db": "it is not an SQLite file",
        ".": "it is a folder",
        "missing/study.db": "its folder does not exist",
        "x" * 300: "File name too long",
    }
    for name, fault in refused.items():
        assert_refused(command(*words, name), 2, f"--study cannot use {name}: {fault}")
    other = command(*words, tuned[0] / "sweeps/1/study.db")
    assert_refused(other, 2, "is the study of another recipe, other ranges or other data")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--tune", 3), 2, "--model is missing"),
        (("--model", "mlp", "--tune", 0), 2, "trials must be between 1 and 10000, not 0"),
        (("--model", "mlp", "--study", "a.db"), 2, "--study needs --tune"),
        (("--model", "mlp", "--tune", 3, "--seeds", 2), 2, "--seeds needs --sweep"),
        (("--model", "mlp", "--tune", 3, "--sweep", "seed=1"), 2, "cannot be used together"),
        (("--model", "reader", "--tune", 3), 2, "reader reads rows of digits"),
        (
            ("--model", "softmax", "--learning-rate", "0.1", "--batch-size", "10", "--tune", "3"),
            2,
            "every hyperparameter of softmax is fixed",
        ),
    ],
)
def test_flags_that_do_not_fit_a_search_are_refused(command, tmp_path, words, code, said):
    assert_refused(command(*words), code, said)
    assert list(tmp_path.iterdir()) == []


WITHOUT_OPTUNA = """
import sys
sys.modules["optuna"] = None
from importlib import util
found = util.find_spec
util.find_spec = lambda name: None if name == "optuna" else found(name)
from mnist_graph.cli import main
sys.exit(main(["--model", "mlp", "--tune", "3"]))
"""


def test_a_missing_optuna_is_asked_for_in_one_line():
    outcome = run_python(WITHOUT_OPTUNA)
    assert outcome == (1, "", "mnist-graph: error: --tune needs Optuna: pip install '.[tune]'\n")


@pytest.mark.slow
def test_bad_trials_are_stopped_early(tmp_path, misleading):
    """From Python. Of six rates around 0.0001, too low to learn anything, and 0.5."""
    recipe = recipes["mlp"].override(
        iterations=60, hidden=[32], batch_size=32, learning_rate=1e-3, validation_size=300
    )
    names = ("hidden", "activation", "beta1", "beta2", "keep_prob", "batch_size")
    ended = []
    found = tune(
        recipe,
        12,
        fixed=names,
        data_dir=misleading,
        sweeps_dir=tmp_path / "sweeps",
        when_ended=ended.append,
    )
    stopped = [each for each in ended if each.error == "stopped early"]
    assert stopped
    assert len(ended) == len(found.rows) == 12
    for each in stopped:
        run = load_run(each.directory)
        assert run.result is None
        assert run.checkpoint().iteration in (12, 24, 36, 48)
    finished = [each.accuracy for each in ended if each.accuracy is not None]
    assert found.accuracy == max(finished)
    assert found.is_own
    assert found.running == 0


@pytest.mark.slow
def test_an_interrupted_search_continues_with_the_same_command(tmp_path, misleading):
    words = ("--model", "softmax", "--iterations", 4000, "--validation-size", 300, "--tune", 3)
    words += ("--data-dir", misleading, "--at-a-time", 2)
    process = start_command(tmp_path, *words)
    for _ in range(600):
        if (tmp_path / "sweeps/1/runs/1/history.csv").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("mnist-graph: stopped; the same command continues\n")
    assert "RUNNING" not in states(tmp_path / "sweeps/1/study.db")
    again = run_main(tmp_path, *words)
    assert again.code == 0, again.err
    ended = [state for state in states(tmp_path / "sweeps/1/study.db") if state != "FAIL"]
    assert set(ended) <= {"COMPLETE", "PRUNED"}
    assert len(ended) == 3
    rows = read_csv(tmp_path / "sweeps/1/results.csv")
    assert any(float(row["learning_rate"]) == 0.5 for row in rows)
    assert re.search(r"^Accuracy on test set: 0\.\d+$", again.out, flags=re.MULTILINE)


@pytest.mark.slow
def test_two_processes_share_the_trials_of_a_study(tmp_path, misleading):
    words = (*SOFTMAX, "--data-dir", misleading, "--at-a-time", 1, "--tune", 6)
    folders = [tmp_path / "one", tmp_path / "other"]
    processes = []
    for folder in folders:
        folder.mkdir()
        processes.append(start_command(folder, *words, "--study", "../study.db"))
        while not (tmp_path / "study.db").exists():
            time.sleep(0.05)
        time.sleep(1)  # the second one joins
    outcomes = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    ended = [state for state in states(tmp_path / "study.db") if state in ("COMPLETE", "PRUNED")]
    assert len(ended) in (6, 7)  # both may begin the last one
    trained = [len(list((folder / "sweeps/1/runs").iterdir())) for folder in folders]
    assert sum(trained) in (6, 7)
    assert not (folders[1] / "runs").exists(), "only where the study was begun it is tested"


def test_arguments_from_python_are_checked():
    with pytest.raises(UsageError, match="trials must be a whole number"):
        tune(recipes["mlp"], 2.5)
    with pytest.raises(MnistGraphError, match="recipe must be a Recipe"):
        tune("mlp", 2)
