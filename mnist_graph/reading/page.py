"""The page on a picture: its writing dark on light, its paper without the writing, its foreground.

Contrast is relative to the paper at that place, because light multiplies what paper and ink
reflect: in a shadow both are darker by the same factor.
"""

from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.foreground import (
    MIN_CONTRAST,
    find_foreground,
    select_ink,
    without_edge,
    without_table,
)
from mnist_graph.reading.lines import remove_lines
from mnist_graph.reading.paper import dark_parts, find_paper, steady_tone
from mnist_graph.reading.scaling import resize, smooth_blocks, to_working_size
from mnist_graph.reading.sheet import find_sheet

PLAIN = 0.8
"""Share of a picture within PLAIN_LEVELS of one grey level above which its background is plain:
a drawing, not a photo. Also in a small picture if that single level takes PLAIN_SMALL of it."""
PLAIN_LEVELS = 4
PLAIN_SMALL = 0.2
SMALL = 200
"""Shorter side in pixels below which a picture is small: a digit, or a row cut out. It shows no
table around a sheet, strokes may take much of it, and lines stay: a network reads across them."""
MOST = 0.5
"""If more than this share of a picture is within PLAIN_LEVELS of one light level, that is paper.
Without this rule, 7 of the first 300 of scikit-learn's digits, zeros in broad strokes, are lost."""
TONE_SIDE = 300
"""Longer side in pixels at which light ink is told from dark. Right for all of the 155 development
strings and 109 drawn pages of validation digits."""


class Page(NamedTuple):
    """A picture, ready to look for rows. Working pixels are those of `paper` and `mask`."""

    grey: np.ndarray
    """uint8 [height, width]: the whole picture, dark ink on light paper."""
    work: np.ndarray
    """uint8 [h, w]: the same at working size."""
    paper: np.ndarray
    """uint8 [h, w]: the paper as it would be without ink."""
    mask: np.ndarray
    """uint8 [h, w]: 1 on the foreground, which is ink and what looks like it."""
    scale: float
    """Working pixels per pixel of the picture."""

    @property
    def stroke(self) -> float:
        """The typical width of a stroke in working pixels; 0 without ink.

        Across a stroke of width w, the distance to its edge goes evenly from 0 to w / 2.
        """
        depth = cv2.distanceTransform(self.mask, cv2.DIST_L2, 3)[self.mask > 0]
        # Where all is foreground, there is no edge to measure to.
        return min(4 * float(np.median(depth)), *self.mask.shape) if len(depth) else 0.0

    def to_picture(self, box: Box) -> Box:
        """Return a box of working pixels in pixels of the picture, of which it is one at least."""
        return box.scaled(1 / self.scale).clipped(self.grey.shape[1], self.grey.shape[0])

    def contrast(self, box: Box) -> np.ndarray:
        """Return the share of the paper's light that is missing in a box of working pixels:
        float32 [height, width], clipped to [0, 1]."""
        paper = np.maximum(self.paper[box.inside], 1).astype(np.float32)
        return np.clip(1 - self.work[box.inside] / paper, 0, 1)


def find_page(grey: np.ndarray) -> Page:
    """Find the page on a picture, uint8 [height, width]. Without ink, the mask is empty."""
    grey = smooth_blocks(grey)
    work, scale = to_working_size(grey)
    is_small = min(grey.shape) < SMALL
    level = _plain_level(work, is_small)
    if level is not None:
        return _find_drawing(grey, work, scale, level)
    sheet = None if is_small else find_sheet(work, dark_parts(work))
    if sheet is None and _has_light_ink(grey, work):
        grey, work = 255 - grey, 255 - work
    paper = find_paper(work, sheet)
    seen = find_foreground(work, paper, sheet)
    mask = seen.mask if is_small else without_table(without_edge(remove_lines(seen)))
    return Page(grey, work, paper, mask, scale)


def show_dark_on_light(grey: np.ndarray) -> np.ndarray:
    """Return a small picture, uint8 [height, width], as `grey` of its page, without finding that,
    which takes ten times as long.
    """
    grey = smooth_blocks(grey)
    work, _ = to_working_size(grey)
    level = _plain_level(work, is_small=True)
    is_light = is_light_on_dark(grey) if level is None else _is_lighter(work, level)
    return 255 - grey if is_light else grey


def _find_drawing(grey: np.ndarray, work: np.ndarray, scale: float, level: int) -> Page:
    """Find the page of a picture whose background has this one grey level."""
    if _is_lighter(work, level):
        grey, work, level = 255 - grey, 255 - work, 255 - level
    contrast = np.clip((level - work.astype(np.float32)) / max(level, 1), 0, 1)
    seen = select_ink(contrast, MIN_CONTRAST)
    mask = seen.mask if min(grey.shape) < SMALL else without_edge(remove_lines(seen))
    return Page(grey, work, np.full_like(work, level), mask, scale)


def _is_lighter(work: np.ndarray, level: int) -> bool:
    """Return whether the ink is lighter than a background of this one grey level."""
    return bool(work.mean() > level)


def _plain_level(work: np.ndarray, is_small: bool) -> int | None:
    """Return the grey level of a plain background; None for a photo."""
    level, alone, near = _commonest_level(work)
    if is_small:  # a photo has grain there
        return level if alone > max(PLAIN_SMALL, 0.7 * near) else None
    return level if near > PLAIN else None


def _commonest_level(grey: np.ndarray) -> tuple[int, float, float]:
    """Return the commonest grey level, its share of the picture, and that of all levels within
    PLAIN_LEVELS of it.
    """
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    level = int(shares.argmax())
    near = shares[max(0, level - PLAIN_LEVELS) : level + PLAIN_LEVELS + 1].sum()
    return level, float(shares[level]), float(near)


def _has_light_ink(grey: np.ndarray, work: np.ndarray) -> bool:
    """Return whether the ink of a picture, `work` at working size, is lighter than its paper."""
    if min(grey.shape) < SMALL:
        return is_light_on_dark(grey)
    tone = steady_tone(work)
    return is_light_on_dark(work) if tone is None else tone


def is_light_on_dark(grey: np.ndarray) -> bool:
    """Return whether the ink is lighter than the paper: what differs most from its surroundings."""
    level, _, near = _commonest_level(grey)
    if level > 127 and near > MOST:  # in broad strokes, what differs most is the hole of a zero
        return False
    small = resize(grey, min(1.0, TONE_SIDE / max(grey.shape)))
    window = max(3, min(small.shape) // 3 // 2 * 2 + 1)
    difference = small.astype(np.int16) - cv2.medianBlur(small, window)
    darkest, lightest = np.percentile(difference, [1, 99])
    return bool(lightest > -darkest)
