"""The paper as it would be without ink.

A morphological closing fills what is darker and narrower than its window, and leaves the edge of
a shadow or a sheet as sharp as it is.
"""

import cv2
import numpy as np

from mnist_graph.reading.foreground import BLUR, find_foreground, without_edge
from mnist_graph.reading.scaling import resize

WINDOWS = (1 / 24, 1 / 12, 1 / 6, 1 / 3)
"""Windows that are tried, as shares of the picture's shorter side."""
ENOUGH, LEAST = 0.9, 0.6
"""The smallest window is chosen that shows the first share of the ink of the next one, and the
second share of the ink of the one that shows most: a stroke that fills the window is lost, but a
wide one takes folds and the edges of shadows for ink."""
SIDE = 250
"""Shorter side in pixels at which windows are compared."""
REACH = 2
"""Within this many of those pixels of its outline, ink is darker than the paper"""
STEP = 0.5
"""by this share of its contrast,"""
OUTLINED = 0.6
"""along this share of the outline. What a wide window shows of a shadow ends on one side where the
shadow does, but on the others where the window does."""
BLURRED = 0.1
"""If less than this share of the ink is outlined, the picture is blurred, and all of it counts."""
STEADY, UNSTEADY = 0.8, 0.5
"""The least that a window shows, as a share of the most: more than the first for ink, less than the
second for what would be ink if light and dark were exchanged. This tells 1,577 of 1,636 drawn pages
without a table, all of them rightly; of single digits that fill a picture, it tells none."""


def find_paper(work: np.ndarray, sheet: np.ndarray | None) -> np.ndarray:
    """Return the paper of the picture `work`, uint8 [h, w], without its ink: uint8 [h, w].

    `sheet`, uint8 [h, w], is 1 on the sheet of paper; None where the picture shows only that.
    """
    small = resize(work, min(1.0, SIDE / min(work.shape)))
    on_it = None
    if sheet is not None:
        on_it = cv2.resize(sheet, small.shape[::-1], interpolation=cv2.INTER_NEAREST)
    inks = _count_inks(small, on_it)
    pairs = zip(inks, [*inks[1:], 0.0], strict=True)
    chosen = next(
        index
        for index, (ink, wider) in enumerate(pairs)
        if ink >= max(ENOUGH * wider, LEAST * max(inks))
    )
    return _close(work, sheet, WINDOWS[chosen], sheet is None)


def steady_tone(work: np.ndarray) -> bool | None:
    """Return whether the ink of the picture `work`, uint8 [h, w], is lighter than its paper; None
    if the windows do not tell.

    Each of them shows the same ink, as it is narrower than all of them. What is between strokes,
    which would be ink if light and dark were exchanged, is wider: more of it shows with each.
    """
    small = resize(work, min(1.0, SIDE / min(work.shape)))
    dark, light = (_steadiness(_count_inks(each, None)) for each in (small, 255 - small))
    if max(dark, light) < STEADY or min(dark, light) > UNSTEADY:
        return None
    return light > dark


def _steadiness(inks: list[float]) -> float:
    """Return the least of `inks` as a share of the most."""
    return min(inks) / max(*inks, 1e-9)


def dark_parts(work: np.ndarray) -> np.ndarray:
    """Return what is darker than something near it, in any light: uint8 [h', w'], at most SIDE
    pixels on the shorter side."""
    small = resize(work, min(1.0, SIDE / min(work.shape)))
    masks = [
        find_foreground(small, _close(small, None, share, continued=False), None).mask
        for share in (WINDOWS[1], WINDOWS[-1])
    ]
    return masks[0] | masks[1]


def _count_inks(small: np.ndarray, sheet: np.ndarray | None) -> list[float]:
    """Return how much ink shows with each of the WINDOWS."""
    counts = [_count_ink(small, sheet, share) for share in WINDOWS]
    everything, outlined = map(list, zip(*counts, strict=True))
    return outlined if max(outlined) > BLURRED * max(everything) else everything


def _count_ink(small: np.ndarray, sheet: np.ndarray | None, share: float) -> tuple[float, float]:
    """Return how much ink shows with a window of this share of the shorter side, and how much of it
    has its outline in the picture. Contrast counts squared, as a shadow misclassified as ink is
    broad, but faint.
    """
    seen = find_foreground(small, _close(small, sheet, share, sheet is None), sheet)
    mask = without_edge(seen.mask)
    outlined = _outlined(small, seen.contrast, mask)
    squares = np.square(seen.contrast)
    return float((squares * mask).sum()), float((squares * outlined).sum())


def _outlined(small: np.ndarray, contrast: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return `mask`, of 0 and 1, with only those of its parts whose outline is in the picture,
    `small`: uint8 [h, w], like `contrast`, float32, and `mask`.
    """
    count, labels = cv2.connectedComponents(mask)
    sums = np.bincount(labels.ravel(), weights=contrast.ravel(), minlength=count)
    mean = sums / np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    outline = (mask > 0) & (cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=1) == 0)
    at = labels[outline]
    light = np.maximum(cv2.GaussianBlur(small, (0, 0), BLUR), 1)
    square = np.ones((2 * REACH + 1,) * 2, np.uint8)
    step = 1 - cv2.erode(light, square)[outline] / cv2.dilate(light, square)[outline]
    steps = np.bincount(at, weights=step > STEP * mean[at], minlength=count)
    keep = (steps > OUTLINED * np.bincount(at, minlength=count)).astype(np.uint8)
    keep[0] = 0
    return keep[labels]


def _close(work: np.ndarray, sheet: np.ndarray | None, share: float, continued: bool) -> np.ndarray:
    """Fill what is darker and narrower than a window of this share of the shorter side.

    The closing makes the picture's edge as light as half a window further in. Where light falls
    off towards the edge, or there is a table, the paper is `continued` beyond it, so that these are
    not misclassified as ink.
    """
    window = max(3, int(share * min(work.shape)) // 2 * 2 + 1)
    paper = cv2.medianBlur(work, 5)
    if sheet is not None:
        paper *= sheet
    if continued:
        border = (window,) * 4
        paper = cv2.copyMakeBorder(paper, *border, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(paper, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    return paper[window:-window, window:-window].copy() if continued else paper
