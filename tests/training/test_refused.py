"""Arguments that train() and resume() refuse, and what a training that fails leaves behind."""

import math

import pytest

from mnist_graph import recipes, resume, train
from mnist_graph.errors import UsageError
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Hook

SHORT = recipes["softmax"].override(iterations=30, batch_size=20)

INVALID = [
    ({"batch_size": 55_001}, {}, "batch_size is 55,001, but there are only 55,000 training"),
    ({"validation_size": 10}, {}, r"read_data_sets\(validation_size=10\)"),
    ({}, {"device": "tpu"}, "device must be one of auto, cpu, gpu, not 'tpu'"),
    ({}, {"device": None}, "device must be one of auto, cpu, gpu, not None"),
    ({}, {"log_every": 0}, "--log-every must be at least 1, not 0"),
    ({}, {"log_every": -1}, "--log-every must be at least 1, not -1"),
    ({}, {"log_every": 2.5}, "--log-every must be a whole number, not 2.5"),
    ({}, {"log_every": "5"}, "--log-every must be a whole number, not '5'"),
    ({}, {"save_every": -1.0}, "--save-every must be at least 0, not -1.0"),
    ({}, {"save_every": math.nan}, "--save-every must be at least 0, not nan"),
    ({}, {"save_every": "soon"}, "--save-every must be a number, not 'soon'"),
    ({}, {"hooks": None}, "hooks must be a list of Hooks, not None"),
    ({}, {"hooks": Hook()}, "hooks must be a list of Hooks, not <"),
    ({}, {"hooks": [print]}, "each of hooks must be a Hook, not <"),
    ({}, {"runs_dir": 5}, "runs_dir must be a path, not 5"),
]


@pytest.mark.parametrize(("changes", "options", "message"), INVALID)
def test_train_refuses_before_it_creates_the_run_directory(
    tmp_path, mnist, changes, options, message
):
    with pytest.raises(UsageError, match=message):
        train(SHORT.override(**changes), mnist, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_train_refuses_what_is_no_recipe_no_data_and_no_path(mnist, tmp_path):
    with pytest.raises(UsageError, match=r'recipe must be a Recipe such as recipes\["mlp"\], not'):
        train("mlp", mnist, tmp_path / "run")
    for data in (None, mnist.train):
        with pytest.raises(UsageError, match=r"data must be what read_data_sets\(\) returns, not"):
            train(SHORT, data, tmp_path / "run")
    for run_dir in (5, b"run", "a\0b"):
        with pytest.raises(UsageError, match="run_dir must be a path, not "):
            train(SHORT, mnist, run_dir)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device must be one of"),
        ({"iterations": 1040.5}, "iterations must be a whole number, not 1040.5"),
        ({"iterations": "2000"}, "iterations must be a whole number, not '2000'"),
        ({"log_every": 0}, "--log-every must be at least"),
        ({"save_every": math.nan}, "--save-every must be at least"),
        ({"hooks": 5}, "hooks must be a list of Hooks, not 5"),
    ],
)
def test_resume_refuses(trained, mnist, options, message):
    with pytest.raises(UsageError, match=message):
        resume(trained("softmax").directory, mnist, **options)


def test_resume_refuses_what_is_no_path_and_no_data(trained, mnist):
    with pytest.raises(UsageError, match="directory must be a path, not None"):
        resume(None, mnist)
    with pytest.raises(UsageError, match=r"data must be what read_data_sets\(\) returns, not None"):
        resume(trained("softmax").directory, None, iterations=10**6)


class FailAt(Hook):
    """Fails when training begins (at None) or after an iteration."""

    def __init__(self, iteration=None, error=TypeError):
        self.iteration, self.error = iteration, error

    def begin(self, training):
        if self.iteration is None:
            raise self.error("failed")

    def after_iteration(self, iteration):
        if iteration == self.iteration:
            raise self.error("failed")


@pytest.mark.parametrize("error", [TypeError, KeyboardInterrupt])
def test_training_that_ends_before_it_begins_leaves_no_directory(tmp_path, mnist, error):
    with pytest.raises(error, match="failed"):
        train(SHORT, mnist, tmp_path / "run", hooks=[FailAt(error=error)])
    assert not (tmp_path / "run").exists()


def test_training_that_fails_later_leaves_its_history(tmp_path, mnist, monkeypatch):
    monkeypatch.setattr("mnist_graph.training.pace.MAX_CALL_SECONDS", 0)
    with pytest.raises(TypeError, match="failed"):
        train(SHORT, mnist, tmp_path / "run", hooks=[FailAt(5)])
    assert [row.iteration for row in load_run(tmp_path / "run").history] == [0]
