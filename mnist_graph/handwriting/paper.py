"""From grey to ink: what on a picture is paper, light and ruling, and what was written.

Contrast is taken relative to the paper right there, as light multiplies what paper and ink
give back: in a shadow both are darker by the same factor. The paper under the ink is found
by a morphological closing, which fills what is narrower than its window and leaves the edge
of a shadow or a sheet as sharp as it is.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.handwriting.boxes import Box
from mnist_graph.handwriting.frames import remove_frames
from mnist_graph.handwriting.ruling import remove_ruling
from mnist_graph.handwriting.sheet import find_sheet

WORKING_PIXELS = 4_000_000
"""A larger picture is scaled down to this: an A4 page then has 8 pixels a millimetre."""
WORKING_SIDE = 200
"""A picture whose shorter side has fewer pixels is scaled up to this many,"""
LONGEST_SIDE = 6000
"""unless the longer side would then have more than this."""
MIN_CONTRAST = 0.04
"""Ink that takes less than this share of the paper's light is not seen."""
NOISE = 5.0
"""Ink stands out from the paper's grain by this many standard deviations."""
DEEPEST = 0.4
"""Where there is less than this share of the usual light, it is no paper in the shadow."""

SMALL = 320
"""A picture is small if its shorter side has at most so many working pixels."""
PLAIN, PLAIN_SMALL = 0.8, 0.2
"""A plain ground takes this share of a picture, and this one of a small picture."""
STRONG = 0.4
"""Of the page's full contrast: every stroke reaches it somewhere,"""
FAINT = 0.15
"""and goes on as far as it has this much."""

BROAD = 0.9
"""This share of the ink tells how broad the pen's strokes are where there is print besides."""
SOFT = 0.4
"""What has more than this share of its contrast beyond its edge is a shadow."""


class Ink(NamedTuple):
    """What is written on a picture, at working size."""

    contrast: np.ndarray
    """float32 [h, w]: the share of the paper's light that is missing, 0 where it is paper."""
    mask: np.ndarray
    """uint8 [h, w]: 1 where there is ink."""
    scale: float
    """Working pixels for one of the picture's."""
    origin: tuple[float, float]
    """Where the working picture's corner lies: how far from the left and the top, in working
    pixels."""
    size: tuple[int, int]
    """Width and height of the picture, in its pixels."""

    def to_picture(self, box: Box) -> Box:
        """A box of working pixels in pixels of the picture, of which it is one at least."""
        across, down = self.origin
        sides = (box.left + across, box.top + down, box.right + across, box.bottom + down)
        left, top, right, bottom = (round(side / self.scale) for side in sides)
        width, height = self.size
        left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
        return Box(left, top, max(min(right, width), left + 1), max(min(bottom, height), top + 1))


def find_ink(grey: np.ndarray) -> Ink:
    """The ink on `grey`, uint8 [height, width]; on a picture without any the mask is empty."""
    native, block, (right, down) = _unenlarged(grey)
    work, scale = _to_working_size(native)
    plain = _plain_ground(work)
    sheet = None
    if plain is not None:
        work, margin = _on_white(work, plain)
        left = top = -margin
        contrast, mask, faint = _against_ground(work, None, np.full_like(work, 255))
    else:
        work, sheet, (left, top) = _on_sheet(work)
        contrast, mask, faint = _against_ground(work, sheet, _ground(work, sheet))
    framed = remove_frames(contrast, mask, stroke_width(mask, BROAD))
    mask = framed & remove_ruling(contrast, mask, faint)
    mask = _without_frame(_without_soft(mask, contrast), FILLED, sheet)
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    origin = (left + right * scale, top + down * scale)
    size = (grey.shape[1], grey.shape[0])
    return Ink(contrast * near, mask, scale / block, origin, size)


def _plain_ground(work: np.ndarray) -> int | None:
    """The grey level of a ground without any shade, as drawings have; None for a photograph.

    Of a small picture, which is of a digit or a few, less needs to be seen of it.
    """
    counts = np.bincount(work.ravel(), minlength=256)
    level = int(counts.argmax())
    near = counts[max(0, level - 4) : level + 5].sum()
    if min(work.shape) <= SMALL:  # where a photograph has grain
        return level if counts[level] > max(PLAIN_SMALL * work.size, 0.7 * near) else None
    return level if near > PLAIN * work.size else None


def _on_white(work: np.ndarray, level: int) -> tuple[np.ndarray, int]:
    """A drawing on a ground of `level`, dark on 255 and, where it is small, with a margin, as
    it may have been cut to the digit; and the width of that margin.
    """
    darker = np.clip(level - work.astype(np.float32), 0, None)
    lighter = np.clip(work.astype(np.float32) - level, 0, None)
    ink, full = (darker, level) if darker.sum() > lighter.sum() else (lighter, 255 - level)
    margin = min(work.shape) // 5 if min(work.shape) <= SMALL else 0
    white = (255 - ink * (255 / max(full, 1))).astype(np.uint8)
    return cv2.copyMakeBorder(white, *[margin] * 4, cv2.BORDER_CONSTANT, value=255), margin


def _on_sheet(work: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, tuple[int, int]]:
    """A photograph cut to the sheet of paper on it and with dark ink; the sheet; and where
    the upper left corner of what was cut out lies.
    """
    sheet = find_sheet(work, _dark_parts(work))
    if sheet is None:
        return (255 - work if _is_light_on_dark(work) else work), None, (0, 0)
    left, top, width, height = cv2.boundingRect(sheet)
    inside = slice(top, top + height), slice(left, left + width)
    return np.ascontiguousarray(work[inside]), np.ascontiguousarray(sheet[inside]), (left, top)


WINDOWS = (1 / 24, 1 / 12, 1 / 6, 1 / 3)
"""Widths in which the paper is looked for beside the ink, as shares of the shorter side."""


SEEN = 0.3
HOLLOW=0.7

FRAME = 0.15
"""What touches the picture's edge for more than this share of its shorter side is no writing"""
FILLED = 0.3
"""if it fills more than this share of its own box."""


def _dark_parts(work: np.ndarray) -> np.ndarray:
    """What is darker than something near it, in a picture of any light: uint8, no larger
    than 500 pixels on the shorter side."""
    factor = min(1.0, 500 / min(work.shape))
    small = _resized(work, factor)
    parts = [
        _against_ground(small, None, _closed(small, None, _odd(share * min(small.shape))))[1]
        for share in (WINDOWS[1], WINDOWS[-1])
    ]
    return parts[0] | parts[1]


def _ground(work: np.ndarray, sheet: np.ndarray | None) -> np.ndarray:
    """The paper: uint8 [h, w].

    It is looked for in the smallest window in which nearly all of the ink is seen: one that is
    too large takes folds, shadows and the table for ink. Where a stroke or a blot fills that
    window its middle is taken for paper; but a wider one shows there what is ink, and that it
    goes on beyond.
    """
    factor = min(1.0, 500 / min(work.shape))
    small = _resized(work, factor)
    on_it = sheet
    if sheet is not None:
        on_it = cv2.resize(sheet, small.shape[::-1], interpolation=cv2.INTER_NEAREST)
    grounds = [_closed(small, on_it, _odd(share * min(small.shape))) for share in WINDOWS]
    seen = [_against_ground(small, on_it, ground)[:2] for ground in grounds]
    # Squared: a shadow that is taken for ink is broad, but faint.
    inks = [
        float((np.square(contrast) * _without_frame(mask, sheet=on_it)).sum())
        for contrast, mask in seen
    ]
    chosen = next(index for index, ink in enumerate(inks) if ink >= 0.85 * max(inks))
    ground = _closed(work, sheet, _odd(WINDOWS[chosen] * min(work.shape)))
    for index in range(chosen + 1, len(WINDOWS)):
        blots = _blots(*seen[chosen], *seen[index])
        if blots.any():
            size = work.shape[::-1]
            blots = cv2.resize(blots, size, interpolation=cv2.INTER_NEAREST)
            wider = cv2.resize(grounds[index], size)
            ground = np.maximum(ground, wider * blots)
    return ground


def _blots(seen: np.ndarray, mask: np.ndarray, contrast: np.ndarray, wider: np.ndarray) -> np.ndarray:
    """Where `wider`, with `contrast`, a mask of ink as a wider window shows it, fills what is
    hollow in `mask`: uint8 [h, w]."""
    count, labels = cv2.connectedComponents(wider)
    both = np.bincount(labels.ravel(), (mask * (wider>0)).ravel(), count)
    all_ = np.bincount(labels.ravel(), minlength=count)
    full = float(np.percentile(seen[mask > 0], 90)) if mask.any() else 1.0
    more = (wider > 0) & (seen < HOLLOW * contrast) & (contrast > max(HOLLOW * full, 0.25))
    keep = both > SEEN * all_
    keep[0] = False
    more &= keep[labels]
    more = cv2.dilate(more.astype(np.uint8), np.ones((7,7),np.uint8))
    return more


def _without_frame(
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


def _without_soft(mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """`mask` without shadows, which go on beyond where they are dark enough to be taken for
    ink: half a stroke further a stroke has ended.
    """
    count, labels = cv2.connectedComponents(mask)
    reach = 2 * max(3, round(stroke_width(mask) / 2)) + 1
    wider = cv2.dilate(labels.astype(np.float32), np.ones((reach, reach), np.uint8))
    rim = wider.astype(np.int32) * (1 - cv2.dilate(mask, np.ones((reach - 4, reach - 4), np.uint8)))

    def mean(of: np.ndarray) -> np.ndarray:
        total = np.bincount(of.ravel(), contrast.ravel(), count)
        return total / np.maximum(np.bincount(of.ravel(), minlength=count), 1)

    keep = (mean(rim) < SOFT * mean(labels)).astype(np.uint8)
    keep[0] = 0
    return keep[labels]


def stroke_width(mask: np.ndarray, share: float = 0.5) -> float:
    """The typical width of the strokes in `mask`, in pixels; 0 where there are none. With a
    higher `share`, in (0, 1], of the broader of them.

    The distance to the edge, over a stroke of width w, goes evenly from 0 to w / 2.
    """
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    inside = depth[mask > 0]
    return 2 / share * float(np.quantile(inside, share)) if len(inside) else 0.0


def _unenlarged(grey: np.ndarray) -> tuple[np.ndarray, int, tuple[float, float]]:
    """A picture that was enlarged by repeating its pixels, as it was before: the pixels; how
    often each was repeated; how far to the right and down its corner has come, in them.

    Their corners would be seen as corners of the strokes.
    """
    starts, blocks = [], []
    for axis in (0, 1):
        changes = np.flatnonzero(np.diff(grey, axis=axis).any(axis=1 - axis)) + 1
        if len(changes) < 2:
            return grey, 1, (0, 0)
        starts.append(int(changes[0]))
        blocks.append(int(np.gcd.reduce(np.diff(changes))))
    block = math.gcd(*blocks)
    if block < 2 or min(grey.shape) < 6 * block:
        return grey, 1, (0, 0)
    shifts = []
    for axis, start in enumerate(starts):
        first = start % block
        indices = np.arange(first - block if first else 0, grey.shape[axis], block)
        grey = np.take(grey, np.maximum(indices, 0), axis=axis)
        shifts.append(first / block - 1 if first else 0.0)
    return np.ascontiguousarray(grey), block, (shifts[1], shifts[0])


def _to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    height, width = grey.shape
    scale = min(1.0, (WORKING_PIXELS / grey.size) ** 0.5)
    if min(height, width) < WORKING_SIDE:
        room = min((WORKING_PIXELS / grey.size) ** 0.5, max(1.0, LONGEST_SIDE / max(grey.shape)))
        scale = min(WORKING_SIDE / min(height, width), room)
    if scale == 1:
        return grey, scale
    return _resized(grey, scale), scale


def _resized(grey: np.ndarray, scale: float) -> np.ndarray:
    height, width = grey.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=method)


def _odd(size: float) -> int:
    return max(3, int(size) // 2 * 2 + 1)


def _is_light_on_dark(work: np.ndarray) -> bool:
    """Whether what differs from its surroundings, of which it is the lesser part, is lighter.

    The smallest surroundings that give a clear answer decide.
    """
    factor = min(1.0, 600 / max(work.shape))
    small = _resized(work, factor)
    for share in (24, 12, 6, 3, 2):
        ground = cv2.medianBlur(small, _odd(min(small.shape) / share))
        difference = small.astype(np.float32) - ground
        grain = 1.4826 * float(np.median(np.abs(difference)))
        excess = np.clip(np.abs(difference) - max(5 * grain, 6), 0, 60)
        lighter = float(excess[difference > 0].sum())
        darker = float(excess[difference < 0].sum())
        if max(lighter, darker) > 2 * min(lighter, darker):
            break
    return lighter > darker


def _closed(work: np.ndarray, sheet: np.ndarray | None, window: int) -> np.ndarray:
    """The paper as seen beside ink narrower than `window` pixels."""
    ground = cv2.medianBlur(work, 5)
    if sheet is not None:
        ground *= sheet
    return cv2.morphologyEx(ground, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))


def _against_ground(
    work: np.ndarray, sheet: np.ndarray | None, ground: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contrast and mask of the ink on `ground`; and the mask of all that might be more than
    ground.
    """
    smooth = cv2.GaussianBlur(work, (0, 0), 1.0)
    light = np.maximum(ground, 24).astype(np.float32)
    contrast = 1 - smooth / light
    on_it = slice(None) if sheet is None else sheet.reshape(-1) > 0
    seen, lit = contrast.reshape(-1)[on_it], light.reshape(-1)[on_it]
    step = max(1, seen.size // 500_000)
    seen, lit = seen[::step], lit[::step]
    level = float(np.median(seen))
    # A camera's noise is of the same grey levels in the light and in the shadow.
    noise = NOISE * 1.4826 * float(np.median(np.abs(seen - level) * lit))
    darkest = DEEPEST * float(np.median(lit))
    contrast = np.clip(contrast - level, 0, 1)
    if sheet is not None:
        contrast *= cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1)
    least = np.maximum(noise / np.maximum(light, darkest), MIN_CONTRAST)
    seen = contrast[_without_frame((contrast > least).astype(np.uint8), FILLED) > 0]
    if not len(seen):
        nothing = np.zeros(work.shape, np.uint8)
        return contrast, nothing, nothing
    full = float(np.percentile(seen, 90))
    _, labels = cv2.connectedComponents(
        (contrast > np.maximum(0.6 * least, FAINT * full)).astype(np.uint8)
    )
    strong = np.zeros(labels.max() + 1, np.uint8)
    strong[labels[contrast > np.maximum(least, STRONG * full)]] = 1
    strong[0] = 0
    return contrast, strong[labels], (contrast > 0.6 * least).astype(np.uint8)
