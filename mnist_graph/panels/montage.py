"""Many digits as one picture, those taken for another on red. Imports no TensorFlow."""

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_graph.runs.digit_samples import DigitSample

RED = (255, 120, 110)
"""Behind a digit that was taken for another."""
WHITE = (255, 255, 255)
LABEL, GUESS = (0, 90, 0), (150, 0, 0)
"""The ink of the small numbers: what it is, at the left, and what it was taken for."""


def columns_for(count: int, shape: tuple[int, int], aspect: float) -> int:
    """In how many columns `count` images of `shape`, height by width, best fill a frame that
    is `aspect` times as wide as high.
    """
    return max(1, min(count, math.ceil(math.sqrt(count * aspect * shape[0] / shape[1]))))


def montage(shown: DigitSample, columns: int, zoom: int = 1) -> np.ndarray:
    """The digits row by row, dark on white, each `zoom` times as large: uint8 [h, w, 3].

    One that was taken for another stands on red, what it is small at its left, what it was
    taken for at its right.
    """
    grounds = np.where(shown.wrong[:, np.newaxis], RED, WHITE)[:, np.newaxis, np.newaxis]
    ink = shown.pixels[..., np.newaxis].astype(np.uint16)
    cells = np.uint8((255 - ink) * grounds.astype(np.uint16) // 255)
    cells = cells.repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, _ = cells.shape
    size = max(8, height // 3)
    for cell in np.flatnonzero(shown.wrong):
        inner = cells[cell, :-zoom, :-zoom]
        _stamp(inner, str(shown.labels[cell]), size, LABEL, left=True)
        _stamp(inner, str(shown.predictions[cell]), size, GUESS, left=False)
        cells[cell, -zoom:] = cells[cell, :, -zoom:] = WHITE  # so that numbers keep apart
    rows = -(-count // columns)
    page = np.full((rows * columns, height, width, 3), 255, np.uint8)
    page[:count] = cells
    page = page.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return page.reshape(rows * height, columns * width, 3)


def _stamp(cell: np.ndarray, text: str, size: int, color: tuple, left: bool) -> None:
    """Write `text` into a lower corner of `cell`."""
    mask = _glyphs(text, size)[-cell.shape[0] :, : cell.shape[1]]
    height, width = mask.shape
    start = 0 if left else cell.shape[1] - width
    corner = cell[cell.shape[0] - height :, start : start + width]
    corner[mask] = color


@cache
def _glyphs(text: str, size: int) -> np.ndarray:
    """Where the ink of `text` is: bool [height, width]."""
    font = ImageFont.load_default(size)
    box = font.getbbox(text)
    picture = Image.new("L", (math.ceil(box[2]), math.ceil(box[3])))
    ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
    return np.asarray(picture.crop(picture.getbbox())) > 127
