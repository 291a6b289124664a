"""The way from a picture to what a network is given. Needs no network, and no TensorFlow."""

from typing import NamedTuple

import numpy as np

from mnist_graph.reading.page import SMALL, find_page
from mnist_graph.reading.picture import Picture, read_reduced
from mnist_graph.reading.pieces import Piece, cut_pieces
from mnist_graph.reading.rows import find_components, find_rows
from mnist_graph.reading.scaling import WORKING_PIXELS
from mnist_graph.reading.strips import Strip, cut_strips, take_whole

ONE_ROW = 5.0
"""A picture that is lower than this many digits, or small, may be one row as it is: cut tight, or
on a pattern in which rows are hard to find."""

MIN_RANGE = 60
"""A small picture whose grey levels differ by this, of 255, may be a row even if no ink stands out
from its pattern."""


class PreparedRow(NamedTuple):
    """A row of writing, from left to right."""

    strips: list[Strip]
    """What `Reader` reads: the row, or its parts where it has large gaps."""
    pieces: list[Piece]
    """What `Classifier` reads: what may be single digits."""


class Prepared(NamedTuple):
    """A picture, ready for `Reader.read_prepared` and `Classifier.read_prepared`."""

    rows: list[PreparedRow]
    """From the top."""
    whole: Strip | None
    """The whole picture as a strip, where it may be a single row; None where it cannot be."""
    size: tuple[int, int]
    """Width and height of the upright picture in pixels."""


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
    return Prepared(rows, whole, reduced.size)


def prepare_grey(grey: np.ndarray) -> Prepared:
    """Find the rows in a picture: uint8 [height, width]."""
    page = find_page(grey)
    components = find_components(page.mask, page.stroke)
    rows = find_rows(components, page.stroke)
    height = max((row.height for row in rows), default=0)
    if grey.shape[0] < SMALL:
        may_be_one = bool(page.mask.any()) or np.ptp(grey) > MIN_RANGE
    else:
        may_be_one = bool(rows) and page.mask.shape[0] < ONE_ROW * height
    return Prepared(
        [PreparedRow(cut_strips(page, row), cut_pieces(page, components, row)) for row in rows],
        take_whole(page.grey) if may_be_one else None,
        (grey.shape[1], grey.shape[0]),
    )
