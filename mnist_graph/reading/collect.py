"""Pages of known digits: every digit that is found, with the label that stands in its place."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.reading.pieces import Piece
from mnist_graph.reading.prepare import Prepared
from mnist_graph.reading.row_reading import HOPELESS, RowReading
from mnist_graph.reading.second_opinion import SecondOpinion, find_alone


class Collected(NamedTuple):
    """A digit of a page, labelled."""

    pixels: np.ndarray
    """uint8 [28, 28], in MNIST's form: white on black, its centre of mass in the middle."""
    label: int
    read: int
    """What the network of single digits in the package reads."""


class FoundRow(NamedTuple):
    """What stands in a row of a page."""

    page: str
    """What errors call the page."""
    number: int
    """The row on its page, counted from 1."""
    pieces: list[Piece | None]
    """The digits from left to right; None for one that touches another."""


class FoundPage(NamedTuple):
    """The rows of a page, found in two ways."""

    alone: list[FoundRow]
    """By what stands alone on it."""
    read: list[FoundRow]
    """By reading it: digits that touch are told apart, faint ones may be missed."""


def parse_labels(text: str) -> list[list[int]]:
    """Return the labels of each row in a text such as "0123 4567", which has a space between rows.
    Raises UsageError for anything else than digits.
    """
    rows = text.split()
    if not rows or not all(row.isascii() and row.isdigit() for row in rows):
        raise UsageError(
            f"--labels must be the digits of each row, with a space between rows, not {text!r:.80}"
        )
    return [[int(digit) for digit in row] for row in rows]


def collect_digits(
    pages: Sequence[tuple[str, Prepared]], labels: Sequence[Sequence[int]], reader: RowReading
) -> list[Collected]:
    """Return the digits on all pages in reading order, with the labels of their rows. Each page
    comes with what errors call it; `reader` is the one in the package.

    Raises MnistGraphError, which names the row, unless each row has as many digits as labels.
    """
    opinion = reader.second_opinion
    assert opinion is not None
    found = [_find_digits(name, page, reader, opinion) for name, page in pages]
    return _label_digits(found, labels, opinion)


def _find_digits(
    page: str, prepared: Prepared, reader: RowReading, opinion: SecondOpinion
) -> FoundPage:
    rows = [row.pieces for row in prepared.rows if row.pieces]
    alone = [row for row in rows if not _is_hopeless(row, opinion)]
    return FoundPage(_number(page, alone), _number(page, _read(prepared, reader)))


def _is_hopeless(row: Sequence[Piece], opinion: SecondOpinion) -> bool:
    """Whether nothing in a row looks like a digit: it is ruling or a shadow, mostly."""
    return bool(opinion.ask(row).max() < HOPELESS)


def _read(prepared: Prepared, reader: RowReading) -> list[list[Piece | None]]:
    """Return the piece that is each digit the reader finds, row by row."""
    digits = reader.read_prepared(prepared)
    pieces = [piece for row in prepared.rows for piece in row.pieces]
    boxes = np.array([digit.box for digit in digits])
    places = np.array([piece.box for piece in pieces])
    found = [find_alone(number, boxes, places) if pieces else None for number in range(len(boxes))]
    own = [None if place is None else pieces[place] for place in found]
    rows = groupby(zip(digits, own, strict=True), key=lambda pair: pair[0].row)
    return [[piece for _, piece in row] for _, row in rows]


def _number(page: str, rows: Sequence[Sequence[Piece | None]]) -> list[FoundRow]:
    return [FoundRow(page, number, list(row)) for number, row in enumerate(rows, start=1)]


def _label_digits(
    pages: Sequence[FoundPage], labels: Sequence[Sequence[int]], opinion: SecondOpinion
) -> list[Collected]:
    # What is found by what stands alone first, and by reading if that does not fit.
    ways = [[row for page in pages for row in getattr(page, way)] for way in FoundPage._fields]
    fitting = next((rows for rows in ways if _find_fault(rows, labels) is None), None)
    if fitting is None:
        # The way that finds as many rows as there should be says best what is wrong.
        rows = next((rows for rows in ways if len(rows) == len(labels)), ways[0])
        raise MnistGraphError(_find_fault(rows, labels) or "")
    pieces = [piece for row in fitting for piece in row.pieces if piece is not None]
    read = opinion.ask(pieces).argmax(axis=1).tolist()
    flat = [label for row in labels for label in row]
    images = [to_mnist_form(piece.ink) for piece in pieces]
    return [Collected(*each) for each in zip(images, flat, read, strict=True)]


def _find_fault(rows: Sequence[FoundRow], labels: Sequence[Sequence[int]]) -> str | None:
    """Say where the rows do not fit the labels; None if they do."""
    if len(rows) != len(labels):
        found = ", ".join(f"{len(row.pieces)}" for row in rows) or "no"
        return (
            f"--labels has {_count(len(labels), 'row')}, but {len(rows)} were found, of {found} "
            "digits; give the digits of every row, with a space between rows"
        )
    for row, given in zip(rows, labels, strict=True):
        name = f"row {row.number} of {row.page}"
        text = "".join(map(str, given))
        if len(row.pieces) != len(given):
            return (
                f"{name} has {_count(len(given), 'label')} ({text}), but "
                f"{_count(len(row.pieces), 'digit')} found; correct --labels, or write the digits "
                "apart from each other"
            )
        if None in row.pieces:
            place = row.pieces.index(None)
            return (
                f"in {name} the {given[place]} in place {place + 1} touches another; write it apart"
            )
    return None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
