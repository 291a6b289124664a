"""The digits on a page: found, put in order, brought to MNIST's form and judged."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.confidence import MIN_PROBABILITY, is_sure
from mnist_graph.reading.cuts import Judge, Touching, cut_apart
from mnist_graph.reading.form import INK, normalise
from mnist_graph.reading.paper import Ink, find_ink
from mnist_graph.reading.picture import Picture, read_reduced
from mnist_graph.reading.pieces import Piece, Pieces, find_pieces, neighbours
from mnist_graph.reading.rows import find_rows
from mnist_graph.reading.scaling import WORKING_PIXELS

HEIGHTS = (0.45, 2.2)
"""A digit has so many times the typical height at least, and at most."""
WIDEST = 2.5
"""A digit is at most so many times as wide as it is high."""
WIDE = 1.8
"""Few are as wide as this,"""
SOLID = 0.3
"""or have a stroke half as wide as this share of their height,"""
CLEAR = 0.9
"""so what does is only taken for a digit that is recognised with this probability."""
FLAT = 20.0
"""A straight line is longer than wide by the square root of this."""
ALONE = 3.0
"""What has no neighbour within so many digits' heights is looked at twice."""
ROOMY = 0.25
"""Digits stand apart if half of them have so much room, in heights, to the next on the right."""
CLOSE = 0.4
"""Parts of a digit lie closer to each other than so many times the typical gap between digits,"""
CLOSEST = 0.3
"""and than this share of a digit's height;"""
TALL = 1.4
"""and together are no higher than so many digits. Chosen on 1,000 drawn pages of validation
images: of 14 digits in parts 11 were that close, of 460 pairs of neighbours none side by side."""
FULL = 80
"""The percentile of a digit's contrast that counts as full ink."""


class Digit(NamedTuple):
    """A digit read in a picture."""

    row: int
    """The row it stands in, counted from 0 at the top."""
    column: int
    """The position in its row, counted from 0 at the left."""
    box: Box
    """Left, top, right and bottom of the ink, in pixels of the upright picture."""
    label: int
    """The most probable class."""
    probability: float
    """The calibrated probability of `label`."""
    probabilities: np.ndarray
    """The calibrated probability of each class: float32 [classes]."""

    def is_sure(self, min_probability: float = MIN_PROBABILITY) -> bool:
        """Return whether the probability is at least `min_probability`."""
        return is_sure(self.probability, min_probability)


class _Part(NamedTuple):
    """What may be a digit."""

    box: Box
    ink: np.ndarray
    """float32 [h, w] in [0, 1]: its ink and nothing else, in a frame of any size."""


def load_ink(picture: Picture, name: str | None = None) -> Ink:
    """Extract the ink of a picture. `name` is what errors call it (default: its path).

    Takes, and raises, the same as `read_grey`.
    """
    reduced = read_reduced(picture, WORKING_PIXELS, name)
    ink = find_ink(reduced.grey)
    return ink._replace(scale=ink.scale / reduced.step, size=reduced.size)


def read_digits(ink: Ink, image_shape: tuple[int, int], judge: Judge) -> list[Digit]:
    """Find the digits in a picture's ink and classify them. Returns them in reading order: rows
    from the top, each from left to right. Empty if nothing looks like a digit.

    `judge` classifies images in MNIST's form: it maps uint8 [n, *image_shape], where 255 is full
    ink, to calibrated probabilities, float32 [n, classes]. It is called several times, because
    its probabilities also decide where touching digits are cut apart.
    """
    found = find_pieces(ink)
    spacing = _spacing(found)
    apart = spacing > ROOMY * found.height
    touching = Touching(found.stroke, found.height, image_shape, judge, apart)
    parts = [
        part
        for piece in _closed_up(found, ink.contrast, touching, CLOSE * spacing)
        for part in _parts(piece, found, ink.contrast, touching)
        if _may_be_digit(part, found.height)
    ]
    if not parts:
        return []
    probabilities = judge(np.stack([normalise(part.ink, image_shape) for part in parts]))
    boxes = [part.box for part in parts]
    odd = np.array([_is_odd(part) for part in parts])
    kept = _recognised(boxes, odd, probabilities.max(axis=1), found.height)
    boxes = [boxes[index] for index in kept]
    digits = []
    for row, members in enumerate(find_rows(boxes, found.height)):
        for column, member in enumerate(members):
            these = probabilities[kept[member]]
            label = int(these.argmax())
            box = ink.to_picture(boxes[member])
            digits.append(Digit(row, column, box, label, float(these[label]), these))
    return digits


def _spacing(found: Pieces) -> float:
    """The typical gap, in working pixels, to the next digit on the right; infinite where none
    has one.
    """
    boxes = np.array([p.box for p in found.pieces if p.box.height > 0.5 * found.height])
    if not len(boxes):
        return np.inf
    left, top, right, bottom = boxes.T
    middle = (top + bottom) / 2
    beside = (middle[:, np.newaxis] > top) & (middle[:, np.newaxis] < bottom)
    beside &= left > left[:, np.newaxis]
    gaps = np.where(beside, left - right[:, np.newaxis], np.inf).min(axis=1)
    return float(np.median(gaps[np.isfinite(gaps)])) if np.isfinite(gaps).any() else np.inf


def _closed_up(
    found: Pieces, contrast: np.ndarray, touching: Touching, close: float
) -> list[Piece]:
    """The pieces; but two that lie closer to each other than digits on this page do, in working
    pixels, are one if they are recognised as one digit and a cut is not evident.
    """
    pieces: list[Piece | None] = list(found.pieces)
    for one, other in neighbours(found, min(close, CLOSEST * found.height)):
        piece, beside = pieces[one], pieces[other]
        if piece is None or beside is None:
            continue
        joined = piece.join(beside)
        if joined.box.height > TALL * found.height:
            continue
        ink = _ink_of(joined, found, contrast)
        (probabilities,) = touching.judge(normalise(ink, touching.image_shape)[np.newaxis])
        if probabilities.max() > CLEAR and len(cut_apart(ink, touching)) == 1:
            pieces[one], pieces[other] = None, joined
    return [piece for piece in pieces if piece is not None]


def _ink_of(piece: Piece, found: Pieces, contrast: np.ndarray) -> np.ndarray:
    """float32 [h, w] in [0, 1], the size of its box."""
    inside = piece.box.inside
    mine = np.isin(found.components[inside], piece.labels)
    ink = np.where(mine, contrast[inside], 0)
    return np.clip(ink / np.percentile(ink[mine], FULL), 0, 1).astype(np.float32)


def _parts(
    piece: Piece, found: Pieces, contrast: np.ndarray, touching: Touching
) -> Iterator[_Part]:
    """The piece, or the digits it is made of."""
    box = piece.box
    for part in cut_apart(_ink_of(piece, found, contrast), touching):
        rows, columns = np.nonzero(part > INK)
        if len(rows):
            edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            left, top, right, bottom = map(int, edges)
            place = Box(left, top, right, bottom).moved(box.left, box.top)
            yield _Part(place, part)


def _may_be_digit(part: _Part, height: float) -> bool:
    box = part.box
    low, high = HEIGHTS
    if not low * height < box.height < high * height or box.width > WIDEST * box.height:
        return False
    if box.width < 1.2 * box.height:
        return True
    # As wide as this a straight line is a dash, a staple or a stroke under a sum.
    lengths = np.linalg.eigvalsh(np.cov(np.nonzero(part.ink > INK)))
    return bool(lengths[1] < FLAT * max(lengths[0], 1.0))


def _is_odd(part: _Part) -> bool:
    """Whether it is a blot or a flourish rather than a digit."""
    ink = np.pad(part.ink > INK, 1).astype(np.uint8)
    depth = float(cv2.distanceTransform(ink, cv2.DIST_L2, 3).max())
    return depth > SOLID * part.box.height or part.box.width > WIDE * part.box.height


def _recognised(
    boxes: list[Box], odd: np.ndarray, probability: np.ndarray, height: float
) -> list[int]:
    """The indices of all but what looks like no digit and is odd, or lies far from everything
    else on a page; there it is also of the size of those.
    """
    keep = ~odd | (probability > CLEAR)
    if len(boxes) >= 4:
        centres = np.array([box.centre for box in boxes])
        # The nearest to each but itself.
        apart = [np.sort(np.linalg.norm(centres - centre, axis=1))[1] for centre in centres]
        near = np.array(apart) <= ALONE * height
        usual = np.array([0.65 * height < box.height < 1.6 * height for box in boxes])
        keep &= near | ((probability > 0.5) & usual)
    return np.flatnonzero(keep).tolist()
