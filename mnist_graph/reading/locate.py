"""Where each digit is: in a strip, and in the picture."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.pieces import Piece, is_framed

INK = 96
"""What is at least this bright in a strip, of 255, is ink of a digit."""
OFF_CENTRE = 20
"""How much ink, of 255 per pixel, a boundary between digits crosses to be one column closer to
the middle between them."""
MIN_HEIGHT = 3
"""Least height of a digit's ink in pixels; less is a part of a ruled line."""
SLACK = 0.1
"""How far beside a piece a digit may be seen that is on it, in heights of the piece."""


def locate(pixels: np.ndarray, columns: np.ndarray) -> list[Box]:
    """Return the box of each digit in a strip, uint8 [32, width], in its pixels.

    `columns` are the network's columns in which the digits are most likely, in order.
    """
    if not len(columns):
        return []
    width = pixels.shape[1]
    centres = np.minimum(columns * COLUMN_WIDTH + COLUMN_WIDTH // 2, width - 1).tolist()
    darkness = pixels.sum(axis=0, dtype=np.int64)
    inner = [_boundary(darkness, *pair) for pair in itertools.pairwise(centres)]
    bounds = itertools.pairwise([0, *inner, width])
    ink = (pixels >= INK).astype(np.uint8)
    return [_ink_box(ink, left, max(right, left + 1)) for left, right in bounds]


def fit_to_pieces(
    boxes: Sequence[Box], middles: Sequence[float], pieces: Sequence[Piece]
) -> list[Box]:
    """Return the boxes of the digits of a row, in pixels of the picture: that of the piece which a
    digit alone is on, else the one in `boxes`.

    `middles` are where the network sees the digits, in pixels from the picture's left side.
    """
    whole = [piece.box for piece in pieces if not is_framed(piece.ink)]
    if not whole:
        return list(boxes)
    on = _find_under(middles, whole)
    owners = np.bincount(np.concatenate([[], *on]).astype(int), minlength=len(whole))
    return [
        whole[mine[0]] if len(mine) == 1 and owners[mine[0]] == 1 else box
        for box, mine in zip(boxes, on, strict=True)
    ]


def leave_bare(middles: Sequence[float], boxes: Sequence[Box]) -> bool:
    """Return whether digits leave one of the pieces in these `boxes` bare, although each digit is
    on a piece of its own. `middles` are as for `fit_to_pieces`.
    """
    if not 0 < len(middles) < len(boxes):
        return False
    on = _find_under(middles, boxes)
    return len({int(mine[0]) for mine in on if len(mine) == 1}) == len(middles)


def _find_under(middles: Sequence[float], boxes: Sequence[Box]) -> list[np.ndarray]:
    """Return, for each digit, the indices of the pieces that it is on, int [n]."""
    left, top, right, bottom = np.array(boxes).reshape(-1, 4).T
    slack = SLACK * (bottom - top)
    return [
        np.flatnonzero((left - slack <= middle) & (middle <= right + slack)) for middle in middles
    ]


def _boundary(darkness: np.ndarray, one: int, other: int) -> int:
    """Return the column between two digits with the least ink, preferably in the middle."""
    between = np.arange(one, other + 1)
    away = np.abs(between - (one + other) / 2)
    return int(between[np.argmin(darkness[one : other + 1] + OFF_CENTRE * away)])


def _ink_box(ink: np.ndarray, left: int, right: int) -> Box:
    """Return the box of the largest connected ink between two columns, with what is above and
    below it; of everything if there is no ink.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink[:, left:right], connectivity=8)
    parts = stats[1:]
    if not len(parts):
        return Box(left, 0, right, HEIGHT)
    start, top = parts[:, cv2.CC_STAT_LEFT], parts[:, cv2.CC_STAT_TOP]
    end, bottom = start + parts[:, cv2.CC_STAT_WIDTH], top + parts[:, cv2.CC_STAT_HEIGHT]
    main = parts[:, cv2.CC_STAT_AREA].argmax()
    mine = (start < end[main]) & (end > start[main]) & (bottom - top >= MIN_HEIGHT)
    mine[main] = True
    edges = start[mine].min(), top[mine].min(), end[mine].max(), bottom[mine].max()
    return Box(*(int(edge) for edge in edges)).moved(left, 0)
