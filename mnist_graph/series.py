"""Rows of numbers, one an iteration, as CSV files of a run keep them."""

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from mnist_graph.errors import MnistGraphError, MnistGraphWarning
from mnist_graph.files import cannot_write, read_bytes

MAX_BYTES = 2**26

Row = TypeVar("Row", bound=NamedTuple)


class Series(Generic[Row]):
    """The CSV file at `path`: a head, then rows of type `row`, a named tuple of the iteration,
    an int, and of floats.
    """

    def __init__(self, path: Path, row: type[Row]) -> None:
        self.path, self.row = path, row

    def read(self) -> list[Row]:
        """The rows, oldest first, as far as they can be read: a last line that was cut off is
        left out, and warned of what is damaged besides. Raises MnistGraphError where there is
        no such file.
        """
        lines = read_bytes(self.path, MAX_BYTES).split(b"\n")[:-1]
        rows = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                iteration, *values = line.split(b",")
                rows.append(self.row(int(iteration), *map(float, values)))
            except (ValueError, TypeError):  # no number; not as many as there should be
                warnings.warn(
                    f"{self.path} is damaged from line {number} on; the lines before it are kept",
                    MnistGraphWarning,
                    stacklevel=2,
                )
                break
        return rows

    def write(self, rows: Iterable[Row]) -> None:
        """Start the file anew with `rows`. Raises MnistGraphError where it cannot be written."""
        self._write("w", [self.row._fields, *rows])

    def append(self, row: Row) -> None:
        """Raises MnistGraphError where it cannot be written."""
        self._write("a", [row])

    def _write(self, mode: str, rows: list[tuple]) -> None:
        try:
            with self.path.open(mode, newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
        except OSError as error:
            raise cannot_write(self.path.parent, error) from error


class Recorder(Generic[Row]):
    """Adds rows to a series as they come, behind those there of iterations below `before`.

    Where they cannot be written, it warns and writes them as soon as it can. Raises
    MnistGraphError where that is so from the start.
    """

    def __init__(self, series: Series[Row], before: int) -> None:
        self.series = series
        there = series.read() if series.path.exists() else []
        self.rows = [row for row in there if row.iteration < before]
        self.behind = False
        series.write(self.rows)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        try:
            if self.behind:
                self.series.write(self.rows)
            else:
                self.series.append(row)
            self.behind = False
        except MnistGraphError as error:
            if not self.behind:
                what = self.series.path.stem
                warnings.warn(
                    f"{error}; the {what} will be written as soon as it can be",
                    MnistGraphWarning,
                    stacklevel=3,
                )
            self.behind = True
