"""Many digits as one image, misclassified ones on red. Imports no TensorFlow."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_graph.runs.digit_samples import DigitSample

WHITE, RED = (255, 255, 255), (255, 120, 110)
"""RGB of the background, of a misclassified digit RED."""
LABEL_COLOR, PREDICTION_COLOR = (0, 90, 0), (150, 0, 0)
"""RGB of the small numbers on a misclassified digit: dark green and dark red."""
FRAME = 16
"""The height of a picture in widths of its frame."""
GAP = 4
"""Pixels between two names that stand side by side."""


def choose_columns(count: int, shape: tuple[int, int], aspect: float) -> int:
    """Return the number of columns in which `count` images of `shape` (height, width) best fill a
    frame `aspect` times as wide as high.
    """
    return max(1, min(count, math.ceil(math.sqrt(count * aspect * shape[0] / shape[1]))))


def draw_montage(
    sample: DigitSample, columns: int, zoom: int = 1, class_names: Sequence[str] = ()
) -> np.ndarray:
    """Draw the digits row by row, dark on white, each enlarged `zoom` times: uint8 RGB [h, w, 3].

    A misclassified digit is on red, with its label small at the lower left and its prediction at
    the lower right. Pictures, which are in colour or of classes with names, are drawn as they are,
    in a red frame if they are misclassified.
    """
    are_pictures = sample.pixels.ndim == 4 or bool(class_names)
    cells = (_draw_pictures if are_pictures else _draw_digits)(sample, zoom)
    count, height, width, _ = cells.shape
    size = max(8, height // (8 if class_names else 3))
    # An image one pixel high or wide has no room for numbers: the red background must do.
    has_room = min(height, width) > zoom
    for cell in np.flatnonzero(sample.wrong & has_room):
        inner = cells[cell, :-zoom, :-zoom]
        texts = [
            _as_text(labels[cell], class_names) for labels in (sample.labels, sample.predictions)
        ]
        _stamp_both(inner, texts, size, WHITE if are_pictures else None)
        cells[cell, -zoom:] = cells[cell, :, -zoom:] = WHITE  # separates neighbouring numbers
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, np.uint8)
    sheet[:count] = cells
    sheet = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, 3)


def _draw_digits(sample: DigitSample, zoom: int) -> np.ndarray:
    """Return each digit, enlarged, on white or on red: uint8 [n, h, w, 3]."""
    backgrounds = np.where(sample.wrong[:, np.newaxis], RED, WHITE).astype(np.uint16)
    paper = 255 - sample.pixels[..., np.newaxis].astype(np.uint16)
    cells = (paper * backgrounds[:, np.newaxis, np.newaxis] // 255).astype(np.uint8)
    return cells.repeat(zoom, axis=1).repeat(zoom, axis=2)


def _draw_pictures(sample: DigitSample, zoom: int) -> np.ndarray:
    """Return each picture, enlarged, in a red frame if it is misclassified: uint8 [n, h, w, 3]."""
    pixels = sample.pixels
    colour = pixels if pixels.ndim == 4 else pixels[..., np.newaxis].repeat(3, axis=3)
    cells = colour.repeat(zoom, axis=1).repeat(zoom, axis=2)
    edge = max(1, cells.shape[1] // FRAME)
    framed = cells.copy()
    framed[sample.wrong] = RED
    framed[:, edge:-edge, edge:-edge] = cells[:, edge:-edge, edge:-edge]
    return framed


def _as_text(digits: Any, class_names: Sequence[str]) -> str:
    """Return a label, or the labels of a strip without their padding, as text."""
    if class_names:
        return " ".join(class_names[digit] for digit in np.atleast_1d(digits))
    shown = [str(digit) for digit in np.atleast_1d(digits) if digit >= 0]
    return "".join(shown)


def _stamp_both(
    cell: np.ndarray, texts: Sequence[str], size: int, ground: tuple[int, int, int] | None
) -> None:
    """Write a label at the lower left and a prediction at the lower right of `cell`; or at its
    upper right, if both together are too wide. With a `ground`, each is on a plate of this colour.
    """
    label, prediction = (_render_text(text, size) if text else None for text in texts)
    both = [each.shape[1] for each in (label, prediction) if each is not None]
    is_wide = ground is not None and sum(both) + GAP > cell.shape[1]
    _stamp(cell, label, LABEL_COLOR, ground, left=True)
    top = cell[: prediction.shape[0]] if is_wide and prediction is not None else cell
    _stamp(top, prediction, PREDICTION_COLOR, ground)


def _stamp(
    cell: np.ndarray,
    mask: np.ndarray | None,
    color: tuple[int, int, int],
    ground: tuple[int, int, int] | None,
    left: bool = False,
) -> None:
    """Write text into the lower left or lower right corner of `cell`. `mask` is what it covers,
    bool [height, width]; None if nothing was read in a strip.
    """
    if mask is None:
        return
    mask = mask[-cell.shape[0] :, : cell.shape[1]]
    height, width = mask.shape
    start = 0 if left else cell.shape[1] - width
    corner = cell[cell.shape[0] - height :, start : start + width]
    if ground is not None:
        corner[:] = ground
    corner[mask] = color


@cache
def _render_text(text: str, size: int) -> np.ndarray:
    """Return which pixels are ink, bool [height, width], cropped to the text."""
    font = ImageFont.load_default(size)
    _, _, right, bottom = font.getbbox(text)
    image = Image.new("L", (math.ceil(right), math.ceil(bottom)))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    return np.asarray(image.crop(image.getbbox())) > 127
