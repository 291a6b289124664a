"""Rows straightened into strips: what the network that reads rows is given."""

from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.data.strips.form import to_strip
from mnist_graph.data.strips.size import HEIGHT
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.page import Page
from mnist_graph.reading.rows import Row
from mnist_graph.reading.scaling import resize

DIGIT_HEIGHT = 0.65
"""Height of a typical digit in a strip, as a share of the strip's height."""
MARGIN = 0.5
"""Paper left and right of a row, in digit heights."""
GAP = 4.0
"""A row is divided where it is empty for this many digit heights."""
MAX_WIDTH = 1024
"""Greatest width of a strip in pixels, 40 to 70 digits; a longer row is divided."""
FINE = 2
"""Rows are straightened at this many times a strip's scale, to lose little in sampling."""
EVEN = 230
"""Grey level of the paper in evened light, of 255: its grain may be brighter."""
REACH = 4.0
"""Over how many digit heights to either side a row's course is averaged."""
ALIKE = 0.3
"""How far a component's height is from a digit's, as a share, until it says less of the course."""
VIEWS = 2
"""Where a strip leaves doubt, it is also read in this many other views:"""
NARROWER = 0.8
"""in this share of its width,"""
CUT = 0.1
"""and without this share of its height at the top and at the bottom. Of all pairs of eight margins
and four widths these were among the best on the development strings, for the network before this
one (0.832 read right, 0.787 without them; of this one 0.852 and 0.839)."""


class Strip(NamedTuple):
    """A row of writing, or a part of it, straightened; and where in the picture it is."""

    pixels: np.ndarray
    """uint8 [32, width]: ink is bright, paper is 0."""
    source: np.ndarray
    """uint8 [h, w]: what `pixels` were made of, in more detail: dark ink on light paper."""
    left: float
    """Where the strip begins, in pixels of the picture."""
    middle: np.ndarray
    """float32 [width]: where the middle of each column is, in pixels from the picture's top."""
    scale: float
    """Pixels of the strip per pixel of the picture."""

    def enlarged(self, factor: int) -> "Strip":
        """Return the strip for the picture at this many times its size."""
        return self._replace(
            left=self.left * factor, middle=self.middle * factor, scale=self.scale / factor
        )

    def across(self, x: np.ndarray) -> np.ndarray:
        """Return columns of the strip, [n], as distances from the picture's left side, in its
        pixels: float [n].
        """
        return x / self.scale + self.left

    def has(self, box: Box) -> bool:
        """Return whether the middle of a box, in pixels of the picture, is in the strip."""
        middle = (box.left + box.right) / 2
        return self.left <= middle < self.left + self.pixels.shape[1] / self.scale

    def to_picture(self, box: Box, size: tuple[int, int]) -> Box:
        """Return a box of the strip in pixels of the picture, which has this width and height."""
        middle = float(self.middle[box.left : box.right].mean())
        top, bottom = ((y - HEIGHT / 2) / self.scale + middle for y in (box.top, box.bottom))
        left, right = self.across(np.array([box.left, box.right])).tolist()
        return Box(round(left), round(top), round(right), round(bottom)).clipped(*size)


def take_whole(grey: np.ndarray) -> Strip | None:
    """Return a whole picture, uint8 [height, width] and dark on light, as a strip; None if it is
    too wide for one.
    """
    height, width = grey.shape
    if width * HEIGHT > MAX_WIDTH * height:
        return None
    pixels = to_strip(grey)
    middle = np.full(pixels.shape[1], height / 2, np.float32)
    return Strip(pixels, grey, 0.0, middle, HEIGHT / height)


def make_views(strip: Strip) -> list[np.ndarray]:
    """Return the other views of a strip: uint8 [32, width'] each."""
    size = max(1, round(NARROWER * strip.pixels.shape[1])), HEIGHT
    narrow = cv2.resize(strip.pixels, size, interpolation=cv2.INTER_AREA)
    rows = round(CUT * len(strip.source))
    return [narrow, to_strip(strip.source[rows : len(strip.source) - rows])]


def cut_strips(page: Page, row: Row) -> list[Strip]:
    """Straighten a row: into one strip, or several if it is long or has large gaps."""
    strips = []
    margin = MARGIN * row.height
    for part in _divide(row):
        before, mine, after = np.split(row.boxes, [part.start, part.stop])
        left, right = mine[:, 0].min() - margin, mine[:, 2].max() + margin
        # No part of a neighbour, where a long row is divided.
        if len(before):
            left = max(left, (before[:, 2].max() + mine[:, 0].min()) / 2)
        else:
            left = min(left, row.extent[0])
        if len(after):
            right = min(right, (mine[:, 2].max() + after[:, 0].min()) / 2)
        else:
            right = max(right, row.extent[1])
        strips.append(_straighten(page, mine, row.height, left, right))
    return strips


def _divide(row: Row) -> list[slice]:
    """Return the members of each part of a row."""
    gaps = row.boxes[1:, 0] - np.maximum.accumulate(row.boxes[:, 2])[:-1]
    ends = [*(np.flatnonzero(gaps > GAP * row.height) + 1).tolist(), len(row.boxes)]
    widest = MAX_WIDTH / (DIGIT_HEIGHT * HEIGHT) * row.height
    parts, start = [], 0
    for end in ends:
        while start < end:
            within = np.searchsorted(row.boxes[start:end, 2], row.boxes[start, 0] + widest)
            stop = start + max(1, int(within))
            parts.append(slice(start, stop))
            start = stop
    return parts


def _straighten(page: Page, boxes: np.ndarray, height: float, left: float, right: float) -> Strip:
    """Straighten the part of a row from `left` to `right`: `boxes`, int [n, 4], of digits of this
    height, all in working pixels. The light is evened out.
    """
    boxes = boxes / page.scale
    height, left, right = (each / page.scale for each in (height, left, right))
    scale = DIGIT_HEIGHT * HEIGHT / height
    width = min(MAX_WIDTH, max(1, round((right - left) * scale)))
    x = (np.arange(width * FINE) + 0.5) / (FINE * scale) + left
    middle = _find_middle(boxes, height, x)
    down = (np.arange(HEIGHT * FINE) + 0.5 - HEIGHT * FINE / 2) / (FINE * scale)
    grey = _sample(page.grey, x, middle, down)
    paper = _sample(page.paper, *(at * page.scale for at in (x, middle, down)))
    even = cv2.divide(grey, paper, scale=EVEN)
    return Strip(to_strip(even), even, left, middle[FINE // 2 :: FINE].astype(np.float32), scale)


def _find_middle(boxes: np.ndarray, height: float, x: np.ndarray) -> np.ndarray:
    """Return the middle of a row at each of `x`: near every point, a straight line through the
    centres of the boxes, float [n, 4], weighted by how near they are and how like a digit's their
    height is.
    """
    centre, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    likeness = (boxes[:, 3] - boxes[:, 1]) / height - 1
    nodes = np.arange(centre.min(), centre.max() + height, height)
    weight = np.exp(-np.square((nodes[:, np.newaxis] - centre) / (REACH * height)))
    weight *= np.exp(-np.square(likeness / ALIKE)) + 1e-3
    weight /= weight.sum(axis=1, keepdims=True)
    mean_x, mean_y = weight @ centre, weight @ y
    away = centre - mean_x[:, np.newaxis]
    # A digit's height added to the spread flattens the slope where a few digits decide it.
    slope = (weight * away * (y - mean_y[:, np.newaxis])).sum(axis=1)
    slope /= (weight * np.square(away)).sum(axis=1) + height**2
    middle = np.interp(x, nodes, mean_y + slope * (nodes - mean_x))
    middle += slope[0] * np.minimum(x - nodes[0], 0) + slope[-1] * np.maximum(x - nodes[-1], 0)
    return middle


def _sample(image: np.ndarray, x: np.ndarray, middle: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Sample `image`, uint8 [h, w], at the columns `x`, each at the rows `middle` + `down`:
    uint8 [len(down), len(x)]. Beyond the edge it goes on as at the edge.
    """
    height, width = image.shape
    top, bottom = int(middle.min() + down[0]) - 2, int(middle.max() + down[-1]) + 3
    top, bottom = min(max(top, 0), height - 1), min(max(bottom, 1), height)
    left, right = min(max(int(x[0]) - 2, 0), width - 1), min(max(int(x[-1]) + 3, 1), width)
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    small = resize(part, min(1.0, 1 / (down[1] - down[0])))
    fx, fy = small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]
    map_x = np.tile(((x - left) * fx - 0.5).astype(np.float32), (len(down), 1))
    map_y = ((down[:, np.newaxis] + middle - top) * fy - 0.5).astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return cv2.remap(small, map_x, map_y, cv2.INTER_LINEAR, borderMode=border)
