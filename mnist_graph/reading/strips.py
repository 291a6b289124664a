"""Rows straightened into strips: the input of the network that reads rows."""

from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.data.strips.form import HEIGHT, to_strip
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.page import Page
from mnist_graph.reading.rows import Row

DIGIT_HEIGHT = 0.65
"""Typical height of the digits in a strip, as a share of HEIGHT."""
FINE = 2
"""A row is straightened at this many times the strip's scale, so that little is lost."""
MARGIN = 0.5
"""Paper left and right of a row, in digit heights."""
GAP = 4.0
"""A row is divided where it is empty for this many digit heights."""
MAX_WIDTH = 1024
"""Greatest width of a strip in pixels; longer rows are divided: 40 to 70 digits."""
EVEN = 230
"""Grey level of the paper in evened light: of 255, with room above for its grain."""

class Strip(NamedTuple):
    """One row of writing, or a part of it, straightened; and where in the picture it was."""

    pixels: np.ndarray
    """uint8 [32, width]: bright ink on a background of 0."""
    left: float
    """Where the strip begins, in pixels of the picture."""
    middle: np.ndarray
    """float32 [width]: how far down in the picture each column's middle is."""
    scale: float
    """Pixels of the strip per pixel of the picture."""

    def to_picture(self, box: Box, size: tuple[int, int]) -> Box:
        """Return a box of the strip in pixels of the picture, which has this width and height."""
        middle = float(self.middle[box.left : box.right].mean())
        top, bottom = ((y - HEIGHT / 2) / self.scale + middle for y in (box.top, box.bottom))
        left, right = (x / self.scale + self.left for x in (box.left, box.right))
        return Box(round(left), round(top), round(right), round(bottom)).clipped(*size)


def take_whole(page: Page, height: float) -> Strip:
    """The whole picture as a strip; `height` is that of a typical digit in pixels."""
    rows, columns = page.grey.shape
    high = max(rows, height / 0.9)
    scale = HEIGHT / high
    width = max(1, round(columns * scale))
    inner = max(1, round(rows * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(page.grey, (width, inner), interpolation=method)
    paper = int(np.percentile(small, 90))
    above = (HEIGHT - inner) // 2
    side = 4
    small = cv2.copyMakeBorder(small, above, HEIGHT - inner - above, side, side, cv2.BORDER_CONSTANT, value=paper)
    middle = np.full(width + 2 * side, rows / 2, np.float32)
    return Strip(to_strip(small), -side / scale, middle, scale)


def divide(row: Row) -> list[slice]:
    """Return the members of each part of a row, which is read as a strip of its own."""
    gaps = row.boxes[1:, 0] - np.maximum.accumulate(row.boxes[:, 2])[:-1]
    ends = [*(np.flatnonzero(gaps > GAP * row.height) + 1).tolist(), len(row.boxes)]
    parts, start = [], 0
    for end in ends:
        while start < end:
            reach = row.boxes[start, 0] + MAX_WIDTH * row.height / (DIGIT_HEIGHT * HEIGHT)
            stop = min(end, start + max(1, int(np.searchsorted(row.boxes[start:end, 0], reach))))
            parts.append(slice(start, stop))
            start = stop
    return parts


def straighten(page: Page, boxes: np.ndarray, height: float) -> Strip:
    """Straighten a part of a row: `boxes`, int [n, 4] in working pixels, of digits this high."""
    scale = DIGIT_HEIGHT * HEIGHT / (height / page.scale)  # of the strip to the picture
    left = boxes[:, 0].min() / page.scale - MARGIN * height / page.scale
    right = boxes[:, 2].max() / page.scale + MARGIN * height / page.scale
    width = min(MAX_WIDTH, max(1, round((right - left) * scale)))
    x = (np.arange(width * FINE) + 0.5) / (FINE * scale) + left
    middle = _middle(boxes / page.scale, height / page.scale, x).astype(np.float32)
    down = (np.arange(HEIGHT * FINE) + 0.5 - HEIGHT * FINE / 2) / (FINE * scale)
    grey = _sample(page.grey, x, middle, down)
    paper = _sample(page.paper, x * page.scale, middle * page.scale, down * page.scale)
    even = np.minimum(grey * (EVEN / np.maximum(paper, 1)), 255).astype(np.uint8)
    return Strip(to_strip(even), left, middle[FINE // 2 :: FINE], scale)


def _middle(boxes: np.ndarray, height: float, x: np.ndarray) -> np.ndarray:
    """Return the middle of the row at each of `x`: locally a straight line through the boxes."""
    centre = (boxes[:, 0] + boxes[:, 2]) / 2
    y = (boxes[:, 1] + boxes[:, 3]) / 2
    high = boxes[:, 3] - boxes[:, 1]
    reach = 4 * height
    nodes = np.arange(centre[0], centre[-1] + height, height)
    weight = np.exp(-np.square((nodes[:, None] - centre) / reach))
    weight *= np.exp(-np.square((high / height - 1) / 0.3)) + 1e-3
    total = weight.sum(axis=1)
    mean_x, mean_y = weight @ centre / total, weight @ y / total
    dx = centre - mean_x[:, None]
    slope = (weight * dx * (y - mean_y[:, None])).sum(axis=1)
    slope /= (weight * dx * dx).sum(axis=1) + total * height**2
    level = mean_y + slope * (nodes - mean_x)
    result = np.interp(x, nodes, level)
    result += np.minimum(x - nodes[0], 0) * slope[0] + np.maximum(x - nodes[-1], 0) * slope[-1]
    return result


def _sample(image: np.ndarray, x: np.ndarray, middle: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Sample `image` at columns `x` and rows `middle` + `down`: float32 [len(down), len(x)]."""
    height, width = image.shape
    top = max(0, int((middle.min() + down[0])) - 2)
    bottom = min(height, int(middle.max() + down[-1]) + 3)
    left, right = max(0, int(x[0]) - 2), min(width, int(x[-1]) + 3)
    image = image[min(top, height - 1) : max(bottom, 1), min(left, width - 1) : max(right, 1)]
    top, left = min(top, height - 1), min(left, width - 1)
    step = (x[-1] - x[0]) / max(1, len(x) - 1)
    if step > 1.2:
        small = cv2.resize(image, (max(1, round(image.shape[1] / step)), max(1, round(image.shape[0] / step))), interpolation=cv2.INTER_AREA)
    else:
        small = image
    fx, fy = small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]
    map_x = np.broadcast_to(((x - left) * fx - 0.5).astype(np.float32), (len(down), len(x)))
    map_y = ((down[:, None] + middle - top) * fy - 0.5).astype(np.float32)
    sampled = cv2.remap(small, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return sampled.astype(np.float32)
