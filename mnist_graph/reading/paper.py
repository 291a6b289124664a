"""The paper under the ink.

It is found by a morphological closing, which fills what is narrower than its window and leaves
the edge of a shadow or a sheet as sharp as it is.
"""

import cv2
import numpy as np

from mnist_graph.reading.foreground import Seen, find_foreground, without_frame
from mnist_graph.reading.scaling import resize

WINDOWS = (1 / 24, 1 / 12, 1 / 6, 1 / 3)
"""Widths in which the paper is looked for beside the ink, as shares of the shorter side."""
ENOUGH = 0.85
"""A window is wide enough if so much is seen of the ink of the window that shows most."""
BEGUN = 0.3
"""What a wider window shows is a blot if it shows in the narrower one for this share,"""
HOLLOW = 0.7
"""is of this share of the page's full contrast where the narrower shows no such share of it,"""
BLACK = 0.25
"""and takes this share of the light at least: a gradient of the light takes less."""
SIDE = 250
"""What the windows show is compared in a picture whose shorter side is this long at most."""


def find_paper(work: np.ndarray, sheet: np.ndarray | None) -> np.ndarray:
    """The paper of `work`, uint8 [h, w], as it would be without ink: of the same shape.

    It is looked for in the smallest window in which nearly all of the ink is seen: one that is
    too wide takes folds, shadows and the table for ink. A stroke or a blot that fills that
    window is taken for paper in its middle; wider windows show the paper there.
    """
    small = _small(work)
    on_it = sheet
    if sheet is not None:
        on_it = cv2.resize(sheet, small.shape[::-1], interpolation=cv2.INTER_NEAREST)
    grounds = [_closed(small, on_it, share) for share in WINDOWS]
    seen = [find_foreground(small, on_it, ground) for ground in grounds]
    # Squared: a shadow that is taken for ink is broad, but faint.
    inks = [
        float((np.square(each.contrast) * without_frame(each.mask, sheet=on_it)).sum())
        for each in seen
    ]
    chosen = next(index for index, ink in enumerate(inks) if ink >= ENOUGH * max(inks))
    result = _closed(work, sheet, WINDOWS[chosen])
    for wider in range(chosen + 1, len(WINDOWS)):
        blots = _blots(seen[chosen], seen[wider])
        if blots.any():
            size = result.shape[::-1]
            paper = cv2.resize(grounds[wider], size)
            there = cv2.resize(blots, size, interpolation=cv2.INTER_NEAREST)
            result = np.maximum(result, paper * there)
    return result


def dark_parts(work: np.ndarray) -> np.ndarray:
    """What is darker than something near it, in a picture of any light: uint8, no larger
    than 500 pixels on the shorter side."""
    small = _small(work)
    near, far = (
        find_foreground(small, None, _closed(small, None, share)).mask
        for share in (WINDOWS[1], WINDOWS[-1])
    )
    return near | far


def odd(size: float) -> int:
    """A window's width in whole pixels, with one in its middle."""
    return max(3, int(size) // 2 * 2 + 1)


def _small(work: np.ndarray) -> np.ndarray:
    return resize(work, min(1.0, SIDE / min(work.shape)))


def _closed(work: np.ndarray, sheet: np.ndarray | None, share: float) -> np.ndarray:
    """The paper as seen beside ink narrower than a window of that share of the shorter side."""
    window = odd(share * min(work.shape))
    ground = cv2.medianBlur(work, 5)
    if sheet is not None:
        ground *= sheet
    return cv2.morphologyEx(ground, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))


def _blots(narrow: Seen, wide: Seen) -> np.ndarray:
    """Where a wider window fills what is hollow in a narrower one, and a little beyond: uint8
    [h, w]. What it shows as ink begins and ends in ink that both show, as no shadow does.
    """
    if not narrow.mask.any():
        return narrow.mask
    count, labels = cv2.connectedComponents(wide.mask)
    shown = np.bincount(labels.ravel(), minlength=count)
    begun = np.bincount(labels.ravel(), narrow.mask.ravel(), count) > BEGUN * shown
    begun[0] = False
    full = float(np.percentile(narrow.contrast[narrow.mask > 0], 90))
    dark = wide.contrast > max(HOLLOW * full, BLACK)
    hollow = begun[labels] & dark & (narrow.contrast < HOLLOW * wide.contrast)
    return cv2.dilate(hollow.astype(np.uint8), np.ones((7, 7), np.uint8))
