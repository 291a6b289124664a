"""The foreground of a page: ink, and what looks like it, told from the paper by its contrast."""

from typing import NamedTuple

import cv2
import numpy as np

MIN_CONTRAST = 0.04
"""Least contrast of ink, as a share of the paper's light."""
NOISE = 5.0
"""Least contrast of ink in standard deviations of the paper's grain."""
BLUR = 1.0
"""Standard deviation, in working pixels, of the blur that evens out the grain."""
DARKEST = 0.4
"""What is darker than this share of the usual light is not paper in a shadow."""
STRONG, FAINT = 0.4, 0.15
"""Every stroke reaches the first share of the page's full contrast somewhere, and extends as far
as it has the second."""
EDGE = 0.15
"""What touches the edge of the picture over this share of its shorter side is not writing,"""
FILLED = 0.3
"""if it fills more than this share of its own box."""
AROUND = 0.25
"""Where this share of the picture's edges is touched, nothing that touches them is writing. On 150
drawn pages, writing touches less than 0.01."""
SAMPLES = 50_000
"""Pixels that statistics are computed from."""


class Foreground(NamedTuple):
    """What differs from the paper."""

    contrast: np.ndarray
    """float32 [h, w]: the share of the paper's light that is missing."""
    mask: np.ndarray
    """uint8 [h, w]: 1 on the foreground."""
    faint: np.ndarray
    """uint8 [h, w]: 1 on what may be more than paper; includes the foreground."""


def find_foreground(work: np.ndarray, paper: np.ndarray, sheet: np.ndarray | None) -> Foreground:
    """Find what differs from `paper`: uint8 [h, w] like the picture, `work`.

    `sheet`, uint8 [h, w], is 1 on the sheet of paper; None where the picture shows only that.
    """
    light = np.maximum(paper, 24).astype(np.float32)
    contrast = 1 - cv2.GaussianBlur(work, (0, 0), BLUR) / light
    on_sheet = slice(None) if sheet is None else sheet.ravel() > 0
    seen, lit = contrast.ravel()[on_sheet], light.ravel()[on_sheet]
    step = max(1, seen.size // SAMPLES)
    seen, lit = seen[::step], lit[::step]
    level = float(np.median(seen))
    # A camera's noise has the same grey levels in the light and in the shadow.
    noise = NOISE * 1.4826 * float(np.median(np.abs(seen - level) * lit))
    np.clip(contrast - level, 0, 1, out=contrast)
    if sheet is not None:
        contrast *= cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1)
    least = np.maximum(noise / np.maximum(light, DARKEST * float(np.median(lit))), MIN_CONTRAST)
    return select_ink(contrast, least)


def select_ink(contrast: np.ndarray, least: np.ndarray | float) -> Foreground:
    """Find the foreground by its contrast: a part of it has more than `least`, and at least a
    share of the page's full contrast, somewhere.
    """
    faint = (contrast > 0.6 * least).astype(np.uint8)
    certain = contrast[without_edge((contrast > least).astype(np.uint8)) > 0]
    if not len(certain):
        return Foreground(contrast, np.zeros_like(faint), faint)
    full = float(np.percentile(certain[:: max(1, len(certain) // SAMPLES)], 90))
    extent = (contrast > np.maximum(0.6 * least, FAINT * full)).astype(np.uint8)
    count, labels = cv2.connectedComponents(extent)
    strong = np.zeros(count, np.uint8)
    strong[labels[contrast > np.maximum(least, STRONG * full)]] = 1
    strong[0] = 0
    return Foreground(contrast, strong[labels], faint)


def without_edge(mask: np.ndarray) -> np.ndarray:
    """Return `mask`, of 0 and 1, without what comes in from the picture's edge, as a table does."""
    enough = EDGE * min(mask.shape)
    if np.count_nonzero(_border(mask)) < enough:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    touching = np.bincount(_border(labels), minlength=len(stats))
    box = stats[:, cv2.CC_STAT_WIDTH].astype(float) * stats[:, cv2.CC_STAT_HEIGHT]
    filled = stats[:, cv2.CC_STAT_AREA] > FILLED * box
    keep = ((touching < enough) | ~filled).astype(np.uint8)
    keep[0] = 0
    inside = keep[labels]
    # A digit that fills the picture touches its edge too.
    return inside if np.count_nonzero(inside) > 0.02 * np.count_nonzero(mask) else mask


def without_table(mask: np.ndarray) -> np.ndarray:
    """Return `mask`, of 0 and 1, without what touches the picture's edge if much of the edge is
    touched: a table in many parts.
    """
    rim = _border(mask)
    if np.count_nonzero(rim) < AROUND * len(rim):
        return mask
    count, labels = cv2.connectedComponents(mask)
    keep = np.ones(count, np.uint8)
    keep[_border(labels)] = keep[0] = 0
    return keep[labels] if keep.any() else mask


def _border(values: np.ndarray) -> np.ndarray:
    """Return what is at the four edges of [h, w]: [2 h + 2 w]."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
