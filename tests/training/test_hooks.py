"""The calls that a hook gets, and what a failing one leaves behind."""

import io
import signal
import time

import pytest

from mnist_graph import recipes, train
from mnist_graph.cli.hooks import ProgressBar, StopOnSignal
from mnist_graph.training.hooks import Hook, TimeBudget

RECIPE = recipes["softmax"].override(iterations=5)


class HookError(Exception):
    """Raised by the hooks of these tests."""


class Recorder(Hook):
    """Records the calls of `begin` and `end` in a list that hooks share; fails on request."""

    def __init__(self, name, calls, fails_in=None):
        self.name, self.calls, self.fails_in = name, calls, fails_in

    def begin(self, training):
        self.record("begin")

    def after_iteration(self, iteration):
        if self.fails_in == "after_iteration":
            raise HookError(self.name)

    def end(self):
        self.record("end")

    def record(self, call):
        self.calls.append(f"{call} {self.name}")
        if self.fails_in == call:
            raise HookError(self.name)


@pytest.mark.parametrize(
    ("fails_in", "calls"),
    [
        (None, ["begin a", "begin b", "begin c", "end c", "end b", "end a"]),
        ("begin", ["begin a", "begin b", "end a"]),
        ("after_iteration", ["begin a", "begin b", "begin c", "end c", "end b", "end a"]),
        ("end", ["begin a", "begin b", "begin c", "end c", "end b", "end a"]),
    ],
    ids=["no failure", "begin fails", "after_iteration fails", "end fails"],
)
def test_end_is_called_for_exactly_the_hooks_that_have_begun(tmp_path, mnist, fails_in, calls):
    recorded = []
    hooks = [Recorder(n, recorded, fails_in if n == "b" else None) for n in ("a", "b", "c")]
    if fails_in is None:
        train(RECIPE, mnist, tmp_path / "run", hooks=hooks)
    else:
        with pytest.raises(HookError, match=r"^b$"):
            train(RECIPE, mnist, tmp_path / "run", hooks=hooks)
        assert not (tmp_path / "run" / "result.json").exists()
    assert recorded == calls


class Terminal(io.StringIO):
    """Standard error of a terminal."""

    def isatty(self):
        return True


class FailAtBegin(Hook):
    """Fails in `begin`; first records what the hooks before it have set up."""

    def __init__(self, bar):
        self.bar = bar

    def begin(self, training):
        self.handlers = [signal.getsignal(number) for number in StopOnSignal.SIGNALS]
        self.bar_was_shown = not self.bar.bar.disable
        raise HookError


def test_failing_begin_leaves_no_signal_handler_and_no_progress_bar(tmp_path, mnist, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    before = [signal.getsignal(number) for number in StopOnSignal.SIGNALS]
    bar = ProgressBar()
    failing = FailAtBegin(bar)
    with pytest.raises(HookError):
        train(RECIPE, mnist, tmp_path / "run", hooks=[StopOnSignal(), bar, failing])
    assert all(during != old for during, old in zip(failing.handlers, before, strict=True))
    assert [signal.getsignal(number) for number in StopOnSignal.SIGNALS] == before
    assert failing.bar_was_shown
    assert bar.bar.disable, "closed"


def test_time_budget_is_due_again_after_its_share_of_the_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    budget = TimeBudget(0.1)
    assert budget.due
    budget.took(2.0)
    now += 17.9
    assert not budget.due
    now += 0.2
    assert budget.due


def test_time_budget_measures_a_task(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    budget = TimeBudget(0.1)
    with budget.measured():
        now += 2.0
    assert not budget.due
    now += 18.1
    assert budget.due
