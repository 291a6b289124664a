"""Forms: takes the printed boxes around digits away, also such as are open at the top."""

from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.handwriting.ruling import level, level_back, slope_of, take_away

SHORTEST, LONGEST = 3.5, 8.0
"""Any side of a box is this many times as long as a stroke is broad, at least; a box is that
many times as wide or as high;"""
THIN = 0.4
"""and its sides are less broad than this share of how long they are at least."""
BROKEN = 3
"""A printed line may be broken for so many pixels."""
ALIKE, NARROW = 0.85, 0.6
"""All sides that go down are as long as the longest, but for this, and those that go across
are at least this share of it: boxes in a row may share them. A stroke that touches a side is
shorter than either."""
SIDES = 3
"""A box shows so many sides, or two of them and what parts it from the next."""


class _Side(NamedTuple):
    """A straight line."""

    label: int
    """Its number among the lines that run as it does."""
    box: int
    """The number of the lines that meet, of which it is one."""


def remove_frames(contrast: np.ndarray, mask: np.ndarray, stroke: float) -> np.ndarray:
    """`mask`, uint8 [h, w], without the boxes in which something is written. Strokes are
    `stroke` pixels broad; `contrast`, float32 [h, w], tells ink from the line under it.
    """
    least = max(12, round(SHORTEST * stroke))
    across = _straight(mask, least)
    down = np.ascontiguousarray(_straight(np.ascontiguousarray(mask.T), least).T)
    if not (across.any() and down.any()):
        return mask
    near = np.ones((3, 3), np.uint8)
    _, boxes, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(across | down, near))
    kinds = _sides(across, down, boxes)
    counts = [np.bincount([side.box for side in sides], minlength=len(stats)) for _, sides in kinds]
    extent = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    shaped = (np.minimum(*counts) > 0) & (sum(counts) >= SIDES) & (extent > LONGEST * stroke)
    _, parts = cv2.connectedComponents(mask)
    written = least * stroke / 2
    filled = [
        bool(may_be) and _more_inside(parts, boxes, number, place) > written
        for number, (may_be, place) in enumerate(zip(shaped, stats.tolist(), strict=True))
    ]
    chosen = shaped & _of_a_size(stats, np.array(filled))
    across, down = (cv2.dilate(_drawn(*kind, chosen), near) & mask for kind in kinds)
    return take_away(contrast, mask, mask, across, down)


def _more_inside(parts: np.ndarray, boxes: np.ndarray, number: int, place: list[int]) -> int:
    """How much ink lies where this one of the `boxes` does and is not connected with its sides;
    `parts` are the connected components. The lines that a digit is made of hold nothing.
    """
    left, top, width, height, _ = place
    inside = slice(top, top + height), slice(left, left + width)
    own = np.unique(parts[inside][boxes[inside] == number])
    return int(np.count_nonzero(~np.isin(parts[inside], own)))


def _straight(mask: np.ndarray, least: int) -> np.ndarray:
    """Where thin straight lines of this length run from left to right: uint8 [h, w]."""
    slope = slope_of(mask)
    joined = level(mask, slope, cv2.INTER_NEAREST)
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((1, BROKEN), np.uint8))
    joined = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    broad = np.ones((round(THIN * least) + 3, 1), np.uint8)
    runs &= ~cv2.morphologyEx(runs, cv2.MORPH_OPEN, broad)
    runs = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    return level_back(runs, slope, mask.shape) & mask


def _sides(
    across: np.ndarray, down: np.ndarray, boxes: np.ndarray
) -> list[tuple[np.ndarray, list[_Side]]]:
    """The lines across, and the lines down, each with a number of its own, int [h, w]; and
    which of them are long enough for the box, of `boxes`, int [h, w], that they are part of.
    """
    highest = np.zeros(boxes.max() + 1, int)
    kinds = []
    for lines, extent, share in (
        (down, cv2.CC_STAT_HEIGHT, ALIKE),
        (across, cv2.CC_STAT_WIDTH, NARROW),
    ):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(lines)
        there = np.flatnonzero(labels)
        label, first = np.unique(labels.reshape(-1)[there], return_index=True)
        box = boxes.reshape(-1)[there[first]]
        length = stats[label, extent]
        if lines is down:
            np.maximum.at(highest, box, length)
        long = length >= share * highest[box]
        sides = [_Side(*side) for side in np.stack([label, box], axis=1)[long].tolist()]
        kinds.append((labels, sides))
    return kinds[::-1]


def _drawn(labels: np.ndarray, sides: list[_Side], chosen: np.ndarray) -> np.ndarray:
    """uint8 [h, w]: the sides of the boxes that are `chosen`, bool [boxes]."""
    these = [side.label for side in sides if chosen[side.box]]
    return np.isin(labels, these).astype(np.uint8)


def _of_a_size(stats: np.ndarray, some: np.ndarray) -> np.ndarray:
    """bool [boxes]: which are as wide and high as one of `some`, of which they are too."""
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].astype(float)
    ratio = sizes[:, np.newaxis] / sizes[np.newaxis, some]
    return ((ratio > ALIKE) & (ratio < 1 / ALIKE)).all(axis=2).any(axis=1)
