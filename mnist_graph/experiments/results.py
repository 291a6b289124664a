"""What a sweep has found: its trials, and what they come to over the seeds."""

from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from mnist_graph.experiments.knobs import Trial, Values
from mnist_graph.experiments.setting import DIVERGED, Setting
from mnist_graph.graph.recipe import Recipe


class TrialResult(NamedTuple):
    """A trial that has ended."""

    trial: Trial
    directory: Path
    """Its run directory."""
    accuracy: float | None = None
    """Of the held-out images; None if the training failed."""
    seconds: float | None = None
    """Time spent training, while others were trained at the same time."""
    error: str | None = None


class Summary(NamedTuple):
    """One combination of values, over all its seeds."""

    values: Values
    accuracies: list[float]
    seconds: list[float]
    errors: list[str]
    """What went wrong in those that failed."""

    @property
    def accuracy(self) -> float:
        """The mean accuracy; -1 if every training failed."""
        return fmean(self.accuracies) if self.accuracies else -1.0


class Sweep(NamedTuple):
    """A sweep, or what there is of it so far."""

    directory: Path
    recipe: Recipe
    knobs: dict[str, list[Any]]
    trials: list[Trial]
    setting: Setting
    results: dict[int, TrialResult]
    """Those that have ended, by their trials' numbers."""

    def summaries(self) -> list[Summary]:
        """Return the combinations of which a training has ended, in the order of the grid."""
        rows: list[Summary] = []
        for trial in self.trials:
            result = self.results.get(trial.number)
            if result is None:
                continue
            row = next((row for row in rows if row.values == trial.values), None)
            if row is None:
                row = Summary(trial.values, [], [], [])
                rows.append(row)
            if result.error is not None:
                row.errors.append(result.error)
            if result.accuracy is not None and result.seconds is not None:
                row.accuracies.append(result.accuracy)
                row.seconds.append(result.seconds)
        return rows

    @property
    def failures(self) -> list[TrialResult]:
        """The trials that failed for another reason than a loss that is NaN or infinite. The same
        call trains them again.
        """
        ended = self.results.values()
        return [each for each in ended if each.error and not each.error.startswith(DIVERGED)]

    def best(self) -> Recipe | None:
        """Return the recipe with the highest mean accuracy, with its own seed; None if every
        training failed.
        """
        best = max(self.summaries(), key=lambda row: row.accuracy, default=None)
        if best is None or not best.accuracies:
            return None
        return next(trial.recipe for trial in self.trials if trial.values == best.values)
