"""The order in which a page is read."""

from collections.abc import Sequence

import numpy as np

from mnist_graph.handwriting.boxes import Box

NEIGHBOUR = 0.55
"""Digits of one row differ in height from their neighbours by less than this share of a digit."""


def find_rows(boxes: Sequence[Box], height: float) -> list[list[int]]:
    """The indices of `boxes` row by row from the top, each row from left to right.

    A row may slope and wander: each digit is bound to the one to its right by how little the
    line has risen or fallen between these two, the slope of the whole page set aside.
    """
    if not boxes:
        return []
    centres = np.array([box.centre for box in boxes])
    slope = _page_slope(centres, height)
    x, y = centres[:, 0], centres[:, 1] - slope * centres[:, 0]
    ends: list[list[int]] = []
    for index in np.argsort(x):
        best, cost = None, np.inf
        for number, row in enumerate(ends):
            off = abs(y[index] - _expected(row, x, y, x[index], height))
            if off < NEIGHBOUR * height and off < cost:
                best, cost = number, off
        if best is None:
            ends.append([index])
        else:
            ends[best].append(index)
    ends.sort(key=lambda row: float(np.mean(y[row])))
    return [[int(index) for index in row] for row in ends]


def _expected(row: list[int], x: np.ndarray, y: np.ndarray, at: float, height: float) -> float:
    """Where a row goes on: level with its last digits, or along their slope."""
    last = row[-4:]
    level = float(np.mean(y[last]))
    if len(row) < 3:
        return level
    slope = np.polyfit(x[last], y[last], 1)[0]
    slope = float(np.clip(slope, -0.15, 0.15))
    ahead = min(at - x[last[-1]], 2 * height)
    middle = float(np.mean(x[last]))
    return level + slope * (x[last[-1]] + ahead - middle)


def _page_slope(centres: np.ndarray, height: float) -> float:
    """How far the rows fall for each pixel to the right: the median over neighbours."""
    slopes = []
    for x, y in centres:
        across, down = centres[:, 0] - x, centres[:, 1] - y
        right = (
            (across > 0.3 * height)
            & (across < 4 * height)
            & (abs(down) < 0.25 * across + 0.2 * height)
        )
        if right.any():
            nearest = np.argmin(np.where(right, across, np.inf))
            slopes.append(down[nearest] / across[nearest])
    return float(np.clip(np.median(slopes), -0.25, 0.25)) if len(slopes) >= 3 else 0.0
