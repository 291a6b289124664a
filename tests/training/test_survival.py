"""What a run survives: kills, a full disk, another process, an infinite loss."""

import random
import re
import signal
import subprocess
import time

import pytest
from helpers import StopAt, assert_refused, run_main, run_python, same_variables, start_command

from mnist_graph import MnistGraphError, recipes, resume, train
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Hook, Stop

KILLED = ("--model", "mlp", "--hidden", "64,32", "--iterations", "600", "--log-every", "50")
"""A small network, since a checkpoint is saved after every iteration."""


@pytest.mark.slow
def test_run_killed_ten_times_equals_the_uninterrupted_run(tmp_path):
    """Most kills interrupt the writing of a checkpoint."""
    start_up = measure_start_up(tmp_path, "whole")
    kills, runs = 0, 0
    while kills < 10:
        name = f"killed{runs}"
        kills += train_with_kills(tmp_path, name, 10 - kills, random.Random(runs), start_up)
        assert same_files(tmp_path / name, tmp_path / "whole"), f"run {runs}, {kills} kills"
        assert same_variables(tmp_path / name, tmp_path / "whole")
        runs += 1


def start_or_resume(cwd, name):
    resuming = ["--resume"] if (cwd / name / "recipe.json").exists() else []
    return start_command(cwd, *KILLED, "--save-every", "0", "--run-dir", name, *resuming)


def measure_start_up(cwd, name):
    """Train a run without interruption; return the seconds until its first line of output."""
    start = time.perf_counter()
    process = start_or_resume(cwd, name)
    process.stdout.readline()
    seconds = time.perf_counter() - start
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return seconds


def train_with_kills(cwd, name, kills, moments, start_up):
    """Train a run, killing and resuming it up to `kills` times, each at a random moment.

    Returns the number of kills, which is lower if the run finishes early.
    """
    killed = 0
    while True:
        process = start_or_resume(cwd, name)
        try:
            timeout = moments.uniform(0, start_up + 1) if killed < kills else None
            _, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
            continue
        assert process.returncode == 0, errors
        return killed


def same_files(one, other):
    """Return whether two finished runs have the same history and the same last checkpoint."""
    last = f"checkpoint-{load_run(other).recipe.iterations}"
    names = ("history.csv", f"{last}/model.index", f"{last}/model.data-00000-of-00001")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


LOCKED = ("--model", "mlp", "--hidden", "30", "--iterations", "2000", "--run-dir", "mine")


def test_run_is_locked_until_its_process_ends(tmp_path):
    first = start_command(tmp_path, *LOCKED, "--save-every", "0.2")
    try:
        first.stdout.readline()
        first.send_signal(signal.SIGSTOP)
        outcome = run_main(tmp_path, *LOCKED, "--resume")
        assert_refused(outcome, 1, "mine is being trained by another process")
        first.send_signal(signal.SIGCONT)
        first.stdout.readline()
    finally:
        first.kill()
        first.communicate()
    assert load_run(tmp_path / "mine").result is None
    outcome = run_main(tmp_path, *LOCKED, "--resume", "--quiet")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Accuracy on test set: 0.8")


FULL_DISK = """
import resource, warnings
from mnist_graph import read_data_sets, recipes, train
from mnist_graph.training.hooks import Hook

class FillDisk(Hook):
    def after_iteration(self, iteration):
        limit = {{10: 4096, 20: resource.RLIM_INFINITY}}.get(iteration)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

warnings.simplefilter("always")
recipe = recipes["mlp"].override(hidden=(30,), iterations=30, batch_size=20)
train(recipe, read_data_sets(), {run!r}, save_every=0, log_every=1, hooks=[FillDisk()])
"""
"""From iteration 10 to 20, a limit on the size of files has the effect of a full disk."""


@pytest.mark.slow
def test_temporarily_full_disk_loses_nothing(tmp_path, mnist):
    outcome = run_python(FULL_DISK.format(run=str(tmp_path / "run")))
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("MnistGraphWarning: cannot write to") == 11
    assert outcome.err.count("TensorBoard will not show the rest") == 1
    assert "trying again in 0 seconds" in outcome.err
    recipe = recipes["mlp"].override(hidden=(30,), iterations=30, batch_size=20)
    whole = train(recipe, mnist, tmp_path / "whole", log_every=1)
    assert load_run(tmp_path / "run").history == whole.history
    assert same_variables(tmp_path / "run", whole.directory)


@pytest.mark.parametrize(
    ("save_every", "schedule"),
    [(0, {}), (60, {"schedule": "one-cycle", "warmup": 0.1})],
    ids=["constant", "one-cycle"],
)
def test_infinite_loss_stops_training_and_keeps_the_last_checkpoint(
    tmp_path, mnist, save_every, schedule
):
    recipe = recipes["mlp5-relu"].override(
        optimizer="gradient-descent",
        learning_rate=40.0,
        iterations=200,
        validation_size=5000,
        **schedule,
    )
    calls = []

    class RecordCalls(Hook):
        def after_iteration(self, iteration):
            calls.append(iteration)

    message = r"the loss is (?:nan|inf) at iteration (\d), at a learning rate of (.*): try a lower"
    with pytest.raises(MnistGraphError, match=message) as refused:
        train(recipe, mnist, tmp_path / "run", save_every=save_every, hooks=[RecordCalls()])
    iteration, rate = map(float, re.search(message, str(refused.value)).groups())
    share = 0.1 + 0.9 * iteration / 20 if schedule else 1
    assert rate == pytest.approx(40 * share, rel=0.005)
    run = load_run(tmp_path / "run")
    assert run.result is None
    assert 1 <= len(calls) < 9
    assert save_every or 1 <= run.checkpoint().iteration <= len(calls)


RESUMED = [
    ("cnn", {"precision": "float32"}),
    ("cnn", {"precision": "auto"}),
    ("mlp5-relu-dropout", {}),
    ("conv3-batchnorm", {}),
    ("cnn-fast", {}),
    ("cnn-best", {"batch_size": 8}),
]
"""Recipes and changes that have, between them, everything a checkpoint must restore: the
optimizer's slots, moving averages, dropout, schedules, augmentation.
"""


@pytest.mark.slow
@pytest.mark.parametrize(("model", "changes"), RESUMED)
def test_every_kind_of_run_is_resumed_bit_for_bit(tmp_path, mnist, model, changes):
    recipe = recipes[model].override(iterations=9, validation_size=5000)
    recipe = recipe.override(**{"batch_size": 20, **changes})
    few = mnist._replace(test=mnist.validation)
    whole = train(recipe, few, tmp_path / "whole", log_every=1)
    again = train(recipe, few, tmp_path / "again", log_every=1)
    with pytest.raises(Stop):
        train(recipe, few, tmp_path / "run", log_every=1, hooks=[StopAt(4)])
    run = resume(tmp_path / "run", few, log_every=1)
    for other in (again, run):
        assert other.history == whole.history
        assert same_variables(other.directory, whole.directory)
        assert other.result.test_accuracy == whole.result.test_accuracy


@pytest.mark.slow
def test_simultaneous_runs_get_their_own_directories(tmp_path):
    words = ("--model", "softmax", "--iterations", "300", "--quiet")
    processes = [start_command(tmp_path, *words) for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=60) == 0
        process.communicate()
    runs = sorted((tmp_path / "runs" / "softmax").iterdir())
    assert [path.name for path in runs] == ["1", "2"]
    assert same_variables(*runs)
