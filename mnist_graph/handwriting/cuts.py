"""Digits that touch, cut apart."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Judge = Callable[[np.ndarray], np.ndarray]
"""From images in MNIST's form, uint8 [n, h, w], to calibrated probabilities [n, classes]."""


def seams(ink: np.ndarray, stroke: float, count: int = 6) -> list[np.ndarray]:
    """Ways from the top of `ink`, float32 [h, w], to its bottom that cross little of it: for
    each the column in each row, int [h], from left to right.
    """
    height, width = ink.shape
    step = 0.02
    cost = np.empty((height, width), np.float32)
    came = np.zeros((height, width), np.int8)
    cost[0] = ink[0]
    for row in range(1, height):
        above = cost[row - 1]
        left = np.concatenate([[np.inf], above[:-1]]) + step
        right = np.concatenate([above[1:], [np.inf]]) + step
        choice = np.stack([left, above, right])
        came[row] = choice.argmin(axis=0) - 1
        cost[row] = choice.min(axis=0) + ink[row]
    found: list[np.ndarray] = []
    margin = max(2, int(0.12 * height))
    order = np.argsort(cost[-1])
    ends: list[int] = []
    for end in order.tolist():
        if not margin <= end < width - margin or any(abs(end - e) < 0.12 * height for e in ends):
            continue
        if cost[-1, end] > 4 * stroke or len(ends) == count:
            break
        ends.append(end)
        path = np.empty(height, int)
        path[-1] = end
        for row in range(height - 1, 0, -1):
            path[row - 1] = path[row] + came[row, path[row]]
        found.append(path)
    return sorted(found, key=lambda path: float(path.mean()))


class Cut(NamedTuple):
    """A part of what was cut."""

    ink: np.ndarray
    """float32 [h, w]: what is not of this part is 0."""
    left: int
    """Its place in the whole."""


def cut_apart(
    ink: np.ndarray, stroke: float, height: float, normal: Callable[[np.ndarray], np.ndarray], judge: Judge
) -> list[np.ndarray]:
    """The digits in `ink`, float32 [h, w], as `judge` finds them likeliest: for each its ink
    in the frame of the whole; a single one where no cut is evident.
    """
    paths = seams(ink, stroke)
    if not paths:
        return [ink]
    high, wide = ink.shape
    columns = np.arange(wide)
    bounds = [np.zeros(high, int), *paths, np.full(high, wide)]
    parts = {}
    for i in range(len(bounds)):
        for j in range(i + 1, len(bounds)):
            inside = (columns >= bounds[i][:, None]) & (columns < bounds[j][:, None])
            part = np.where(inside, ink, 0)
            if _may_be_digit(part, height):
                parts[i, j] = part
    whole = (0, len(bounds) - 1)
    if not parts:
        return [ink]
    probabilities = judge(np.stack([normal(part) for part in parts.values()])).max(axis=1)
    score = dict(zip(parts, np.log(np.maximum(probabilities, 1e-9)), strict=True))
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for j in range(1, len(bounds)):
        ways = [
            (best[i][0] + score[i, j], [*best[i][1], (i, j)])
            for i in range(j)
            if i in best and (i, j) in score
        ]
        if ways:
            best[j] = max(ways, key=lambda way: way[0])
    if whole[1] not in best:
        return [ink]
    total, way = best[whole[1]]
    if total / len(way) < np.log(EVIDENT):
        return [ink]
    return [parts[pair] for pair in way]


EVIDENT = 0.6
"""Cuts are made where their digits are then recognised with this probability on average."""


def _may_be_digit(part: np.ndarray, height: float) -> bool:
    there = part > 0.3
    if not there.any():
        return False
    rows, columns = np.nonzero(there.any(axis=1))[0], np.nonzero(there.any(axis=0))[0]
    high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    return bool(high > 0.5 * height and wide < 1.3 * high)
