"""The file of --csv: a line for each digit, written as the pictures are read."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.runs.files import find_output_fault

if TYPE_CHECKING:
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.pages import Page

HEADER = b"file,page,row,column,digit,probability,left,top,right,bottom\n"
"""The first line; a file that starts with it was written here. Page, row and column count from 1;
the last four are the box, in pixels of the picture."""


def check_csv(path: Path) -> None:
    """Raise UsageError if the results cannot be written to `path`, or if it is a file that was
    not written here.
    """
    try:
        fault = find_output_fault(path)
        is_ours = fault is not None or not path.exists() or _is_ours(path)
    except OSError as error:  # e.g. a name that is too long
        fault, is_ours = str(error.strerror), True
    if fault is not None:
        raise UsageError(f"--csv cannot write {path}: {fault}")
    if not is_ours:
        raise UsageError(f"--csv did not write {path} and will not overwrite it")


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEADER)) in (b"", HEADER)


class CsvFile:
    """A new file at `path` with one line, the header. Raises MnistGraphError on failure, and so
    do the methods: the file then ends with a whole line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise self._failure(error) from error
        self._write(HEADER)

    def add(self, page: "Page", digits: "Sequence[Digit]") -> None:
        """Append the digits of a page. They are in the file when this returns."""
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(
            (
                page.file,
                page.number or 1,
                digit.row + 1,
                digit.column + 1,
                digit.name,
                round(digit.probability, 6),
                *digit.box,
            )
            for digit in digits
        )
        # Bytes of a file name that are not UTF-8 are escaped, as in \udcff.
        self._write(lines.getvalue().encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:  # pragma: no cover - a network disk that fails late
            raise self._failure(error) from error

    def _write(self, content: bytes) -> None:
        start, rest = self._file.tell(), memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(start)
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> MnistGraphError:
        return MnistGraphError(f"cannot write {self.path}: {error.strerror or error}")
