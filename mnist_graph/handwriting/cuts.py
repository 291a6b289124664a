"""Digits that touch, cut apart where a cut is evident."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_graph.handwriting.form import INK, normalise

Judge = Callable[[np.ndarray], np.ndarray]
"""From images in MNIST's form, uint8 [n, h, w], to calibrated probabilities [n, classes]."""

WIDE = 1.05
"""What is this many times as wide as it is high may be more than one digit."""
LONGEST = 10.0
"""What is wider than so many digits are high is no row of digits that touch."""
SEAMS = 6
STEP = 0.02
"""What a step aside costs a seam, in full ink."""
THICKEST = 4.0
"""A cut goes through at most so many strokes' widths of ink."""
APART = 0.12
"""Cuts are this share of the height from each other and from the sides."""
EVIDENT = 0.5
"""A cut is made where each part is then recognised with this probability."""
EVEN = 1.35
"""What is so many times as wide as high is as often two digits as one,"""
DOUBT = 12.0
"""and by so much the logarithm of these odds changes with that."""


class Touching(NamedTuple):
    """What is known of a page where digits may touch."""

    stroke: float
    """The width of a stroke, in working pixels."""
    height: float
    """Of a digit, in working pixels."""
    image_shape: tuple[int, int]
    judge: Judge


class _Seam(NamedTuple):
    """A way from the top to the bottom."""

    columns: np.ndarray
    """int [h]: its column in each row."""
    crossed: float
    """The ink on it, in strokes' widths."""


def cut_apart(ink: np.ndarray, page: Touching) -> list[np.ndarray]:
    """The digits in `ink`, float32 [h, w] in [0, 1], each in the frame of the whole: all of
    the ways to cut it are judged, and the likeliest is taken.
    """
    high, wide = ink.shape
    is_wide = wide > WIDE * high or wide > 0.9 * max(high, page.height)
    fits = high > 0.45 * page.height and wide < LONGEST * page.height
    seams = _seams(ink, page.stroke) if is_wide and fits else []
    if not seams:
        return [ink]
    parts = _parts(ink, [seam.columns for seam in seams], page.height)
    images = np.stack([normalise(part, page.image_shape) for part in parts.values()])
    logs = np.log(np.maximum(page.judge(images).max(axis=1), 1e-9))
    scores = dict(zip(parts, logs.tolist(), strict=True))
    # Few digits are much wider than they are high, and few pairs are not.
    doubt = float(np.clip(DOUBT * (EVEN - wide / high), -3, 4))
    way = _likeliest(scores, [doubt + 2 * max(0.0, seam.crossed - 1) for seam in seams])
    if len(way) < 2 or min(scores[pair] for pair in way) < np.log(EVIDENT):
        return [ink]
    return [parts[pair] for pair in way]


def _likeliest(scores: dict[tuple[int, int], float], prices: list[float]) -> list[tuple[int, int]]:
    """The chain of parts (from, to) from the left side, 0, to the right, one more than there
    are seams, with the highest sum of scores less the prices of its seams; empty for none.
    """
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for end, price in enumerate([*prices, 0.0], start=1):
        ways = [
            (best[start][0] + scores[start, end] - price, [*best[start][1], (start, end)])
            for start in range(end)
            if start in best and (start, end) in scores
        ]
        if ways:
            best[end] = max(ways)
    return best.get(len(prices) + 1, (0.0, []))[1]


def _parts(
    ink: np.ndarray, seams: list[np.ndarray], height: float
) -> dict[tuple[int, int], np.ndarray]:
    """The whole, and what lies between each two seams, or a side, where it may be a digit; the
    rest is 0.
    """
    high, wide = ink.shape
    bounds = [np.zeros(high, int), *seams, np.full(high, wide)]
    right_of = [np.arange(wide) >= bound[:, np.newaxis] for bound in bounds]
    parts = {}
    for start in range(len(bounds)):
        for end in range(start + 1, len(bounds)):
            part = np.where(right_of[start] & ~right_of[end], ink, 0)
            rows, columns = np.nonzero(part > INK)
            whole = (start, end) == (0, len(bounds) - 1)
            if whole or (
                len(rows) and np.ptp(rows) > 0.5 * height and np.ptp(columns) < 1.3 * np.ptp(rows)
            ):
                parts[start, end] = part
    return parts


def _seams(ink: np.ndarray, stroke: float) -> list[_Seam]:
    """The ways down that cross the least ink, from left to right."""
    height, width = ink.shape
    cost = np.empty((height, width), np.float32)
    came = np.zeros((height, width), np.int8)
    cost[0] = ink[0]
    for row in range(1, height):
        above = np.pad(cost[row - 1], 1, constant_values=np.inf)
        choice = np.stack([above[:-2] + STEP, above[1:-1], above[2:] + STEP])
        came[row] = choice.argmin(axis=0) - 1
        cost[row] = choice.min(axis=0) + ink[row]
    apart = max(2, int(APART * height))
    found: list[_Seam] = []
    for end in np.argsort(cost[-1]).tolist():
        if cost[-1, end] > THICKEST * stroke or len(found) == SEAMS:
            break
        near_side = not apart <= end < width - apart
        if not near_side and all(abs(end - seam.columns[-1]) >= apart for seam in found):
            columns = np.full(height, end)
            for row in range(height - 1, 0, -1):
                columns[row - 1] = columns[row] + came[row, columns[row]]
            found.append(_Seam(columns, float(cost[-1, end]) / max(stroke, 1.0)))
    return sorted(found, key=lambda seam: float(seam.columns.mean()))
