"""Ruled and squared paper: removes its lines from the foreground, so that they join no digits."""

import cv2
import numpy as np

from mnist_graph.reading.foreground import Foreground

SLOPES = np.tan(np.deg2rad(np.arange(-8, 8.01, 0.5)))
"""Slopes of the lines of a page that are tried."""
RUN, MIN_RUN = 1 / 10, 20
"""A line runs unbroken for this share of the picture's width (height, if it is vertical), and for
this many working pixels,"""
LENGTH = 0.5
"""and from end to end for this share,"""
THICKNESS = 1 / 50
"""and is thinner than this share of its length: a digit that fills a picture is not."""
BROKEN = 5
"""Greatest gap in a line, in working pixels."""
DARKER = 1.6
"""What has this many times a line's median contrast is ink on it."""


def remove_lines(seen: Foreground) -> np.ndarray:
    """Return the mask, uint8 [h, w], without long straight lines, but with the strokes that cross
    them. The lines are looked for in all that may be more than paper.
    """
    contrast, mask, faint = seen
    across = _find_lines(faint)
    down = np.ascontiguousarray(_find_lines(np.ascontiguousarray(faint.T)).T)
    kept = mask.copy()
    for lines, others, is_down in ((across, down, False), (down, across, True)):
        bare = contrast[(lines & ~others) > 0]
        if not len(bare):
            continue
        length = round(1.5 * _thickness(lines, 1 if is_down else 0)) + 2
        kernel = np.ones((1, length) if is_down else (length, 1), np.uint8)
        crossing = cv2.morphologyEx(mask & ~others, cv2.MORPH_OPEN, kernel)
        darker = contrast > DARKER * float(np.median(bare)) * (1 + (lines & others))
        kept &= ~(lines & ~(crossing | darker))
    return kept & 1


def _find_lines(faint: np.ndarray) -> np.ndarray:
    """Return what of `faint` is in lines from left to right: uint8 [h, w]."""
    height, width = faint.shape
    slope = _slope(faint)
    shear = np.array([[1, 0, 0], [-slope, 1, max(0.0, slope) * width]], np.float32)
    size = (width, int(height + abs(slope) * width) + 1)
    level = cv2.warpAffine(faint, shear, size, flags=cv2.INTER_NEAREST)
    joined = cv2.dilate(level, np.ones((3, 1), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((1, BROKEN), np.uint8))
    run = np.ones((1, max(MIN_RUN, int(RUN * width))), np.uint8)
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, run)
    if not runs.any():
        return np.zeros_like(faint)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(runs, run))
    length = stats[:, cv2.CC_STAT_WIDTH]
    areas = np.bincount(labels[(runs & level) > 0], minlength=len(length))
    is_line = ((length > LENGTH * width) & (areas < THICKNESS * length**2)).astype(np.uint8)
    is_line[0] = 0
    level = runs & is_line[labels]
    back = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(level, shear, (width, height), flags=back) & faint


def _slope(faint: np.ndarray) -> float:
    """Return the slope along which the pixels of `faint` gather in the fewest rows."""
    y, x = np.nonzero(faint)
    step = max(1, len(y) // 50_000)
    y, x = y[::step].astype(np.float32), x[::step].astype(np.float32)

    def gathering(slope: float) -> float:
        rows = (y - slope * x).astype(np.int32)
        return float(np.square(np.bincount(rows - rows.min()).astype(np.float64)).sum())

    return max(SLOPES.tolist(), key=gathering) if len(y) else 0.0


def _thickness(lines: np.ndarray, axis: int) -> float:
    """Return the mean width of lines, in pixels."""
    edges = np.count_nonzero(np.diff(lines.astype(np.int8), axis=axis) == 1)
    return float(np.count_nonzero(lines) / max(1, int(edges)))
