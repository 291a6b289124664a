"""Digits as they come out of a picture: written with some pen on paper, photographed or scanned,
found there and brought back to MNIST's form, which is what a network of single digits sees of them.

Everything stands in shares of the digit's height or in grey levels, and covers what pens, paper and
cameras do: strokes from a fine ballpoint's to a marker's, from pencil grey to black, with uneven
ink; ruling, of which the reader removes what it can; blur, the camera's noise and JPEG.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mnist_graph.data.mnist_form import scale_ink, to_mnist_form

HEIGHTS = (20.0, 64.0)
"""Least and greatest height of a digit in a picture, in pixels. MNIST's form is 20 pixels high:
more than 64 would change nothing."""
STROKES = (0.03, 0.22)
"""Least and greatest width of a stroke, as a share of the height: of a fine ballpoint, a marker."""
OWN_STROKE = 0.2
"""The share of digits that keep the width of their strokes."""
THINNED = 0.55
"""Strokes lose at most this share of their width on either side: what is thin does not break."""
PAPER = (130.0, 250.0)
"""Darkest and lightest paper, in grey levels of 255: in a shadow, in the light."""
DARKNESS = (0.25, 1.0)
"""Least and greatest share of the paper's light that the ink takes: pencil, black ink."""
UNEVEN = 0.3
"""The share of digits in uneven ink, and of those in grainy ink."""
PRESSURE = 0.4
"""The ink is up to this share lighter where the pen presses least."""
GRAIN = 0.25
"""The standard deviation of the ink in a grainy stroke, at most, as a share of it."""
RULED = 0.1
"""The share of digits on ruled or squared paper,"""
RULING = (0.12, 0.5)
"""whose lines take this share of the light, at least and at most."""
UNREMOVED = 0.05
"""The share of ruled digits from which the lines are not removed."""
BLUR = (0.01, 0.05)
"""Least and greatest standard deviation of the blur, as a share of the height."""
NOISE = 6.0
"""The greatest standard deviation of the camera's noise, in grey levels."""
COMPRESSED, QUALITY = 0.7, (40, 96)
"""The share of pictures in JPEG, and their quality."""
EXTENT = (0.1, 0.2)
"""Ink extends as far as it has this share of full contrast, at least and at most. How much that is
depends on the other writing in the picture."""
LEAST, ABOVE_GRAIN = 0.025, 1.0
"""Ink has at least this contrast, and this many standard deviations of the noise, which the blur
before that makes 3.5 times as small."""
SPECK = 0.2
"""What is smaller than this share of the height is no part of the digit."""


class _Picture(NamedTuple):
    """A digit in a picture of it."""

    contrast: NDArray[np.float32]
    """[h, w]: the share of the paper's light that is missing."""
    grain: float
    """The standard deviation of the noise in it."""
    ruling: NDArray[np.bool_]
    """[h, w]: where there is nothing but a line."""
    darkness: float
    """The share of the light that full ink takes."""
    height: float
    """Of the digit, in pixels."""


def scan(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a digit, uint8 [28, 28] with bright ink, as it comes out of a picture of it, in the
    same form. If nothing of it is to be seen there, return it as it is.
    """
    picture = _photograph(image, rng)
    ink = _find_ink(picture, rng)
    return image if ink is None else to_mnist_form(ink, image.shape)


def _photograph(image: NDArray[np.uint8], rng: np.random.Generator) -> _Picture:
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    share = _write(image, height, rng)
    if rng.random() < UNEVEN:
        share *= _pressure(share.shape, rng)
    if rng.random() < UNEVEN:
        grain = rng.standard_normal(share.shape, np.float32)
        share *= np.clip(1 - rng.uniform(0, GRAIN) * np.abs(grain), 0, 1)
    darkness = rng.uniform(*DARKNESS)
    paper = rng.uniform(*PAPER)
    light = 1 - darkness * share
    ruling = np.zeros(share.shape, bool)
    if rng.random() < RULED:
        lines = _rule(share.shape, height, rng)
        light *= 1 - lines
        broad = cv2.dilate(lines, np.ones((3, 3), np.uint8))  # the blur makes them broader
        ruling = (broad > 0) & (darkness * share < broad)
    grey = cv2.GaussianBlur(paper * light, (0, 0), max(0.3, height * rng.uniform(*BLUR)))
    noise = rng.uniform(0, NOISE)
    grey += noise * rng.standard_normal(grey.shape, np.float32)
    seen = np.clip(grey + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < COMPRESSED:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*QUALITY))]
        seen = cv2.imdecode(cv2.imencode(".jpg", seen, quality)[1], cv2.IMREAD_GRAYSCALE)
    contrast = np.clip(1 - seen.astype(np.float32) / np.float32(paper), 0, 1)
    return _Picture(contrast, noise / paper, ruling, darkness, height)


def _write(
    image: NDArray[np.uint8], height: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the ink of a digit of this height with some pen, in [0, 1]: float32 [h, w]."""
    left, top, width, high = cv2.boundingRect((image > 64).astype(np.uint8))
    ink = np.pad(image[top : top + high, left : left + width], 4)
    factor = height / max(high, width, 14)  # a digit that lies flat is not enlarged without limit
    size = max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor))
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC)
    if rng.random() < OWN_STROKE:
        return large.astype(np.float32) / 255
    mask = (large > 96).astype(np.uint8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
    # Across a stroke, the distance to its edge rises evenly from 0 to half of its width.
    half = 2 * float(inside.sum()) / max(1, int(mask.sum()))
    wanted = float(np.exp(rng.uniform(*np.log(STROKES)))) * height / 2
    side = 2 * max(1, round(half / 2)) + 1
    local = cv2.blur(cv2.dilate(inside, np.ones((side, side), np.uint8)), (side, side))
    growth = np.maximum(wanted - half, -THINNED * local)
    return np.clip(inside - outside + growth + np.where(mask, 0, 1), 0, 1)


def _pressure(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how much ink there is at each place, in [0, 1]: float32 [*shape]."""
    coarse = rng.uniform(1 - rng.uniform(0, PRESSURE), 1, (4, 4)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR))


def _rule(shape: tuple[int, ...], height: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return lines across, and half of the time down, as the share of the light that they take:
    float32 [*shape].
    """
    lines = np.zeros(shape, np.float32)
    strength = rng.uniform(*RULING)
    thickness = max(1, round(height * rng.uniform(0.01, 0.05)))
    for turned in (lines, lines.T)[: 1 + (rng.random() < 0.5)]:
        pitch = height * rng.uniform(0.35, 1.5)
        for level in np.arange(rng.uniform(0, pitch), len(turned), pitch).astype(int):
            turned[level : level + thickness] = strength
    return lines


def _find_ink(picture: _Picture, rng: np.random.Generator) -> NDArray[np.float32] | None:
    """Return the ink that is found in a picture, float32 [h, w] in [0, 1]; None if there is
    none.
    """
    contrast = picture.contrast
    least = max(LEAST, ABOVE_GRAIN * picture.grain, rng.uniform(*EXTENT) * picture.darkness)
    mask = cv2.GaussianBlur(contrast, (0, 0), 1.0) > least
    if rng.random() >= UNREMOVED:
        mask &= ~picture.ruling
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    longer = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    kept = longer > SPECK * picture.height
    kept[0] = False
    return scale_ink(contrast, kept[labels])
