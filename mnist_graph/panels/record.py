"""What a run has recorded so far, as the panels show it. Imports no TensorFlow."""

import math
from pathlib import Path
from typing import NamedTuple

from mnist_graph.runs import Evaluation, Percentiles, Run, Test, load_run
from mnist_graph.shown import Shown, load_shown


class Record(NamedTuple):
    """Empty lists and None are what it has not recorded."""

    run: Run
    history: list[Evaluation]
    test: list[Test]
    percentiles: list[Percentiles]
    batch: Shown | None
    """Digits of the batch last judged."""
    tested: Shown | None
    """Test digits, those taken for another first."""

    @property
    def name(self) -> str:
        return f"{self.run.recipe.model}, {self.run.directory}"


def read_record(directory: str | Path) -> Record:
    """The record of the run in `directory`. Raises MnistGraphError where there is none, or its
    digits are damaged.
    """
    run = load_run(directory)
    rows = {
        name: _finite(run.series(name).read()) if run.series(name).path.exists() else []
        for name in ("history", "test", "percentiles")
    }
    batch, tested = (load_shown(run.directory / f"{name}.npz") for name in ("batch", "test"))
    return Record(run, **rows, batch=batch, tested=tested)


def _finite(rows: list) -> list:
    return [row for row in rows if all(map(math.isfinite, row))]
