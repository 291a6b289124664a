"""Forms: takes the printed boxes and combs away in which digits are written."""

import cv2
import numpy as np

from mnist_graph.reading.combs import TOOTH, without_combs
from mnist_graph.reading.ruling import slope_of, take_away
from mnist_graph.reading.straight import MEETING, straight, upright

SHORTEST, LONGEST = 3.5, 8.0
"""A side of a box is this many times as long as a stroke is broad, at least, and a box that many
times as wide or as high,"""
SEVERAL, FEW = 5.0, 3
"""or as this, where there are three and more of a size"""
FINE = 0.08
"""whose lines are no broader than this share of their own sides,"""
THIN = 1.4
"""and its sides are less broad than so many strokes."""
ALIKE = 0.85
"""Boxes of one size are as wide and as high as each other, but for this."""
CLOSED = 0.9
"""Where nothing is in it, lines are along this share of a box's outline, or it is a zero,"""
RIM = 6
"""no farther from it than so many pixels,"""
TILTED = np.deg2rad(4)
"""and as much as a form may be turned by."""
OBLONG = 1.3
"""No zero is so many times as wide as high."""


def remove_frames(contrast: np.ndarray, mask: np.ndarray, stroke: float) -> np.ndarray:
    """`mask`, uint8 [h, w], without combs, and without boxes: those in which something is
    written, those of their size, and empty ones that are printed, for there are several of a
    size or they are wider than a zero. They may share their sides. Strokes are `stroke` pixels
    broad; `contrast`, float32 [h, w], tells ink from the line that it was written on.
    """
    least, broad = max(12, round(SHORTEST * stroke)), round(THIN * stroke) + 3
    slope = slope_of(mask)
    across = straight(mask, slope, least, broad)
    teeth = upright(mask, -slope, max(8, round(TOOTH * stroke)), broad)
    mask = without_combs(contrast, mask, across, teeth)
    down = upright(mask, slope_of(mask.T), least, broad)
    down = _between(down, across, 1)
    across = _between(across, down, 0)
    if not (across.any() and down.any()):
        return mask
    near = np.ones((3, 3), np.uint8)
    lines = cv2.dilate(across | down, near)
    _, boxes, stats, _ = cv2.connectedComponentsWithStats(lines)
    chosen = _are_printed(mask, lines, boxes, stats, stroke, least)[boxes].astype(np.uint8)
    across, down = (cv2.dilate(lines & chosen, near) & mask for lines in (across, down))
    return take_away(contrast, mask, mask, across, down)


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


def _are_printed(
    mask: np.ndarray,
    lines: np.ndarray,
    boxes: np.ndarray,
    stats: np.ndarray,
    stroke: float,
    least: int,
) -> np.ndarray:
    """bool [boxes]: which of them are a form's, and not the strokes of a digit."""
    _, parts = cv2.connectedComponents(mask)
    bare = mask & ~lines
    filled, several = np.zeros((2, len(stats)), bool)
    for number, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        inside = slice(top, top + height), slice(left, left + width)
        # The lines that a digit is made of hold nothing that is not connected with them.
        own = np.unique(parts[inside][boxes[inside] == number])
        apart = np.count_nonzero(~np.isin(parts[inside], own)) > least * stroke / 2
        filled[number] = apart and max(width, height) > LONGEST * stroke
        touched = np.count_nonzero(bare[inside]) > least * stroke / 2
        box = (boxes[inside] == number) & (mask[inside] > 0)
        closed = _is_closed(box)
        is_fine = np.count_nonzero(box) < FINE * max(width, height) * 2 * (width + height)
        is_large = max(width, height) > SEVERAL * stroke
        several[number] = (touched or closed) and is_fine and is_large
        filled[number] |= closed and is_fine and width > OBLONG * height
    some = filled | several
    alike = _of_a_size(stats, some)
    certain = filled[some] | (np.count_nonzero(alike[some], axis=0) >= FEW)
    return alike[:, certain].any(axis=1)


def _is_closed(box: np.ndarray) -> bool:
    """Whether lines, bool [h, w] and cut to them, go around all of it."""
    rim = RIM + round(max(box.shape) * np.tan(TILTED))
    sides = (box[:rim].any(0), box[-rim:].any(0), box[:, :rim].any(1), box[:, -rim:].any(1))
    return min(side.mean() for side in sides) > CLOSED


def _of_a_size(stats: np.ndarray, some: np.ndarray) -> np.ndarray:
    """bool [boxes, some]: which are as wide and as high as which of these."""
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].astype(float)
    ratio = sizes[:, np.newaxis] / sizes[np.newaxis, some]
    return ((ratio > ALIKE) & (ratio < 1 / ALIKE)).all(axis=2)
