"""How long a step of N workers takes: a model whose constants are measured.

    step = compute(rows of a share) * straggler(N) + the sum of every vector that is added up

TensorFlow adds up a vector in a ring: 2(N - 1) hops, one after another, each of which moves one
N-th of the vector. So of a vector of b bytes, a worker sends and receives v = b * 2(N - 1) / N, and

    sum = call + hops * (hop + request * delay) + v * (copy + link / bandwidth)

`fit` finds these constants by least squares. In the measurements many workers share two cores: what
the processor does, `hop` and `copy`, then takes N / cores times as long, and the relay that delays
messages costs time of its own. On paper every worker has a machine to itself, without a relay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MEGA = 1e6
BACKWARD_SHARE = 0.6
"""The share of computing that is still to be done when the first large gradient is known, which can
be added up meanwhile: the backward pass takes about twice as long as the forward pass.
"""


GAIN = 1.1
"""More workers must give so many times the images, or scaling has stopped."""


class Link(NamedTuple):
    """How workers are connected."""

    gbit: float
    """Gbit/s in each direction."""
    delay_ms: float
    """Of a message on its way, one direction."""


class Sum(NamedTuple):
    """A measured all-reduce."""

    workers: int
    size: int
    """Bytes of the vector."""
    gbit: float
    delay_ms: float | None
    """None without a relay."""
    milliseconds: float


class Constants(NamedTuple):
    """What `fit` finds; none is negative."""

    call: float
    """ms of a session call and its first sum, however small."""
    hop: float
    """ms of a hop without delay."""
    request: float
    """How often a hop waits for the delay of the link."""
    copy: float
    """ms a MB that is sent and received, for serializing and copying."""
    link: float
    """ms a MB on a link of 1 Gbit/s; 8 if nothing but the link takes time."""
    relay_hop: float
    """ms that the relay adds to a hop."""
    relay_copy: float
    """ms that the relay adds to a MB."""


def hops(workers: int) -> int:
    """Return the number of hops in the ring."""
    return 2 * (workers - 1)


def moved(workers: int, size: float) -> float:
    """Return the bytes of a vector of `size` bytes that a worker sends, and receives."""
    return size * 2 * (workers - 1) / workers


def _terms(
    workers: int, size: float, gbit: float, delay_ms: float | None, cores: int | None
) -> list[float]:
    """Return what each constant is multiplied by, in the order of Constants."""
    crowd = 1.0 if cores is None else max(1.0, workers / cores)
    count, volume = hops(workers), moved(workers, size) / MEGA
    relayed = 0.0 if delay_ms is None or cores is None else crowd
    return [
        1.0,
        count * crowd,
        count * (delay_ms or 0.0),
        volume * crowd,
        volume / gbit,
        count * relayed,
        volume * relayed,
    ]


def fit(sums: Sequence[Sum], cores: int) -> Constants:
    """Return the constants that minimize the squares of the relative errors."""
    rows = np.array([_terms(*each[:4], cores) for each in sums])
    rows /= np.array([each.milliseconds for each in sums])[:, np.newaxis]
    return Constants(*_solve_without_negatives(rows))


def _solve_without_negatives(rows: NDArray[np.float64]) -> list[float]:
    """Solve rows @ x = 1 by least squares; what would be negative is 0."""
    kept = list(range(rows.shape[1]))
    while True:
        solution, *_ = np.linalg.lstsq(rows[:, kept], np.ones(len(rows)), rcond=None)
        if (solution >= 0).all():
            found = dict(zip(kept, solution, strict=True))
            return [float(found.get(column, 0.0)) for column in range(rows.shape[1])]
        kept.pop(int(np.argmin(solution)))


def predict_sum(
    constants: Constants,
    workers: int,
    size: float,
    gbit: float,
    delay_ms: float | None = None,
    cores: int | None = None,
) -> float:
    """Return the ms of adding up a vector of `size` bytes. As measured, with `cores` for all
    workers together and a relay for the delay; by default, without either.
    """
    return float(np.dot(constants, _terms(workers, size, gbit, delay_ms, cores)))


def relative_errors(constants: Constants, sums: Sequence[Sum], cores: int) -> list[float]:
    """Return predicted / measured - 1 for each sum."""
    return [predict_sum(constants, *each[:4], cores) / each.milliseconds - 1 for each in sums]


def fit_compute(milliseconds: Mapping[int, float]) -> tuple[float, float]:
    """Return a and b of a + b * rows, for the ms that shares of so many rows take."""
    rows, times = (np.array(each, float) for each in zip(*milliseconds.items(), strict=True))
    weights = np.stack([1 / times, rows / times], axis=1)
    fixed, each = _solve_without_negatives(weights)
    return fixed, each


def straggler(seconds: Sequence[float], workers: int) -> float:
    """Return how much longer than one worker the slowest of `workers` takes, on average, if each
    draws its time from the measured ones.
    """
    ordered = np.sort(seconds)
    ranks = np.arange(len(ordered) + 1) / len(ordered)
    return float(np.dot(ordered, np.diff(ranks**workers)) / ordered.mean())


@dataclass
class Model:
    """The model of one recipe."""

    constants: Constants
    batch_size: int
    fixed: float
    """ms of a step that do not depend on the rows."""
    per_row: float
    """ms of a step for each row."""
    spread: Sequence[float]
    """Measured times of the same step, in any unit."""
    summed: Sequence[int]
    """The bytes of each vector that is summed in a step."""

    def compute(self, rows: float) -> float:
        """Return the ms of computing a share of so many rows."""
        return self.fixed + self.per_row * rows

    def step(
        self,
        workers: int,
        link: Link,
        scales_batch: bool = False,
        halved: bool = False,
        overlaps: bool = False,
    ) -> dict[str, float]:
        """Return the parts of a step in ms, its efficiency, and the images a second.

        The workers share the batch, or with `scales_batch` each has a whole one. With `halved`,
        gradients are sent in half of the bytes; with `overlaps`, they are added up while the
        backward pass computes the others.
        """
        rows = self.batch_size if scales_batch else self.batch_size / workers
        alone = self.compute(rows)
        waiting = alone * (straggler(self.spread, workers) - 1)
        total = self._communicate(workers, link, halved) if workers > 1 else 0.0
        gradient = self._communicate(workers, link, halved, last=True) if workers > 1 else 0.0
        hidden = min(gradient, BACKWARD_SHARE * alone) if overlaps else 0.0
        step = alone + waiting + total - hidden
        images = 1000 * rows * workers / step
        parts = {"compute": alone, "stragglers": waiting, "sums": total, "hidden": hidden}
        return {**parts, "step": step, "efficiency": alone / step, "images": images}

    def _communicate(self, workers: int, link: Link, halved: bool, last: bool = False) -> float:
        """Return the ms of all sums, or only of the last one: the gradients."""
        sizes = list(self.summed[-1:] if last else self.summed)
        if halved:
            sizes[-1] /= 2
        times = [predict_sum(self.constants, workers, size, *link) for size in sizes]
        return sum(times) - (len(times) - 1) * self.constants.call

    def limit(self, link: Link, counts: Sequence[int], **plan: Any) -> int:
        """Return the last of these numbers of workers that gives at least a tenth more images a
        second than the number before it.
        """
        images = [self.step(workers, link, **plan)["images"] for workers in counts]
        gains = [b / a for a, b in pairwise(images)]
        better = [n for n, gain in zip(counts[1:], gains, strict=True) if gain >= GAIN]
        return better[-1] if better else counts[0]
