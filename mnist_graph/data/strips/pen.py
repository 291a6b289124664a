"""Draw strokes with a pen, and MNIST's digits as if with that pen."""

import math
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.data.strips.allographs import Stroke

FRACTION_BITS = 4
"""OpenCV draws at this precision, in binary digits after the point."""
CURVE_POINTS = 6
"""How many straight pieces draw the curve from one point of a stroke to the next."""


class Pen(NamedTuple):
    """How one person writes one row: every digit of it is drawn with these."""

    height: float
    """Of a digit, in pixels of the canvas."""
    width: float
    """Of a digit, as a share of its usual width."""
    slant: float
    """How far a digit leans to the right, as a share of its height."""
    thickness: float
    """Of the strokes, in pixels of the canvas."""
    wobble: float
    """How far the points of a stroke stray, as a share of the height (standard deviation)."""
    thickens_images: bool = True
    """Whether the strokes of MNIST's digits become as thick as those of the pen."""


class Glyph(NamedTuple):
    """A drawn digit or mark, cut out to its ink."""

    ink: np.ndarray
    """uint8 [h, w], 255 is ink."""
    left: float
    """Where the ink begins, right of the origin, in pixels."""
    top: float
    """Where the ink begins, below the line that is written on, in pixels (negative: above)."""


def draw_strokes(
    strokes: list[Stroke], pen: Pen, rng: np.random.Generator, size: float = 1.0
) -> Glyph:
    """Draw strokes in a unit square (y is 1 on the line) with `pen`, `size` times its height."""
    height = pen.height * size
    shape = height * np.array([[0.62 * pen.width, 0.0], [-pen.slant, 1.0]])
    curves = []
    for stroke in strokes:
        points = np.array(stroke) - (0, 1)
        points += pen.wobble * rng.standard_normal(points.shape)
        curves.append(smooth(points) @ shape)
    return draw_curves(curves, pen.thickness)


def draw_curves(curves: list[np.ndarray], thickness: float) -> Glyph:
    """Draw curves [points, 2] in pixels around the origin."""
    every = np.concatenate(curves)
    margin = int(thickness) + 2
    left, top = np.floor(every.min(axis=0)).astype(int) - margin
    right, bottom = np.ceil(every.max(axis=0)).astype(int) + margin
    ink = np.zeros((bottom - top, right - left), np.uint8)
    scaled = [np.round((c - (left, top)) * 2**FRACTION_BITS).astype(np.int32) for c in curves]
    cv2.polylines(ink, scaled, False, 255, max(1, round(thickness)), cv2.LINE_AA, FRACTION_BITS)
    return Glyph(ink, float(left), float(top))


def smooth(points: np.ndarray) -> np.ndarray:
    """Return a Catmull-Rom spline through points [n, 2]: [m, 2]."""
    return _spline(len(points)) @ points if len(points) > 2 else points


@cache
def _spline(count: int) -> np.ndarray:
    """Return the matrix that maps `count` points to the points of their spline."""
    at = np.arange(CURVE_POINTS) / CURVE_POINTS
    # The weights of the points before, at the start, at the end and after a piece.
    weights = np.stack(
        [
            -0.5 * at + at**2 - 0.5 * at**3,
            1 - 2.5 * at**2 + 1.5 * at**3,
            0.5 * at + 2 * at**2 - 1.5 * at**3,
            -0.5 * at**2 + 0.5 * at**3,
        ]
    )
    matrix = np.zeros(((count - 1) * CURVE_POINTS + 1, count))
    for piece in range(count - 1):
        rows = slice(piece * CURVE_POINTS, (piece + 1) * CURVE_POINTS)
        for offset, weight in zip(range(-1, 3), weights, strict=True):
            matrix[rows, min(max(piece + offset, 0), count - 1)] += weight
    matrix[-1, -1] = 1
    return matrix


def draw_image(pixels: np.ndarray, pen: Pen, size: float = 1.0) -> Glyph:
    """Draw a digit of MNIST, uint8 [28, 28], with `pen`: enlarged, slanted, and its strokes made
    as thick as the pen's as far as the enlarged grey edges allow.
    """
    scale = pen.height * size / 20  # MNIST's digits fill 20 pixels
    across = scale * pen.width
    width, height = int(28 * across + abs(pen.slant) * 28 * scale) + 2, int(28 * scale) + 2
    # The slant leaves the middle of the digit where it is.
    shift = 14 * scale * pen.slant
    lean = -pen.slant * scale
    matrix = np.array([[across, lean, shift + (width - 28 * across) / 2], [0, scale, 0]])
    enlarged = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
    ink = _thickened(enlarged, pen.thickness / scale, scale) if pen.thickens_images else enlarged
    x, y, w, h = cv2.boundingRect(ink)
    if not w:
        return Glyph(np.zeros((1, 1), np.uint8), 0.0, -1.0)
    return Glyph(ink[y : y + h, x : x + w], 0.0, float(-h))


def _thickened(enlarged: np.ndarray, thickness: float, scale: float) -> np.ndarray:
    """Bring strokes to a `thickness`, in MNIST's pixels, by where in their grey edges ink begins.

    MNIST's strokes are about 2.6 pixels wide at half of full ink.
    """
    level = min(max(128 - 110 * math.log2(max(thickness / 2.6, 0.3)), 50), 190)
    gain = max(min(max(scale, 1.2), 3.0), 128 / level)  # the background stays 0
    table = np.clip((np.arange(256) - level) * gain + 128, 0, 255).astype(np.uint8)
    return cv2.LUT(enlarged, table)
