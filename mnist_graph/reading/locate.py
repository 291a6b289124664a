"""Where in a strip each digit is."""

import itertools

import cv2
import numpy as np

from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.reading.boxes import Box

INK = 96
"""What is at least this bright in a strip, of 255, is ink of a digit."""
OFF_CENTRE = 20
"""How much ink, of 255 per pixel, a boundary between digits crosses to be one column closer to
the middle between them."""
MIN_HEIGHT = 3
"""Least height of a digit's ink in pixels; less is a part of a ruled line."""


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
