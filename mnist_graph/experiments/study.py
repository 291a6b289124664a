"""Optuna's study of a search, in an SQLite file that several machines can share.

Trials count from 1, as their run directories do; Optuna counts from 0.
"""

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.experiments.knobs import Values, as_text
from mnist_graph.graph.ranges import Range
from mnist_graph.runs.files import find_output_fault

if TYPE_CHECKING:
    import optuna

INSTALL = "pip install '.[tune]'"
NAME = "mnist_graph"
WAIT_SECONDS = 60
"""How long to wait for another process that writes to the file."""
HEADER = b"SQLite format 3\0"
DIGITS = 4
"""Significant digits of the values that are tried."""
FIRST_TRIALS = 5
"""How many trials are trained to their end before any is stopped early."""


def require_optuna() -> None:
    """Raise MnistGraphError if Optuna is not installed."""
    if find_spec("optuna") is None:
        raise MnistGraphError(f"--tune needs Optuna: {INSTALL}")


def check_study_file(path: Path) -> None:
    """Raise UsageError if `path` cannot be a study: it cannot be written, or is another file."""
    try:
        fault = find_output_fault(path)
        if fault is None and any(character in str(path) for character in "?{}"):
            fault = "its name has a character that Optuna does not take: ? { }"
        if fault is None and path.exists():
            with path.open("rb") as file:
                if file.read(len(HEADER)) not in (b"", HEADER):
                    fault = "it is not an SQLite file"
    except OSError as error:  # e.g. a name that is too long
        fault = str(error.strerror)
    if fault is not None:
        raise UsageError(f"--study cannot use {path}: {fault}")


@contextmanager
def study_errors(path: Path) -> Iterator[None]:
    """Report what goes wrong with the study in the file `path` as one line."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (OptunaError, SQLAlchemyError, sqlite3.Error, ValueError, KeyError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise MnistGraphError(
            f"the study {path} is damaged or cannot be written: {lines[0]:.200}"
        ) from error


class Study:
    """The trials of a search, of which this process is one of those that train them.

    Raises UsageError if the file is a study of something else than `description`, and
    MnistGraphError, as every method does, if it is damaged or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        folder: Path,
        ranges: dict[str, Range],
        description: dict[str, Any],
        own_values: Values,
        seed: int,
    ) -> None:
        self.path, self.ranges = path, ranges
        self.place = f"{socket.gethostname()}:{folder.resolve()}"
        """Names this process's folder among those of all machines."""
        with study_errors(path):
            self._open(json.loads(json.dumps(description)), own_values, seed)

    def _open(self, description: Any, own_values: Values, seed: int) -> None:
        import optuna

        storage = optuna.storages.RDBStorage(
            f"sqlite:///{self.path}",
            engine_kwargs={"connect_args": {"timeout": WAIT_SECONDS}},
        )
        self._study = optuna.create_study(
            storage=storage, study_name=NAME, direction="maximize", load_if_exists=True
        )
        found = self._study.user_attrs.get("search")
        if found is None:
            self._study.set_user_attr("search", description)
            self._study.set_user_attr("owner", self.place)
            # The first trial is the recipe itself.
            self._study.enqueue_trial(self._as_parameters(own_values))
        elif found != description:
            raise UsageError(
                f"{self.path} is the study of another recipe, other ranges or other data; choose "
                "another --study"
            )
        # Another seed each time, or a study that is continued would repeat its first values.
        self._study.sampler = optuna.samplers.TPESampler(seed=seed + len(self._study.trials))
        self._study.pruner = optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS)
        self.requeue()

    def _as_parameters(self, values: Values) -> dict[str, Any]:
        return {n: as_text(v) if self.ranges[n].choices else v for n, v in values.items()}

    @property
    def is_own(self) -> bool:
        """Whether the study was begun in this process's folder."""
        return self._study.user_attrs.get("owner") == self.place

    def requeue(self) -> None:
        """Let trials that this folder has begun and not ended be trained again: they were
        interrupted.
        """
        import optuna

        state = optuna.trial.TrialState
        with study_errors(self.path):
            for trial in self._study.get_trials(states=[state.RUNNING]):
                if trial.user_attrs.get("place") == self.place:
                    attributes = {"place": self.place, "run": _run_number(trial)}
                    self._study.enqueue_trial(trial.params, user_attrs=attributes)
                    self._study.tell(trial.number, state=state.FAIL)

    def ask(self) -> tuple["optuna.Trial", int, Values]:
        """Begin a trial: return it, the number of its run directory, and its values."""
        with study_errors(self.path):
            trial = self._study.ask()
            attributes = trial.user_attrs
            is_mine = attributes.get("place") == self.place
            number = attributes["run"] if is_mine else trial.number + 1
            trial.set_user_attr("place", self.place)
            trial.set_user_attr("run", number)
            return trial, number, self._suggest(trial)

    def _suggest(self, trial: "optuna.Trial") -> Values:
        values: Values = {}
        for name, searched in self.ranges.items():
            if searched.choices:
                texts = [as_text(choice) for choice in searched.choices]
                chosen = trial.suggest_categorical(name, texts)
                values[name] = searched.choices[texts.index(chosen)]
            else:
                low, high = searched.low, searched.high
                values[name] = _round(trial.suggest_float(name, low, high, log=searched.log))
        return values

    def report(self, trial: "optuna.Trial", accuracy: float, step: int) -> bool:
        """Record the accuracy that a trial has after `step`; return whether it is worth more."""
        with study_errors(self.path):
            trial.report(accuracy, step)
            return not trial.should_prune()

    def end(
        self, trial: "optuna.Trial", accuracy: float | None, seconds: float | None, note: str | None
    ) -> None:
        """Record how a trial ended: with an accuracy, or with a note that says why it has none."""
        import optuna

        with study_errors(self.path):
            trial.set_user_attr("seconds", seconds)
            trial.set_user_attr("note", note)
            state = optuna.trial.TrialState.PRUNED if accuracy is None else None
            self._study.tell(trial, accuracy, state=state)

    def count(self) -> tuple[int, int]:
        """Return how many trials have ended, and how many are being trained, here or elsewhere."""
        with study_errors(self.path):
            states = [trial.state.name for trial in self._study.trials]
        return states.count("COMPLETE") + states.count("PRUNED"), states.count("RUNNING")

    def rows(self) -> list[tuple[int, Values, float | None, float | None, str]]:
        """Return every trial that has ended, on any machine: its number, values, accuracy, seconds
        and note.
        """
        rows = []
        with study_errors(self.path):
            for trial in self._study.trials:
                if trial.state.name in ("COMPLETE", "PRUNED"):
                    noted = trial.user_attrs
                    seconds, note = noted.get("seconds"), noted.get("note") or ""
                    accuracy = trial.value if trial.state.name == "COMPLETE" else None
                    rows.append((trial.number + 1, self._values(trial), accuracy, seconds, note))
        return rows

    def _values(self, trial: "optuna.trial.FrozenTrial") -> Values:
        values: Values = {}
        for name, searched in self.ranges.items():
            found = trial.params[name]
            if searched.choices:
                texts = [as_text(choice) for choice in searched.choices]
                values[name] = searched.choices[texts.index(found)]
            else:
                values[name] = _round(found)
        return values


def _run_number(trial: "optuna.trial.FrozenTrial") -> int:
    return trial.user_attrs.get("run", trial.number + 1)


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
