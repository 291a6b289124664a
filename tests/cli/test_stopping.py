"""Ctrl-C and SIGTERM, and `--resume`."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Outcome, assert_refused, printed, run_main, same_variables, start_command

from mnist_graph.cli.hooks import StopOnSignal
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Stop

WORDS = ("--model", "mlp", "--iterations", "240", "--hidden", "200,100", "--log-every", "20")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The output and the run of an uninterrupted training."""
    cwd = tmp_path_factory.mktemp("uninterrupted")
    return run_main(cwd, *WORDS), cwd / "runs" / "mlp" / "1"


def stop(cwd, sent, *words):
    """Start training and send it a signal after its second line."""
    process = start_command(cwd, *words)
    first = process.stdout.readline() + process.stdout.readline()
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, first + out, err)


@pytest.mark.slow
def test_a_second_ctrl_c_exits_at_once_and_the_run_can_be_resumed(tmp_path, uninterrupted):
    process = start_command(tmp_path, *WORDS, "--save-every", "0", "--run-dir", "run")
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert first.startswith("Iteration 0")
    assert process.returncode in (130, -signal.SIGINT)
    outcome = run_main(tmp_path, *WORDS, "--resume", "--run-dir", "run", "--quiet")
    assert outcome.code == 0, outcome.err
    assert same_variables(tmp_path / "run", uninterrupted[1])


def run_in_shell(cwd, line):
    """Run a printed command line in a shell in which `python` is this interpreter."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        line, shell=True, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("sent", "code", "where"),
    [
        (signal.SIGINT, 130, ("--run-dir", "my run")),
        pytest.param(signal.SIGTERM, 143, (), marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, (), marks=pytest.mark.slow),
    ],
)
def test_the_printed_command_resumes_the_run_bit_for_bit(
    tmp_path, uninterrupted, sent, code, where
):
    stopped = stop(tmp_path, sent, *WORDS, *where)
    assert stopped.code == code
    assert "Accuracy on test set" not in stopped.out
    assert "Traceback" not in stopped.err
    last = stopped.err.splitlines()[-1]
    directory = tmp_path / (where[1] if where else "runs/mlp/1")
    run = load_run(directory)
    assert run.result is None
    said = f"mnist-graph: stopped after iteration {run.checkpoint().iteration - 1}; resume with: "
    assert last.startswith(said)
    resumed = run_in_shell(tmp_path, last.removeprefix(said))
    assert resumed.returncode == 0, resumed.stderr
    outcome, whole = uninterrupted
    assert stopped.out + resumed.stdout == outcome.out
    assert (directory / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    assert same_variables(directory, whole)


def test_a_signal_that_the_shell_ignores_stays_ignored():
    """As nohup does SIGHUP, and a script SIGINT in what it starts in the background."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    hook = StopOnSignal()
    hook.begin(None)
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        hook.pulse()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stop):
            hook.pulse()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        for number, handler in {**hook.handlers, signal.SIGHUP: before}.items():
            signal.signal(number, handler)


@pytest.fixture
def unfinished(command, tmp_path):
    """A run that was killed before it wrote its result."""
    command("--model", "softmax", "--iterations", 20, "--batch-size", 60, "--log-every", 8)
    directory = tmp_path / "runs" / "softmax" / "1"
    (directory / "result.json").unlink()
    return directory


def test_resume_continues_the_newest_unfinished_run(command, unfinished, tmp_path):
    command("--model", "softmax", "--iterations", 3)
    outcome = command("--model", "softmax", "--resume")
    assert outcome.code == 0
    assert outcome.err.startswith("mnist-graph: resuming runs/softmax/1 on the ")
    assert load_run(unfinished).result is not None


def test_resume_chooses_the_unfinished_run_with_the_given_hyperparameters(command, tmp_path):
    for seed in (3, 4, 5):
        command("--model", "softmax", "--iterations", 3, "--seed", seed)
        (tmp_path / "runs" / "softmax" / str(seed - 2) / "result.json").unlink()
    assert command("--model", "softmax", "--resume", "--seed", 3, "--iterations", 4).code == 0
    assert load_run(tmp_path / "runs" / "softmax" / "1").result is not None
    no_effect = command("--model", "softmax", "--resume", "--set", "beta1=0.8")
    assert_refused(no_effect, 2, "beta1 has no effect unless optimizer is adam")
    outcome = command("--model", "softmax", "--resume", "--seed", 9)
    assert_refused(outcome, 2, "in runs/softmax/3 seed is 5, not 9")


def test_resume_without_an_unfinished_run_is_refused(command):
    said = "there is no unfinished run of softmax in runs/"
    assert_refused(command("--model", "softmax", "--resume"), 1, said)
    command("--model", "softmax", "--iterations", 3)
    assert_refused(command("--model", "softmax", "--resume"), 1, said)


@pytest.mark.parametrize("where", [(), ("--run-dir", "runs/softmax/1")])
def test_resume_refuses_other_hyperparameters(command, unfinished, where):
    words = ("--model", "softmax", "--resume", "--batch-size", 61, "--seed", 4)
    outcome = command(*words, *where)
    assert_refused(outcome, 2, "batch_size is 60, not 61; seed is 0, not 4")
    assert load_run(unfinished).result is None


def test_resume_accepts_the_same_hyperparameters(command, unfinished):
    words = ("--model", "softmax", "--resume", "--batch-size", 60, "--iterations", 20)
    assert command(*words).code == 0
    assert load_run(unfinished).result is not None


def test_resume_with_more_iterations_lengthens_the_run(command, unfinished):
    finish = command("--model", "softmax", "--resume")
    assert finish.code == 0
    outcome = command("--model", "softmax", "--resume", "--run-dir", unfinished, "--iterations", 30)
    assert outcome.code == 0, outcome.err
    assert load_run(unfinished).recipe.iterations == 30
    fewer = command("--model", "softmax", "--resume", "--run-dir", unfinished, "--iterations", 29)
    assert_refused(fewer, 2, "iterations is 30, not 29")


def test_resume_reports_a_damaged_checkpoint_and_uses_the_previous_one(command, tmp_path):
    words = ("--model", "softmax", "--iterations", 9, "--save-every", 0, "--run-dir", "mine")
    assert command(*words).code == 0
    (tmp_path / "mine" / "result.json").unlink()
    os.truncate(tmp_path / "mine" / "checkpoint-9" / "model.index", 10)
    outcome = command("--model", "softmax", "--resume", "--run-dir", "mine")
    assert outcome.code == 0
    notes = [line for line in outcome.err.splitlines() if "checkpoint-9" in line]
    assert notes
    for note in notes:
        assert note.startswith(
            "mnist-graph: mine/checkpoint-9 is damaged (model.index has changed "
        )
        assert note.endswith("; using checkpoint-8 instead")


def test_resume_refuses_a_run_of_another_model(command, unfinished):
    outcome = command("--model", "mlp", "--resume", "--run-dir", unfinished)
    assert_refused(outcome, 2, "is a run of softmax, not of mlp")


def test_resume_of_a_finished_run_only_prints_its_result(trained):
    run = trained("softmax")
    words = ("--model", "softmax", "--resume", "--run-dir", run.directory)
    outcome = run_main(run.cwd, *words)
    assert outcome.code == 0
    assert outcome.out == run.outcome.out.splitlines(keepends=True)[-1]
    assert printed(outcome.out) == []


@pytest.mark.slow
def test_the_printed_command_repeats_the_flags_that_resuming_needs(tmp_path):
    words = ("--device", "cpu", "--log-every", "1", "--model", "softmax", "--iterations", "3000")
    stopped = stop(tmp_path, signal.SIGINT, *words, "--run-dir", "it's mine")
    found = shlex.split(stopped.err.splitlines()[-1].split("resume with: ")[1])
    assert found[0] == "python"
    assert Path(found[1]).name == "main.py"
    assert found[2:] == [
        *("--model", "softmax", "--resume", "--run-dir", "it's mine"),
        *("--device", "cpu", "--log-every", "1"),
    ]


def test_the_signal_handlers_are_restored_after_training(command):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert command("--model", "softmax", "--iterations", 2).code == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
