"""CSV files of a run: one row per evaluation, each an iteration and some numbers."""

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from mnist_graph.errors import MnistGraphError, MnistGraphWarning
from mnist_graph.runs.files import cannot_write, read_bytes, write_whole

MAX_BYTES = 2**26
"""The largest CSV file that is read: about a million rows."""

Row = TypeVar("Row", bound=tuple[Any, ...])
"""A named tuple: `iteration`, an int, and floats."""


class CsvLog(Generic[Row]):
    """The CSV file at `path`: a header, then rows of the named tuple type `row`."""

    def __init__(self, path: Path, row: type[Row]) -> None:
        self.path, self.row = path, row

    def read(self) -> list[Row]:
        """Return the rows, oldest first.

        An incomplete last line is skipped. From a damaged line on, the rest is ignored with an
        MnistGraphWarning. Raises MnistGraphError if the file does not exist.
        """
        lines = read_bytes(self.path, MAX_BYTES).split(b"\n")[:-1]
        rows = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                first, *values = line.split(b",")
                iteration = int(first)
                if not 0 <= iteration < 2**63:
                    raise ValueError("out of range")
                row: Any = self.row  # a named tuple takes its fields one by one
                rows.append(row(iteration, *map(float, values)))
            except (ValueError, TypeError):  # not such a number; the wrong number of columns
                warnings.warn(
                    f"{self.path} is damaged from line {number} on; the lines before it are used",
                    MnistGraphWarning,
                    stacklevel=2,
                )
                break
        return rows

    def write(self, rows: Iterable[Row]) -> None:
        """Replace the file's content by `rows`. Raises MnistGraphError on failure; the file is
        then what it was.
        """
        header = self.row._fields  # type: ignore[attr-defined]
        try:
            write_whole(self.path, lambda written: _write(written, "w", [header, *rows]))
        except OSError as error:
            raise cannot_write(self.path.parent, error) from error

    def append(self, row: Row) -> None:
        """Append one row. Raises MnistGraphError on failure."""
        try:
            _write(self.path, "a", [row])
        except OSError as error:
            raise cannot_write(self.path.parent, error) from error


def _write(path: Path, mode: str, rows: list[tuple[Any, ...]]) -> None:
    with path.open(mode, newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


class CsvAppender(Generic[Row]):
    """Appends rows to a log that may already have some, and retries failed writes.

    Rows of iterations from `start` on are removed first: they are about to be repeated. Raises
    MnistGraphError if the file cannot be written at the start; later failures only warn.
    """

    def __init__(self, log: CsvLog[Row], start: int) -> None:
        self.log = log
        rows = log.read() if log.path.exists() else []
        self.rows = [row for row in rows if row[0] < start]
        self.failed = False
        log.write(self.rows)

    def add(self, row: Row) -> None:
        """Append `row`, along with those that could not be written before."""
        self.rows.append(row)
        try:
            if self.failed:
                self.log.write(self.rows)
            else:
                self.log.append(row)
            self.failed = False
        except MnistGraphError as error:
            if not self.failed:
                name = self.log.path.name
                warnings.warn(
                    f"{error}; {name} will be completed as soon as possible",
                    MnistGraphWarning,
                    stacklevel=3,
                )
            self.failed = True
