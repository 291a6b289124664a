"""Single digits of a row, for a network of 28x28 images: its components, broken ones mended."""

from typing import NamedTuple

import numpy as np

from mnist_graph.data.mnist_form import scale_ink
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.page import Page
from mnist_graph.reading.rows import Components, Row, union

MAX_ASPECT = 2.5
"""No digit is wider than this many times its height."""
MAX_HEIGHT = 1.4
"""Parts of a digit together are at most this high, in typical digit heights,"""
MAX_GAP = 0.35
"""are at most this far apart in height, in the same unit,"""
MIN_OVERLAP = 0.15
"""overlap from left to right by this share of the narrower,"""
MAX_PART = 0.7
"""and one of them is at most this high."""
MIN_PART = 0.2
"""The longer side of a part of a digit, in typical digit heights; specks are smaller."""

SIDE = 0.15
"""A piece is framed if a line runs within this share of its width, or height, from its side,"""
LINE, OTHER_LINE = 0.95, 0.85
"""along this share of the side; at the top or bottom only if one runs along the second share of the
opposite side too, as a seven and a two have a line at one of them. With 29 framed digits left out
of 300 forms, 244 are read right, else 238; on 400 pages 384 either way."""
NARROW = 0.4
"""A narrower piece, as a share of its height, is a single stroke."""
FAINT = 0.25
"""Ink of a line, as a share of full ink."""


class Piece(NamedTuple):
    """What may be a digit."""

    box: Box
    """In pixels of the picture."""
    ink: np.ndarray
    """float32 [h, w] in [0, 1]: its ink and nothing else, in working pixels."""


def cut_pieces(page: Page, components: Components, row: Row) -> list[Piece]:
    """Cut out what may be digits in a row, from left to right."""
    pieces = []
    for members in _mend(components.boxes, row):
        box = Box(*union(components.boxes[members]).tolist())
        if box.width > MAX_ASPECT * box.height:
            continue
        mine = np.isin(components.labels[box.inside], np.array(members) + 1)
        ink = scale_ink(page.contrast(box), mine)
        if ink is not None:  # else it was noise, and dark only in the blur
            pieces.append(Piece(page.to_picture(box), ink))
    return pieces


def is_framed(ink: np.ndarray) -> bool:
    """Return whether `ink`, float32 [h, w] in [0, 1], has lines along its sides: those of the box
    of a form, which hide the digit from a network of single digits.
    """
    inked = ink > FAINT
    if inked.shape[1] < NARROW * inked.shape[0]:
        return False
    (top, bottom), (left, right) = (_longest_lines(inked.mean(axis=axis)) for axis in (1, 0))
    is_between = max(top, bottom) >= LINE and min(top, bottom) >= OTHER_LINE
    return max(left, right) >= LINE or is_between


def _longest_lines(shares: np.ndarray) -> tuple[float, float]:
    """Return the largest of the `shares`, float [n], near the start and near the end."""
    reach = max(1, round(SIDE * len(shares)))
    return float(shares[:reach].max()), float(shares[-reach:].max())


def _mend(boxes: np.ndarray, row: Row) -> list[list[int]]:
    """Return lists of components that are one digit, of the `boxes` [n, 4] of all components."""
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    near = (boxes[:, 3] > row.boxes[:, 1].min()) & (boxes[:, 1] < row.boxes[:, 3].max())
    small = np.flatnonzero(near & (sizes > MIN_PART * row.height))
    groups: list[list[int]] = []
    digits = np.empty((len(row.members), 4))  # the box of each group
    for index in [*row.members, *np.setdiff1d(small, row.members).tolist()]:
        parts = np.flatnonzero(_is_part(boxes[index], digits[: len(groups)], row.height))
        if len(parts):
            groups[parts[0]].append(index)
            digits[parts[0]] = union(boxes[groups[parts[0]]])
        elif index in row.members:
            digits[len(groups)] = boxes[index]
            groups.append([index])
    return [groups[number] for number in np.argsort(digits[: len(groups), 0])]


def _is_part(box: np.ndarray, digits: np.ndarray, height: float) -> np.ndarray:
    """Return of which of the digits in the boxes `digits`, [n, 4], a component in `box`, [4],
    is a part: bool [n]. `height` is that of a typical digit.
    """
    left, top = np.maximum(box[:2], digits[:, :2]).T
    right, bottom = np.minimum(box[2:], digits[:, 2:]).T
    high = np.maximum(box[3], digits[:, 3]) - np.minimum(box[1], digits[:, 1])
    narrower = np.minimum(box[2] - box[0], digits[:, 2] - digits[:, 0])
    over = right - left > MIN_OVERLAP * narrower
    lower = np.minimum(box[3] - box[1], digits[:, 3] - digits[:, 1])
    over &= lower < MAX_PART * height
    return over & (top - bottom < MAX_GAP * height) & (high < MAX_HEIGHT * height)
