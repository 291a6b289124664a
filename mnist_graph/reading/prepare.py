"""The way from a picture to what a network reads. Needs no network, and no TensorFlow."""

from typing import NamedTuple

import numpy as np

from mnist_graph.reading.page import find_page
from mnist_graph.reading.picture import Picture, read_grey
from mnist_graph.reading.pieces import Piece, cut_out
from mnist_graph.reading.rows import Row, find_components, find_rows
from mnist_graph.reading.strips import Strip, divide, straighten, take_whole

ONE_ROW = 1.9
"""A picture that is lower than this many digits has room for one row and is its strip as it is."""


class PreparedRow(NamedTuple):
    """A row of writing."""

    strips: list[Strip]
    """What `Reader` reads: the row, or its parts where it has large gaps, from left to right."""
    pieces: list[Piece]
    """What `Classifier` reads: what may be single digits, from left to right."""


class Prepared(NamedTuple):
    """A picture, ready for `Reader.read_prepared` and `Classifier.read_prepared`."""

    rows: list[PreparedRow]
    """From the top."""
    size: tuple[int, int]
    """Width and height of the upright picture in pixels."""


def prepare(picture: Picture, name: str | None = None) -> Prepared:
    """Find the rows in a picture. `name` is what errors call it (default: its path).

    Safe in any thread. Takes, and raises, the same as `read_grey`.
    """
    return prepare_grey(read_grey(picture, name))


def prepare_grey(grey: np.ndarray) -> Prepared:
    """Find the rows in a picture: uint8 [height, width]."""
    page = find_page(grey)
    components = find_components(page.mask)
    rows = find_rows(components, page.stroke)
    size = (grey.shape[1], grey.shape[0])
    if rows:
        main = max(rows, key=lambda row: row.height * len(row.members))
        height = main.height / page.scale
        if grey.shape[0] < ONE_ROW * height:
            strip = take_whole(page, height)
            return Prepared([PreparedRow([strip], _pieces(page, components, main))], size)
    return Prepared(
        [
            PreparedRow(
                [straighten(page, row.boxes[part], row.height) for part in divide(row)],
                _pieces(page, components, row),
            )
            for row in rows
        ],
        size,
    )


def _pieces(page, components, row: Row) -> list[Piece]:
    pieces = [cut_out(page, components, [member]) for member in row.members]
    return [piece for piece in pieces if piece is not None]
