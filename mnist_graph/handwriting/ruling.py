"""Ruled and squared paper: takes its lines away and leaves what is written across them."""

import cv2
import numpy as np

ANGLES = np.deg2rad(np.arange(-8, 8.01, 0.5))
"""How far a page's lines may be turned from the picture's sides."""
RUN = 1 / 10
"""A line is nearly straight for this share of the page, or it is writing,"""
DENSE = 0.5
"""and at least so much of it is seen there."""
EXTENT = 0.6
"""From end to end it crosses this share of the page,"""
COVERED = 0.45
"""and in so much of the page it is seen like that."""
DARKER = 1.6
"""What has so many times a line's contrast is ink upon it."""


def remove_ruling(contrast: np.ndarray, mask: np.ndarray, faint: np.ndarray) -> np.ndarray:
    """`mask`, uint8 [h, w], without the lines of the paper.

    They are looked for in `faint`, the mask of all that might be more than paper. `contrast`,
    float32 [h, w], tells ink from the line that it was written on.
    """
    across = _lines(faint)
    down = np.ascontiguousarray(_lines(np.ascontiguousarray(faint.T)).T)
    kept = mask.copy()
    for lines, others, upright in ((across, down, True), (down, across, False)):
        bare = contrast[(lines & faint & ~others) > 0]
        if not len(bare):
            continue
        # What runs through a line for clearly more than its own width crosses it.
        length = round(1.5 * _thickness(lines & faint, upright)) + 2
        kernel = np.ones((length, 1) if upright else (1, length), np.uint8)
        crossing = cv2.morphologyEx(mask & ~others, cv2.MORPH_OPEN, kernel)
        usual = float(np.median(bare)) * (1 + (lines & others))
        darker = (contrast > DARKER * usual).astype(np.uint8)
        kept &= ~(lines & ~(crossing | darker))
    return kept & 1


def _lines(faint: np.ndarray) -> np.ndarray:
    """Where the lines are that cross the page from left to right: uint8 [h, w]."""
    height, width = faint.shape
    slope = _slope(faint)
    shear = np.float32([[1, 0, 0], [-slope, 1, max(0.0, slope) * width]])
    size = (width, int(height + abs(slope) * width) + 1)
    level = cv2.warpAffine(faint, shear, size, flags=cv2.INTER_NEAREST)
    run = max(12, int(RUN * width))
    thick = cv2.dilate(level, np.ones((3, 1), np.uint8))
    runs = thick & (cv2.blur(thick * np.uint8(255), (run, 1)) > DENSE * 255)
    joined = cv2.dilate(runs, np.ones((1, run), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    drawn = np.zeros(level.shape, np.uint8)
    for label, (left, top, wide, high, _) in enumerate(stats.tolist()):
        if label == 0 or wide < EXTENT * width or high > 0.08 * wide:
            continue
        there = slice(top, top + high), slice(left, left + wide)
        y, x = np.nonzero(runs[there] & (labels[there] == label))
        if len(np.unique(x)) > COVERED * width:
            _draw(drawn, x + left, y + top)
    back = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(drawn, shear, (width, height), flags=back)


def _draw(drawn: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Draws the line of these pixels all the way across, as a parabola."""
    curve = np.polynomial.Polynomial.fit(x, y, 2)
    width = round(len(y) / len(np.unique(x)))
    across = np.arange(drawn.shape[1])
    points = np.stack([across, np.rint(curve(across))], axis=1).astype(np.int32)
    cv2.polylines(drawn, [points], False, 1, max(3, width + 1))


def _slope(faint: np.ndarray) -> float:
    """The slope along which the pixels of `faint` gather in the fewest rows."""
    y, x = np.nonzero(faint)
    step = max(1, len(y) // 50_000)
    y, x = y[::step].astype(np.float32), x[::step].astype(np.float32)

    def gathering(slope: float) -> float:
        rows = (y - slope * x).astype(np.int32)
        return float(np.square(np.bincount(rows - rows.min()).astype(np.float64)).sum())

    return float(max(np.tan(ANGLES), key=gathering)) if len(y) else 0.0


def _thickness(lines: np.ndarray, upright: bool) -> float:
    """The typical width of lines, in pixels."""
    edges = np.count_nonzero(np.diff(lines.astype(np.int8), axis=0 if upright else 1) == 1)
    return np.count_nonzero(lines) / max(1, edges)
