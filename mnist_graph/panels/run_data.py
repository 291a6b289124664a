"""Everything in a run directory that the panels show. Imports no TensorFlow."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.runs.digit_samples import DigitSample, load_sample
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Metrics, Run


class RunData(NamedTuple):
    """What a run has saved so far; empty lists and None stand for what it has not."""

    run: Run
    history: list[Metrics]
    test: list[Metrics]
    percentiles: list[Any]
    """Rows of type WeightPercentiles."""
    batch: DigitSample | None
    """Digits of the last evaluated batch."""
    tested: DigitSample | None
    """Test digits, misclassified ones first."""

    @property
    def name(self) -> str:
        """The title of the run."""
        return f"{self.run.recipe.model}, {self.run.directory}"


def read_run_data(directory: str | Path) -> RunData:
    """Read the data of the run in `directory`. Raises MnistGraphError without a run, or if
    its digits are damaged.
    """
    run = load_run(directory)
    rows = {
        name: _finite(run.log(name).read()) if run.log(name).path.exists() else []
        for name in ("history", "test", "percentiles")
    }
    batch, tested = (load_sample(run.directory / f"{name}.npz") for name in ("batch", "test"))
    return RunData(run, **rows, batch=batch, tested=tested)


def _finite(rows: list[Any]) -> list[Any]:
    return [row for row in rows if all(map(math.isfinite, row))]
