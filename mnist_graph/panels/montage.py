"""Many digits as one image, misclassified ones on red. Imports no TensorFlow."""

import math
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_graph.runs.digit_samples import DigitSample

WHITE, RED = (255, 255, 255), (255, 120, 110)
"""RGB of the background, of a misclassified digit RED."""
LABEL_COLOR, PREDICTION_COLOR = (0, 90, 0), (150, 0, 0)
"""RGB of the small numbers on a misclassified digit: dark green and dark red."""


def choose_columns(count: int, shape: tuple[int, int], aspect: float) -> int:
    """Return the number of columns in which `count` images of `shape` (height, width) best fill a
    frame `aspect` times as wide as high.
    """
    return max(1, min(count, math.ceil(math.sqrt(count * aspect * shape[0] / shape[1]))))


def draw_montage(sample: DigitSample, columns: int, zoom: int = 1) -> np.ndarray:
    """Draw the digits row by row, dark on white, each enlarged `zoom` times: uint8 RGB [h, w, 3].

    A misclassified digit is on red, with its label small at the lower left and its prediction at
    the lower right.
    """
    backgrounds = np.where(sample.wrong[:, np.newaxis], RED, WHITE).astype(np.uint16)
    paper = 255 - sample.pixels[..., np.newaxis].astype(np.uint16)
    cells = (paper * backgrounds[:, np.newaxis, np.newaxis] // 255).astype(np.uint8)
    cells = cells.repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, _ = cells.shape
    size = max(8, height // 3)
    # An image one pixel high or wide has no room for numbers: the red background must do.
    has_room = min(height, width) > zoom
    for cell in np.flatnonzero(sample.wrong & has_room):
        inner = cells[cell, :-zoom, :-zoom]
        _stamp(inner, _as_text(sample.labels[cell]), size, LABEL_COLOR, left=True)
        _stamp(inner, _as_text(sample.predictions[cell]), size, PREDICTION_COLOR, left=False)
        cells[cell, -zoom:] = cells[cell, :, -zoom:] = WHITE  # separates neighbouring numbers
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, np.uint8)
    sheet[:count] = cells
    sheet = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, 3)


def _as_text(digits: Any) -> str:
    """Return a label, or the labels of a strip without their padding, as text."""
    return "".join(str(digit) for digit in np.atleast_1d(digits) if digit >= 0)


def _stamp(cell: np.ndarray, text: str, size: int, color: tuple[int, int, int], left: bool) -> None:
    """Write `text`, `size` pixels high, into the lower left or lower right corner of `cell`."""
    if not text:  # nothing was read in a strip
        return
    mask = _render_text(text, size)[-cell.shape[0] :, : cell.shape[1]]
    height, width = mask.shape
    start = 0 if left else cell.shape[1] - width
    corner = cell[cell.shape[0] - height :, start : start + width]
    corner[mask] = color


@cache
def _render_text(text: str, size: int) -> np.ndarray:
    """Return which pixels are ink, bool [height, width], cropped to the text."""
    font = ImageFont.load_default(size)
    _, _, right, bottom = font.getbbox(text)
    image = Image.new("L", (math.ceil(right), math.ceil(bottom)))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    return np.asarray(image.crop(image.getbbox())) > 127
