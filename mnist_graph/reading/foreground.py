"""Ink, told from the paper by its contrast to it."""

from typing import NamedTuple

import cv2
import numpy as np

MIN_CONTRAST = 0.04
"""Ink that takes less than this share of the paper's light is not seen."""
NOISE = 5.0
"""Ink stands out from the paper's grain by this many standard deviations."""
DEEPEST = 0.4
"""Where there is less than this share of the usual light, it is no paper in the shadow."""
STRONG = 0.4
"""Of the page's full contrast: every stroke reaches it somewhere,"""
FAINT = 0.15
"""and goes on as far as it has this much."""
FRAME = 0.15
"""What touches the picture's edge for more than this share of its shorter side is no writing"""
FILLED = 0.3
"""if it fills more than this share of its own box."""


class Seen(NamedTuple):
    """What stands out from the paper."""

    contrast: np.ndarray
    """float32 [h, w]: the share of the paper's light that is missing."""
    mask: np.ndarray
    """uint8 [h, w]: 1 where there is ink."""
    faint: np.ndarray
    """uint8 [h, w]: 1 where there might be more than paper."""


def find_foreground(work: np.ndarray, sheet: np.ndarray | None, ground: np.ndarray) -> Seen:
    """What is seen on `ground`, the paper as it is without ink: uint8 [h, w], as `work` is."""
    smooth = cv2.GaussianBlur(work, (0, 0), 1.0)
    light = np.maximum(ground, 24).astype(np.float32)
    contrast = 1 - smooth / light
    on_it = slice(None) if sheet is None else sheet.reshape(-1) > 0
    seen, lit = contrast.reshape(-1)[on_it], light.reshape(-1)[on_it]
    step = max(1, seen.size // 50_000)
    seen, lit = seen[::step], lit[::step]
    level = float(np.median(seen))
    # A camera's noise is of the same grey levels in the light and in the shadow.
    noise = NOISE * 1.4826 * float(np.median(np.abs(seen - level) * lit))
    darkest = DEEPEST * float(np.median(lit))
    contrast = np.clip(contrast - level, 0, 1)
    if sheet is not None:
        contrast *= cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1)
    least = np.maximum(noise / np.maximum(light, darkest), MIN_CONTRAST)
    seen = contrast[without_frame((contrast > least).astype(np.uint8), FILLED) > 0]
    if not len(seen):
        nothing = np.zeros(work.shape, np.uint8)
        return Seen(contrast, nothing, nothing)
    full = float(np.percentile(seen, 90))
    _, labels = cv2.connectedComponents(
        (contrast > np.maximum(0.6 * least, FAINT * full)).astype(np.uint8)
    )
    strong = np.zeros(labels.max() + 1, np.uint8)
    strong[labels[contrast > np.maximum(least, STRONG * full)]] = 1
    strong[0] = 0
    return Seen(contrast, strong[labels], (contrast > 0.6 * least).astype(np.uint8))


def without_frame(
    mask: np.ndarray, fill: float = 0.0, sheet: np.ndarray | None = None
) -> np.ndarray:
    """`mask` without what touches the edge of the picture, or of the sheet, at length and
    fills more than this share of its own box.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if sheet is None:
        border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    else:
        border = labels[cv2.erode(sheet, np.ones((9, 9), np.uint8), borderValue=0) == 0]
    touching = np.bincount(border, minlength=len(stats))
    box = stats[:, cv2.CC_STAT_WIDTH].astype(float) * stats[:, cv2.CC_STAT_HEIGHT]
    filled = stats[:, cv2.CC_STAT_AREA] > fill * box
    keep = ((touching < FRAME * min(mask.shape)) | ~filled).astype(np.uint8)
    keep[0] = 0
    inside = keep[labels]
    # A digit that fills the picture touches its edge too.
    return inside if np.count_nonzero(inside) > 0.02 * np.count_nonzero(mask) else mask
