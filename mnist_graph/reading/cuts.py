"""Digits that touch, cut apart where a cut is evident."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_graph.reading.form import INK, normalise

Judge = Callable[[np.ndarray], np.ndarray]
"""From images in MNIST's form, uint8 [n, h, w], to calibrated probabilities [n, classes]."""

WIDE = 1.05
"""What is this many times as wide as it is high may be more than one digit."""
LONGEST = 10.0
"""What is wider than so many digits are high is no row of digits that touch."""
SEAMS = 8
STEP = 0.02
"""What a step aside costs a seam, in full ink."""
THICKEST = 4.0
"""A cut goes through at most so many strokes' widths of ink."""
LEAST = 0.05
"""Between two seams, and a seam and a side, is more than this share of the ink."""
EVIDENT = 0.5
"""A cut is made where each part is then recognised with more than this probability."""
SURE = 7.0
"""A probability counts by the logarithm of what it lacks to 1, down to exp(-SURE): nearly all
digits reach that, and of what is no digit a few in a hundred."""
WHOLE, PART, WIDTH, CROSSED, UNEVEN = 1.35, 0.3, 5.0, 2.7, 6.0
"""By how much the logarithm of the odds of being more than one digit changes with how unsure
the whole is, how unsure its parts are, with the width in heights, with each stroke's width of
ink beyond the first that is cut through, and with the share of the height that a part lacks.
Found by logistic regression on MNIST's validation images, as they are and in pairs that touch,"""
EVEN = 1.58
"""and so is, other things being equal, the width at which a cut is made: it cuts one in 5,000
single digits, and four in five pairs that touch."""
APART = 2.0
"""Where digits stand apart, what is wide is more often one of them, and that much is taken off:
of the first 5,000 training images, drawn each on a picture of its own, 6 are cut without it."""
WIDEST = 2.0
"""No digit is so many times as wide as high."""


class Touching(NamedTuple):
    """What is known of a page where digits may touch."""

    stroke: float
    """The width of a stroke, in working pixels."""
    height: float
    """Of a digit, in working pixels."""
    image_shape: tuple[int, int]
    judge: Judge
    apart: bool
    """Whether they stand well apart otherwise, or it is all there is."""


class _Seam(NamedTuple):
    """A way from the top to the bottom."""

    columns: np.ndarray
    """int [h]: its column in each row."""
    price: float
    """What the ink on it takes from the logarithm of the odds."""


def cut_apart(ink: np.ndarray, page: Touching) -> list[np.ndarray]:
    """The digits in `ink`, float32 [h, w] in [0, 1], each in the frame of the whole: all of
    the ways to cut it are judged, and the likeliest is weighed against cutting nothing.
    """
    high, wide = ink.shape
    is_wide = wide > WIDE * high or wide > 0.9 * max(high, page.height)
    fits = high > 0.45 * page.height and wide < LONGEST * page.height
    seams = _seams(ink, page.stroke) if is_wide and fits else []
    if not seams:
        return [ink]
    parts = _parts(ink, [seam.columns for seam in seams], page.height)
    images = np.stack([normalise(part, page.image_shape) for part in parts.values()])
    doubts = np.log(np.maximum(1 - page.judge(images).max(axis=1), 1e-9))
    doubts = np.maximum(doubts + SURE, 0)
    unsure = dict(zip(parts, doubts.tolist(), strict=True))
    whole = unsure.pop((0, len(seams) + 1))
    evident = {
        pair: PART * doubt for pair, doubt in unsure.items() if doubt < SURE + np.log(EVIDENT)
    }
    cost, way = _likeliest(evident, [seam.price for seam in seams])
    found = [parts[pair] for pair in way]
    heights = [np.ptp(np.flatnonzero((part > INK).any(axis=1))) for part in found]
    lacking = 1 - min(heights, default=0) / high
    odds = WHOLE * whole + WIDTH * (min(wide / high, WIDEST) - EVEN) - UNEVEN * lacking - cost
    odds -= APART * page.apart
    return found if odds >= 0 else [ink]


def _likeliest(
    costs: dict[tuple[int, int], float], prices: list[float]
) -> tuple[float, list[tuple[int, int]]]:
    """The chain of parts (from, to) from the left side, 0, to the right, one more than there
    are seams, with the lowest sum of costs and of the prices of its seams; and that sum, which
    is infinite where there is none.
    """
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for end, price in enumerate([*prices, 0.0], start=1):
        ways = [
            (best[start][0] + costs[start, end] + price, [*best[start][1], (start, end)])
            for start in range(end)
            if start in best and (start, end) in costs
        ]
        if ways:
            best[end] = min(ways)
    return best.get(len(prices) + 1, (np.inf, []))


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
                len(rows)
                and np.ptp(rows) > 0.5 * height
                and np.ptp(columns) < WIDEST * np.ptp(rows)
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
    ways = np.tile(np.arange(width), (height, 1))
    for row in range(height - 1, 0, -1):
        ways[row - 1] = ways[row] + came[row, ways[row]]
    left_of = np.take_along_axis(np.cumsum(ink, axis=1), ways, axis=1).sum(axis=0) / ink.sum()
    found: dict[int, _Seam] = {}
    for end in np.argsort(cost[-1]).tolist():
        if cost[-1, end] > THICKEST * stroke or len(found) == SEAMS:
            break
        others = [0.0, 1.0, *(left_of[other] for other in found)]
        if np.abs(left_of[end] - others).min() > LEAST:
            crossed = float(cost[-1, end]) / max(stroke, 1.0)
            found[end] = _Seam(ways[:, end], CROSSED * max(0.0, crossed - 1))
    return [found[end] for end in sorted(found, key=left_of.__getitem__)]
