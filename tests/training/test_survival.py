"""What a run lives through: kills, a full disk, another process, a loss that is no number."""

import random
import re
import signal
import subprocess
import sys

import pytest
from helpers import ROOT, StopAt, assert_refused, run_main, same_variables, start_command

from benchmarks.survive import kill_and_go_on, let_be, same_end
from mnist_graph import MnistGraphError, recipes, resume, train
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Hook, Stop


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_as_one_that_was_let_be(tmp_path):
    start_up = let_be(tmp_path / "whole")
    kills, runs = 0, 0
    while kills < 20:
        run = tmp_path / f"killed{runs}"
        kills += kill_and_go_on(run, 20 - kills, random.Random(runs), start_up)
        assert same_end(run, tmp_path / "whole"), f"run {runs}, {kills} kills"
        assert same_variables(run, tmp_path / "whole")
        runs += 1


WORDS = ("--model", "mlp", "--hidden", "30", "--iterations", "2000", "--run-dir", "mine")


def test_a_run_has_one_trainer_and_a_dead_one_is_none(tmp_path):
    first = start_command(tmp_path, *WORDS, "--save-every", "0.2")
    try:
        first.stdout.readline()
        first.send_signal(signal.SIGSTOP)
        outcome = run_main(tmp_path, *WORDS, "--resume")
        assert_refused(outcome, 1, "mine is being trained by another process")
        first.send_signal(signal.SIGCONT)
        first.stdout.readline()
    finally:
        first.kill()
        first.communicate()
    assert load_run(tmp_path / "mine").result is None
    outcome = run_main(tmp_path, *WORDS, "--resume", "--quiet")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Accuracy on test set: 0.8")


ON_A_FULL_DISK = """
import resource, sys, warnings
from mnist_graph import read_data_sets, recipes, train
from mnist_graph.training.hooks import Hook

class Fill(Hook):
    def after_iteration(self, iteration):
        most = {10: 4096, 20: resource.RLIM_INFINITY}.get(iteration)
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

warnings.simplefilter("always")
recipe = recipes["mlp"].override(hidden=(30,), iterations=30, batch_size=20)
train(recipe, read_data_sets(), sys.argv[1], save_every=0, log_every=1, hooks=[Fill()])
"""


def test_a_disk_that_is_full_for_a_while_costs_nothing(tmp_path, mnist):
    """A limit on the size of files stands for it: to TensorFlow's writer it is as good."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, tmp_path / "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("MnistGraphWarning: cannot write to") == 11
    assert done.stderr.count("TensorBoard will not see the rest") == 1
    assert "trying again in 0 seconds" in done.stderr
    recipe = recipes["mlp"].override(hidden=(30,), iterations=30, batch_size=20)
    whole = train(recipe, mnist, tmp_path / "whole", log_every=1)
    assert load_run(tmp_path / "run").history == whole.history
    assert same_variables(tmp_path / "run", whole.directory)


@pytest.mark.parametrize(("save_every", "schedule"), [(0, "constant"), (60, "one-cycle")])
def test_a_loss_that_is_no_number_stops_at_once_and_the_checkpoint_before_stays(
    tmp_path, mnist, save_every, schedule
):
    recipe = recipes["mlp5-relu"].override(
        optimizer="gradient-descent",
        learning_rate=40.0,
        schedule=schedule,
        warmup=0.1,
        iterations=200,
        validation_size=5000,
    )
    told = []

    class Tell(Hook):
        def after_iteration(self, iteration):
            told.append(iteration)

    says = r"the loss is (?:nan|inf) at iteration (\d), at a learning rate of (.*): try a lower"
    with pytest.raises(MnistGraphError, match=says) as refused:
        train(recipe, mnist, tmp_path / "run", save_every=save_every, hooks=[Tell()])
    iteration, rate = map(float, re.search(says, str(refused.value)).groups())
    share = 1 if schedule == "constant" else 0.1 + 0.9 * iteration / 20
    assert rate == pytest.approx(40 * share, rel=0.005)
    run = load_run(tmp_path / "run")
    assert run.result is None
    assert 1 <= len(told) < 9
    assert save_every or 1 <= run.checkpoint().iteration <= len(told)


KINDS = {
    "cnn": {},
    "cnn in bfloat16 where it is native": {"precision": "auto"},
    "mlp5-relu-dropout": {},
    "conv3-batchnorm": {},
    "cnn-fast": {},
    "cnn-best": {"batch_size": 16},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_training_goes_on_bit_for_bit(tmp_path, mnist, name):
    """Slots of the optimiser, moving averages, dropout, schedules and augmentation."""
    recipe = recipes[name.split()[0]].override(iterations=9, validation_size=5000)
    recipe = recipe.override(**{"batch_size": 20, **KINDS[name]})
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


def test_two_that_begin_at_once_get_two_directories(tmp_path):
    words = ("--model", "softmax", "--iterations", "300", "--quiet")
    both = [start_command(tmp_path, *words) for _ in range(2)]
    for process in both:
        assert process.wait(timeout=60) == 0
        process.communicate()
    assert sorted(path.name for path in (tmp_path / "runs" / "softmax").iterdir()) == ["1", "2"]
    assert same_variables(*(tmp_path / "runs" / "softmax").iterdir())
