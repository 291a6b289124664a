"""What a run directory shows of its training, read again and again."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.csv_log import CsvLog
from mnist_graph.runs.digit_samples import load_sample
from mnist_graph.runs.run import Metrics
from mnist_graph.serving.pictures import encode

DIGITS = 40
"""How many digits of the batch are shown."""

Json = dict[str, Any]
Rows = list[list[float]]


class Reading(NamedTuple):
    """What was in a run directory at one moment."""

    rows: dict[str, Rows]
    """Iteration, loss and accuracy: of batches ("history") and of the test images ("test")."""
    digits: Json | None
    """Digits of the last batch, as the page takes them."""
    digits_at: int
    """When these were written: st_mtime_ns; 0 if there are none."""


class Progress:
    """What is known of the training in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._last = Reading({"history": [], "test": []}, None, 0)

    def read(self) -> Reading:
        """Read the directory. To be called in a thread; `update` takes what is returned."""
        rows = {name: _read_rows(self.directory / f"{name}.csv") for name in self._last.rows}
        path = self.directory / "batch.npz"
        try:
            written = path.stat().st_mtime_ns
            if written != self._last.digits_at:
                return Reading(rows, _read_digits(path), written)
        except (OSError, MnistGraphError):
            pass
        return Reading(rows, self._last.digits, self._last.digits_at)

    def update(self, reading: Reading) -> Json:
        """Return what `reading` has that was not known: for each kind of rows, those from row
        number "from" on; empty if nothing has changed.
        """
        before, self._last = self._last, reading
        changes: Json = {}
        for name, rows in reading.rows.items():
            start = _count_common(before.rows[name], rows)
            if start < max(len(rows), len(before.rows[name])):
                changes[name] = {"from": start, "rows": rows[start:]}
        if reading.digits_at != before.digits_at:
            changes["digits"] = reading.digits
        return changes

    def whole(self) -> Json:
        """Return all that is known, in the form of `update`."""
        rows = {name: {"from": 0, "rows": rows} for name, rows in self._last.rows.items()}
        return {**rows, "digits": self._last.digits}


def _read_rows(path: Path) -> Rows:
    try:
        rows: list[Metrics] = CsvLog(path, Metrics).read()
    except MnistGraphError:  # not there yet
        return []
    return [list(row) for row in rows if all(map(math.isfinite, row))]


def _read_digits(path: Path) -> Json | None:
    """Return digits with labels and predictions; None unless they are images of one digit."""
    sample = load_sample(path)
    if sample is None or sample.labels.ndim != 1:
        return None
    shown = slice(DIGITS)
    return {
        "pixels": encode(sample.pixels[shown]),
        "labels": sample.labels[shown].tolist(),
        "predictions": sample.predictions[shown].tolist(),
        "evaluated": sample.evaluated,
        "mistakes": sample.mistakes,
    }


def _count_common(one: Rows, other: Rows) -> int:
    """Return how many rows both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
