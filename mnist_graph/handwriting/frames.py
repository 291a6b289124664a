"""Forms: takes the printed boxes around digits away."""

import cv2
import numpy as np

from mnist_graph.handwriting.ruling import level, level_back, slope_of, take_away

SHORTEST, LONGEST = 3.5, 8.0
"""A side of a box is this many times as long as a stroke is broad, at least, and a box that many
times as wide or as high,"""
THIN = 0.4
"""and its sides are less broad than this share of how long they are at least."""
BROKEN = 3
"""A printed line may be broken for so many pixels."""
MEETING = 4
"""Each end of a side is so near to another that goes across it, in pixels."""
ALIKE = 0.85
"""Boxes of one size are as wide and as high as each other, but for this."""


def remove_frames(contrast: np.ndarray, mask: np.ndarray, stroke: float) -> np.ndarray:
    """`mask`, uint8 [h, w], without the boxes in which something is written, and those of their
    size. They may share their sides. Strokes are `stroke` pixels broad; `contrast`, float32
    [h, w], tells ink from the line that it was written on.
    """
    least = max(12, round(SHORTEST * stroke))
    across = _straight(mask, least)
    down = np.ascontiguousarray(_straight(np.ascontiguousarray(mask.T), least).T)
    down = _between(down, across, 1)
    across = _between(across, down, 0)
    if not (across.any() and down.any()):
        return mask
    near = np.ones((3, 3), np.uint8)
    _, boxes, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(across | down, near))
    _, parts = cv2.connectedComponents(mask)
    filled = [
        number > 0
        and max(width, height) > LONGEST * stroke
        and _more_inside(parts, boxes, number, (left, top, width, height)) > least * stroke / 2
        for number, (left, top, width, height, _) in enumerate(stats.tolist())
    ]
    chosen = _of_a_size(stats, np.array(filled))[boxes].astype(np.uint8)
    across, down = (cv2.dilate(lines & chosen, near) & mask for lines in (across, down))
    return take_away(contrast, mask, mask, across, down)


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


def _between(lines: np.ndarray, others: np.ndarray, axis: int) -> np.ndarray:
    """Those of the lines that begin and end at one of the others: a stroke that touches a box,
    or stands on a ruled line, ends somewhere else. Lines across (`axis` 0), or down (1).
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines)
    reached = cv2.dilate(others, np.ones((2 * MEETING + 1, 2 * MEETING + 1), np.uint8))
    kept = np.zeros(len(stats), np.uint8)
    for label, place in enumerate(stats.tolist()):
        left, top, width, height = place[:4]
        inside = slice(top, top + height), slice(left, left + width)
        meets = reached[inside] & (labels[inside] == label)
        meets = meets.any(axis=axis)
        kept[label] = label > 0 and meets[0] and meets[-1]
    return kept[labels]


def _more_inside(
    parts: np.ndarray, boxes: np.ndarray, number: int, place: tuple[int, int, int, int]
) -> int:
    """How much ink lies where this one of the `boxes` does and is not connected with its sides;
    `parts` are the connected components. The lines that a digit is made of hold nothing.
    """
    left, top, width, height = place
    inside = slice(top, top + height), slice(left, left + width)
    own = np.unique(parts[inside][boxes[inside] == number])
    return int(np.count_nonzero(~np.isin(parts[inside], own)))


def _of_a_size(stats: np.ndarray, some: np.ndarray) -> np.ndarray:
    """bool [boxes]: which are as wide and high as one of `some`, of which they are too."""
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].astype(float)
    ratio = sizes[:, np.newaxis] / sizes[np.newaxis, some]
    return ((ratio > ALIKE) & (ratio < 1 / ALIKE)).all(axis=2).any(axis=1)
