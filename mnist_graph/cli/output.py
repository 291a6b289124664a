"""Tables and predictions, as text and as JSON."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mnist_graph.cli.messages import printable

if TYPE_CHECKING:
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.pages import Page


def print_table(rows: Sequence[tuple[str, ...]], align_right: bool = False) -> None:
    """Print `rows` in columns; with `align_right`, all but the first column are right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if align_right and number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def print_page(
    name: str,
    digits: "Sequence[Digit]",
    min_probability: float,
    alone: bool = False,
    probabilities: bool = False,
) -> None:
    """Print the digits of picture `name` row by row, with ? for digits below `min_probability`.

    A single digit is always printed as its most likely label, and in the tutorials' words if its
    picture is the only one (`alone`). With `probabilities`, print those of each digit too.
    """
    if len(digits) == 1:
        lead = "Prediction for test image" if alone else printable(name)
        print(f"{lead}: {printable(digits[0].name)}")
    else:
        for _, row in groupby(digits, key=lambda digit: digit.row):
            labels = [d.name if d.is_sure(min_probability) else "?" for d in row]
            print(f"{printable(name)}: {' '.join(labels)}")
    if probabilities:
        for digit in digits:
            named = ((digit.name_of(label), p) for label, p in enumerate(digit.probabilities))
            each = " ".join(f"{printable(name)}:{p:.4f}" for name, p in named)
            print(f"row {digit.row + 1}, column {digit.column + 1}: {each}")


class JsonArray:
    """An array of JSON values on standard output, printed one by one, as `json.dumps` with an
    indent of 2 prints the whole.
    """

    _is_empty = True

    def add(self, value: Any) -> None:
        """Print the next value."""
        lines = json.dumps(value, indent=2).replace("\n", "\n  ")
        print("[\n  " if self._is_empty else ",\n  ", lines, sep="", end="")
        self._is_empty = False

    def close(self) -> None:
        """Print the end."""
        print("[]" if self._is_empty else "\n]", flush=True)


def page_as_json(
    page: "Page", digits: "Sequence[Digit]", min_probability: float, error: str | None = None
) -> dict[str, Any]:
    """Return the digits of a page as JSON values, or the `error` that kept it from being read;
    pages, rows and columns count from 1.
    """
    return {
        "file": _as_unicode(page.file),
        **({} if page.number is None else {"page": page.number}),
        **({} if error is None else {"error": _as_unicode(error)}),
        "digits": [
            {
                "row": digit.row + 1,
                "column": digit.column + 1,
                "box": list(digit.box),
                "digit": digit.label,
                **({"class": _as_unicode(digit.name)} if digit.names else {}),
                "sure": digit.is_sure(min_probability),
                "probability": round(digit.probability, 6),
                "probabilities": [round(float(p), 6) for p in digit.probabilities],
            }
            for digit in digits
        ],
    }


def _as_unicode(text: str) -> str:
    """Escape bytes of file names that are not UTF-8, as in \\udcff: Python holds each as half of a
    surrogate pair, which strict JSON readers refuse.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
