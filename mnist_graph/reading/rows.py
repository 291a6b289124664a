"""The order in which a page is read."""

from collections.abc import Sequence

import numpy as np

from mnist_graph.reading.boxes import Box

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
    rows: list[list[int]] = []
    ends = np.empty((len(x), 4))  # of each row: where it ends, and how it goes on
    for index in np.argsort(x):
        at, level, slope, middle = ends[: len(rows)].T
        ahead = np.minimum(x[index] - at, 2 * height)
        off = np.abs(y[index] - (level + slope * (at + ahead - middle)))
        best = int(off.argmin()) if len(rows) else -1
        if best < 0 or off[best] >= NEIGHBOUR * height:
            best = len(rows)
            rows.append([])
        rows[best].append(index)
        ends[best] = _end(rows[best], x, y)
    rows.sort(key=lambda row: float(np.mean(y[row])))
    return [[int(index) for index in row] for row in rows]


def _end(row: list[int], x: np.ndarray, y: np.ndarray) -> tuple[float, float, float, float]:
    """Where a row ends, and of its last digits the level, the slope and the middle: it goes on
    level with them, or along their slope.
    """
    last = row[-4:]
    slope = float(np.polyfit(x[last], y[last], 1)[0]) if len(row) >= 3 else 0.0
    return (
        x[last[-1]],
        float(np.mean(y[last])),
        np.clip(slope, -0.15, 0.15),
        float(np.mean(x[last])),
    )


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
