"""The digits on a page, found, put in order and brought to MNIST's form."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_graph.handwriting.cuts import Judge, cut_apart
from mnist_graph.handwriting.form import normalise
from mnist_graph.handwriting.paper import Ink, find_ink
from mnist_graph.handwriting.pieces import Box, Piece, Pieces, find_pieces
from mnist_graph.handwriting.picture import read_grey
from mnist_graph.handwriting.rows import find_rows


class Spot(NamedTuple):
    """A place on a picture where a digit is."""

    row: int
    column: int
    box: Box
    """In pixels of the picture."""
    image: np.ndarray
    """uint8 [height, width]: the digit in MNIST's form."""


def read_ink(source: str | Path | Image.Image) -> Ink:
    return find_ink(read_grey(source))


def find_digits(ink: Ink, image_shape: tuple[int, int], judge: Judge) -> list[Spot]:
    """What is written on a page in reading order; `judge` says what looks like digits."""
    found = find_pieces(ink)
    if not found.pieces:
        return []
    contrast = ink.contrast

    def normal(part: np.ndarray) -> np.ndarray:
        return normalise(part, image_shape)

    boxes, images = [], []
    for piece in found.pieces:
        for box, part in _parts(piece, found, contrast, normal, judge):
            if _is_digit_like(box, found.height):
                boxes.append(box)
                images.append(normal(part))
    spots = []
    for row, members in enumerate(find_rows(boxes, found.height)):
        for column, index in enumerate(members):
            box = boxes[index]
            scaled = Box(*(round(side / ink.scale) for side in box))
            spots.append(Spot(row, column, scaled, images[index]))
    return spots


def _is_digit_like(box: Box, height: float) -> bool:
    return 0.45 * height < box.height < 2.2 * height and box.width < 1.8 * box.height


def _parts(piece, found, contrast, normal, judge):
    box = piece.box
    inside = slice(box.top, box.bottom), slice(box.left, box.right)
    mine = np.isin(found.components[inside], piece.labels)
    ink = np.where(mine, contrast[inside], 0)
    full = np.percentile(ink[mine], 80)
    ink = np.clip(ink / full, 0, 1).astype(np.float32)
    wide = box.width > 1.05 * box.height or (box.width > 0.9 * found.height and box.width > 0.9 * box.height)
    if not wide or box.height < 0.45 * found.height:
        return [(box, ink)]
    parts = cut_apart(ink, found.stroke, found.height, normal, judge)
    result = []
    for part in parts:
        rows, columns = np.nonzero(part.max(axis=1) > 0.1)[0], np.nonzero(part.max(axis=0) > 0.1)[0]
        result.append((Box(box.left + int(columns[0]), box.top + int(rows[0]), box.left + int(columns[-1]) + 1, box.top + int(rows[-1]) + 1), part))
    return result
