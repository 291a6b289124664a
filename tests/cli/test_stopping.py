"""Ctrl-C and SIGTERM, and how a training goes on afterwards."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import assert_refused, printed, run_main, same_variables, start_command

from mnist_graph.runs.find import load_run

WORDS = ("--model", "mlp", "--iterations", "240", "--hidden", "200,100", "--log-every", "20")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    cwd = tmp_path_factory.mktemp("uninterrupted")
    return run_main(cwd, *WORDS), cwd / "runs" / "mlp" / "1"


def stop(cwd, sent, *words):
    """Start a training, send it a signal behind its second line; its exit and output."""
    process = start_command(cwd, *words)
    begun = process.stdout.readline() + process.stdout.readline()
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    return process.returncode, begun + out, err


def test_a_second_ctrl_c_leaves_at_once_and_breaks_nothing(tmp_path, uninterrupted):
    process = start_command(tmp_path, *WORDS, "--save-every", "0", "--run-dir", "run")
    begun = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert begun.startswith("Iteration 0")
    assert process.returncode in (130, -signal.SIGINT)
    outcome = run_main(tmp_path, *WORDS, "--resume", "--run-dir", "run", "--quiet")
    assert outcome.code == 0, outcome.err
    assert same_variables(tmp_path / "run", uninterrupted[1])


def run_as_printed(cwd, line):
    """What a shell does with a line that was printed; `python` is the one that runs now."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        line, shell=True, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("sent", "code", "where"),
    [(signal.SIGINT, 130, ()), (signal.SIGTERM, 143, ("--run-dir", "my run"))],
)
def test_a_stopped_training_goes_on_as_printed_and_ends_as_the_unstopped_one(
    tmp_path, uninterrupted, sent, code, where
):
    stopped, out, err = stop(tmp_path, sent, *WORDS, *where)
    assert stopped == code
    assert "Accuracy on test set" not in out
    last = err.splitlines()[-1]
    assert last.startswith("mnist-graph: stopped after iteration ")
    assert "Traceback" not in err
    directory = tmp_path / (where[1] if where else "runs/mlp/1")
    run = load_run(directory)
    assert run.result is None
    assert f"after iteration {run.checkpoint().iteration - 1};" in last
    resumed = run_as_printed(tmp_path, last.split("go on with: ")[1])
    assert resumed.returncode == 0, resumed.stderr
    outcome, whole = uninterrupted
    assert out + resumed.stdout == outcome.out
    assert (directory / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    assert same_variables(directory, whole)


@pytest.fixture
def unfinished(command, tmp_path):
    """A run that was killed: its last words are missing."""
    command("--model", "softmax", "--iterations", 20, "--batch-size", 60, "--log-every", 8)
    directory = tmp_path / "runs" / "softmax" / "1"
    (directory / "result.json").unlink()
    return directory


def test_resume_takes_the_newest_unfinished_run(command, unfinished, tmp_path):
    command("--model", "softmax", "--iterations", 3)
    outcome = command("--model", "softmax", "--resume")
    assert outcome.code == 0
    assert outcome.err.splitlines()[0] == "mnist-graph: going on with runs/softmax/1"
    assert load_run(unfinished).result is not None


def test_resume_without_an_unfinished_run_is_refused(command):
    said = "there is no unfinished run of softmax under runs/"
    assert_refused(command("--model", "softmax", "--resume"), 1, said)
    command("--model", "softmax", "--iterations", 3)
    assert_refused(command("--model", "softmax", "--resume"), 1, said)


@pytest.mark.parametrize("where", [(), ("--run-dir", "runs/softmax/1")])
def test_resume_with_a_differing_flag_is_refused_with_the_difference(command, unfinished, where):
    words = ("--model", "softmax", "--resume", "--batch-size", 61, "--seed", 4)
    outcome = command(*words, *where)
    assert_refused(outcome, 2, "batch_size is 60, not 61; seed is 0, not 4")
    assert load_run(unfinished).result is None


def test_resume_with_the_same_flags_goes_on(command, unfinished):
    words = ("--model", "softmax", "--resume", "--batch-size", 60, "--iterations", 20)
    assert command(*words).code == 0
    assert load_run(unfinished).result is not None


def test_resume_with_more_iterations_makes_the_run_longer(command, unfinished):
    finish = command("--model", "softmax", "--resume")
    assert finish.code == 0
    outcome = command("--model", "softmax", "--resume", "--run-dir", unfinished, "--iterations", 30)
    assert outcome.code == 0, outcome.err
    assert load_run(unfinished).recipe.iterations == 30
    fewer = command("--model", "softmax", "--resume", "--run-dir", unfinished, "--iterations", 29)
    assert_refused(fewer, 2, "iterations is 30, not 29")


def test_a_damaged_checkpoint_is_a_note_and_the_one_before_is_used(command, tmp_path):
    words = ("--model", "softmax", "--iterations", 9, "--save-every", 0, "--run-dir", "mine")
    assert command(*words).code == 0
    (tmp_path / "mine" / "result.json").unlink()
    os.truncate(tmp_path / "mine" / "checkpoint-9" / "model.index", 10)
    outcome = command("--model", "softmax", "--resume", "--run-dir", "mine")
    assert outcome.code == 0
    note = "mnist-graph: mine/checkpoint-9 is damaged (model.index is not what was written); using"
    assert [line for line in outcome.err.splitlines() if line.startswith(note)]


@pytest.mark.parametrize("words", [("--save-every", "-1"), ("--save-every", "nan")])
def test_seconds_that_cannot_be_are_refused(command, words):
    assert_refused(command("--model", "softmax", *words), 2, "--save-every must be at least 0")


def test_resume_of_another_model_is_refused(command, unfinished):
    outcome = command("--model", "mlp", "--resume", "--run-dir", unfinished)
    assert_refused(outcome, 2, "is a run of softmax, not of mlp")


def test_resume_of_a_finished_run_prints_its_result_and_trains_nothing(trained):
    run = trained("softmax")
    words = ("--model", "softmax", "--resume", "--run-dir", run.directory)
    outcome = run_main(run.cwd, *words)
    assert outcome.code == 0
    assert outcome.out == run.outcome.out.splitlines(keepends=True)[-1]
    assert printed(outcome.out) == []


def test_the_resume_command_repeats_what_is_needed(tmp_path):
    """Stopped at once, by a signal of its own, with every flag that matters."""
    words = ("--device", "cpu", "--log-every", "1", "--model", "softmax", "--iterations", "3000")
    _, _, err = stop(tmp_path, signal.SIGINT, *words, "--run-dir", "it's mine")
    found = shlex.split(err.splitlines()[-1].split("go on with: ")[1])
    assert found[0] == "python"
    assert Path(found[1]).name == "main.py"
    assert found[2:] == [
        *("--model", "softmax", "--resume", "--run-dir", "it's mine"),
        *("--device", "cpu", "--log-every", "1"),
    ]


def test_the_signals_are_their_hosts_again_behind_a_training(command):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert command("--model", "softmax", "--iterations", 2).code == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
