"""The way from a picture to what a network is given. Needs no network, and no TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.page import SMALL, Page, find_page, show_dark_on_light
from mnist_graph.reading.picture import Picture, read_reduced
from mnist_graph.reading.pieces import Piece, cut_pieces
from mnist_graph.reading.rows import Components, Row, find_components, find_rows
from mnist_graph.reading.scaling import WORKING_PIXELS
from mnist_graph.reading.strips import Strip, cut_strips, take_whole

ONE_ROW = 5.0
"""A picture that is lower than this many digits, or small, may be one row as it is: cut tight, or
on a pattern in which rows are hard to find."""

MIN_RANGE = 60
"""A small picture whose grey levels differ by this, of 255, may be a row even if no ink stands out
from its pattern."""


LEAST_HEIGHT = 5
"""Least height of a digit in pixels of the picture; grain is lower."""


class PreparedRow(NamedTuple):
    """A row of writing, from left to right."""

    strips: list[Strip]
    """What `Reader` reads: the row, or its parts where it has large gaps."""
    pieces: list[Piece]
    """What `Classifier` reads: what may be single digits."""


@dataclass(frozen=True)
class Prepared:
    """A picture, ready for `Reader.read_prepared` and `Classifier.read_prepared`."""

    find_rows: Callable[[], list[PreparedRow]]
    """Finds the rows; in a small picture that has yet to be done."""
    whole: Strip | None
    """The whole picture as a strip, where it may be a single row; None where it cannot be."""
    size: tuple[int, int]
    """Width and height of the upright picture in pixels."""

    @cached_property
    def rows(self) -> list[PreparedRow]:
        """The rows from the top."""
        return self.find_rows()


def prepare(picture: Picture, name: str | None = None) -> Prepared:
    """Find the rows in a picture. `name` is what errors call it (default: its path).

    Safe in any thread. Takes, and raises, the same as `read_grey`.
    """
    reduced = read_reduced(picture, WORKING_PIXELS, name)
    prepared = prepare_grey(reduced.grey)
    if reduced.step == 1:
        return prepared
    rows = [
        PreparedRow(
            [strip.enlarged(reduced.step) for strip in row.strips],
            [piece._replace(box=piece.box.scaled(reduced.step)) for piece in row.pieces],
        )
        for row in prepared.rows
    ]
    whole = prepared.whole and prepared.whole.enlarged(reduced.step)
    return Prepared(lambda: rows, whole, reduced.size)


def prepare_grey(grey: np.ndarray) -> Prepared:
    """Find the rows in a picture: uint8 [height, width]."""
    size = grey.shape[1], grey.shape[0]
    is_small = grey.shape[0] < SMALL
    if is_small and np.ptp(grey) > MIN_RANGE:
        # Most are one row and are read as such; then nobody asks for their rows.
        whole = take_whole(show_dark_on_light(grey))
        return Prepared(lambda: _cut_rows(*_find_rows(grey)), whole, size)
    page, components, rows = _find_rows(grey)
    if is_small:
        may_be_one = bool(page.mask.any())
    else:
        height = max((row.height for row in rows), default=0)
        may_be_one = bool(rows) and page.mask.shape[0] < ONE_ROW * height
    cut = _cut_rows(page, components, rows)
    return Prepared(lambda: cut, take_whole(page.grey) if may_be_one else None, size)


def _find_rows(grey: np.ndarray) -> tuple[Page, Components, list[Row]]:
    page = find_page(grey)
    stroke = page.stroke
    whole = Box(0, 0, *page.mask.shape[::-1])
    components = find_components(page.mask, page.contrast(whole), stroke)
    rows = find_rows(components, stroke)
    return page, components, [row for row in rows if row.height >= LEAST_HEIGHT * page.scale]


def _cut_rows(page: Page, components: Components, rows: list[Row]) -> list[PreparedRow]:
    return [PreparedRow(cut_strips(page, row), cut_pieces(page, components, row)) for row in rows]
