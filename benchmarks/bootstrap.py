"""How sure a median is: its bootstrap interval (Efron 1979, percentile method)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 10_000
"""Enough that the ends of an interval move by less than the last digit that is shown."""
CONFIDENCE = 0.95
SEED = 0


class Interval(NamedTuple):
    """A median with its interval."""

    median: float
    low: float
    high: float


def median_interval(values: Sequence[float]) -> Interval:
    """Return the median of `values` and the 95 % interval of the medians of their resamples. The
    same values give the same interval. Raises ValueError if there are no values.
    """
    if not values:
        raise ValueError("no values to resample")
    numbers = np.asarray(values, float)
    random = np.random.default_rng(SEED)
    drawn = random.choice(numbers, (RESAMPLES, len(numbers)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.median(drawn, axis=1), [tail, 1 - tail])
    return Interval(float(np.median(numbers)), float(low), float(high))
