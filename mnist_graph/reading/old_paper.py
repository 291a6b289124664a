"""From grey to ink: what on a picture is paper, light and ruling, and what was written.

Contrast is taken relative to the paper right there, as light multiplies what paper and ink
give back: in a shadow both are darker by the same factor.
"""

from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.contrast import FILLED, against_ground, without_frame
from mnist_graph.reading.frames import remove_frames
from mnist_graph.reading.ground import dark_parts, find_ground, odd
from mnist_graph.reading.ruling import remove_ruling
from mnist_graph.reading.scaling import resized, to_working_size, unenlarged
from mnist_graph.reading.sheet import find_sheet

SMALL = 320
"""A picture is small if its shorter side has at most so many working pixels."""
PLAIN, PLAIN_SMALL = 0.8, 0.2
"""A plain ground takes this share of a picture, and this one of a small picture."""

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
    native, block, (right, down) = unenlarged(grey)
    work, scale = to_working_size(native)
    plain = _plain_ground(work)
    sheet = None
    if plain is not None:
        work, margin = _on_white(work, plain)
        left = top = -margin
        contrast, mask, faint = against_ground(work, None, np.full_like(work, 255))
    else:
        work, sheet, (left, top) = _on_sheet(work)
        contrast, mask, faint = against_ground(work, sheet, find_ground(work, sheet))
    framed = remove_frames(contrast, mask, stroke_width(mask, BROAD))
    mask = framed & remove_ruling(contrast, mask, faint)
    mask = without_frame(_without_soft(mask, contrast), FILLED, sheet)
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
    sheet = find_sheet(work, dark_parts(work))
    if sheet is None:
        return (255 - work if _is_light_on_dark(work) else work), None, (0, 0)
    left, top, width, height = cv2.boundingRect(sheet)
    inside = slice(top, top + height), slice(left, left + width)
    return np.ascontiguousarray(work[inside]), np.ascontiguousarray(sheet[inside]), (left, top)


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


def _is_light_on_dark(work: np.ndarray) -> bool:
    """Whether what differs from its surroundings, of which it is the lesser part, is lighter.

    The smallest surroundings that give a clear answer decide.
    """
    factor = min(1.0, 600 / max(work.shape))
    small = resized(work, factor)
    for share in (24, 12, 6, 3, 2):
        ground = cv2.medianBlur(small, odd(min(small.shape) / share))
        difference = small.astype(np.float32) - ground
        grain = 1.4826 * float(np.median(np.abs(difference)))
        excess = np.clip(np.abs(difference) - max(5 * grain, 6), 0, 60)
        lighter = float(excess[difference > 0].sum())
        darker = float(excess[difference < 0].sum())
        if max(lighter, darker) > 2 * min(lighter, darker):
            break
    return lighter > darker
