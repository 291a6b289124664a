"""Combs: lines with short ones standing on them, or between two, which part them into places.

Forms have them, for a digit in each place.
"""

import itertools

import cv2
import numpy as np

from mnist_graph.reading.ruling import take_away
from mnist_graph.reading.straight import MEETING

TOOTH, TEETH = 2.0, 4
"""A tooth is so many times as long as a stroke is broad, and a comb has so many, at least;"""
ALIKE = 0.85
"""they are as long as each other, but for this,"""
NARROW = 0.15
"""stand that share of their own length apart at least, and most of them"""
NEAR = 3
"""have nothing so many pixels beside them, as the stems of digits do,"""
EVEN = 0.1
"""and all are as far from one to the next, but for this share of the distance."""
STRAY = 3
"""Between two of them stand so many strokes of digits at most that look like one."""
EXACT = 0.05
"""Where nothing is written, teeth are as long and as far apart as each other but for this, or
they are ones."""


def without_combs(
    contrast: np.ndarray, mask: np.ndarray, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """`mask`, uint8 [h, w], without combs: of the lines `across` those on which some stand of the
    lines `down`, all alike and evenly. `contrast`, float32 [h, w], tells ink from the line that
    it was written on.
    """
    near = np.ones((3, 3), np.uint8)
    _, lines = cv2.connectedComponents(across)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(down)
    met = {tooth: _lines_met(lines, labels, tooth, stats[tooth]) for tooth in range(1, len(stats))}
    standing: dict[int, list[int]] = {}
    for tooth, ends in met.items():
        for line in ends:
            standing.setdefault(line, []).append(tooth)
    bare = mask & ~cv2.dilate(across | down, near)
    chosen = {tooth for teeth in standing.values() for tooth in _comb(teeth, stats, bare)}
    if not chosen:
        return mask
    rails = {line for tooth in chosen for line in met[tooth]}
    rail, teeth = (
        cv2.dilate(np.isin(labelled, list(some)).astype(np.uint8), near) & mask
        for labelled, some in ((lines, rails), (labels, chosen))
    )
    return take_away(contrast, mask, mask, rail, teeth)


def _lines_met(lines: np.ndarray, labels: np.ndarray, number: int, place: np.ndarray) -> set[int]:
    """The numbers in `lines` of those that an upright one ends at, which is this `number` in
    `labels` and has this place."""
    left, top, width, height, _ = place.tolist()
    met: set[int] = set()
    for row in (top, top + height - 1):
        columns = left + np.flatnonzero(labels[row, left : left + width] == number)
        about = lines[
            max(0, row - MEETING) : row + MEETING + 1,
            max(0, columns.min() - MEETING) : columns.max() + MEETING + 1,
        ]
        met.update(np.unique(about[about > 0]).tolist())
    return met


def _comb(teeth: list[int], stats: np.ndarray, bare: np.ndarray) -> list[int]:
    """Those of the lines that stand on one, with these places, that are the teeth of a comb;
    `bare` is the ink that is not of any line.
    """
    teeth = sorted(teeth, key=lambda tooth: stats[tooth, cv2.CC_STAT_LEFT])
    left, top, width, height, _ = stats[teeth].T
    chosen, pitch = _evenly(left, height)
    free = [
        np.count_nonzero(
            bare[
                max(0, top[one] - NEAR) : top[one] + height[one] + NEAR,
                max(0, left[one] - NEAR) : left[one] + width[one] + NEAR,
            ]
        )
        <= NEAR
        for one in chosen
    ]
    if sum(free) < max(TEETH, len(free) / 2):
        return []
    written = [
        bare[top[one] : top[one] + height[one], left[one] + width[one] : left[other]].any()
        for one, other in itertools.pairwise(chosen)
    ]
    if np.mean(written) < 0.5:
        steps = np.diff(left[chosen]) / pitch
        uneven = np.abs(steps - np.rint(steps)).max()
        longer = np.ptp(height[chosen]) / height[chosen].max()
        if uneven > max(2 / pitch, EXACT) or longer > max(2 / height[chosen].max(), EXACT):
            return []
    return [teeth[index] for index in chosen]


def _evenly(left: np.ndarray, height: np.ndarray) -> tuple[list[int], float]:
    """The indices of the most that are alike and stand evenly, of lines at `left`, from left to
    right; and how far apart.
    """
    best: tuple[int, list[int], float] = (0, [], 1.0)
    for first, reach in itertools.product(range(len(left)), range(1, STRAY + 2)):
        second = first + reach
        pitch = float(left[second] - left[first]) if second < len(left) else 0.0
        if pitch < NARROW * height[first]:
            continue
        alike = np.minimum(height, height[first]) > ALIKE * np.maximum(height, height[first])
        steps = (left - left[first]) / pitch
        on = alike & (np.abs(steps - np.rint(steps)) < EVEN)
        count = len(np.unique(np.rint(steps[on])))
        if np.ptp(steps[on]) < 1.5 * count and count > best[0]:
            best = count, np.flatnonzero(on).tolist(), pitch
    return best[1:]
