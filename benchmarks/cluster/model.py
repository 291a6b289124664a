"""How long a step of N workers takes: a model whose constants are measured.

    step = compute(rows of a share) * straggler(N) + what is sent - what is sent while computing

What a step sends is what graph/share.py decides: the factors of dense layers' gradients, and
vectors that are summed. A ring sums a vector of b bytes in 2(N - 1) hops, one after another, each
of which moves one N-th of it; it gathers N vectors of b bytes in N - 1 hops of b bytes each. So

    sent = call + hops * (hop + request * delay) + MB * (copy + link / bandwidth)

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

from mnist_graph.graph.share import has_small_factors, is_gathered

MEGA = 1e6
GAIN = 1.1
"""Scaling has stopped where more workers give less than this many times the images a second."""


class Link(NamedTuple):
    """How workers are connected."""

    gbit: float
    """Gbit/s in each direction."""
    delay_ms: float
    """Of a message on its way, one direction."""


class Sending(NamedTuple):
    """A vector of each worker that is summed in a ring, or gathered."""

    way: str
    """"ring" or "gather"."""
    size: float
    """Bytes of a worker's vector."""


class Sum(NamedTuple):
    """A measured all-reduce or all-gather."""

    workers: int
    way: str
    size: float
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


def hops(workers: int, way: str) -> int:
    """Return the number of hops in the ring."""
    return (workers - 1) * (2 if way == "ring" else 1)


def moved(workers: int, way: str, size: float) -> float:
    """Return the bytes that a worker sends, and receives, of vectors of `size` bytes."""
    return size * hops(workers, way) / (workers if way == "ring" else 1)


def list_sendings(
    dense: Sequence[tuple[int, int, int]],
    summed: Sequence[float],
    workers: int,
    batch_size: int,
) -> list[Sending]:
    """Return what a step sends, as graph/share.py decides: for `dense` layers, each
    (features, units, bytes of a number), and vectors `summed`, in bytes, of which the last has all
    gradients. Factors come just before it.
    """
    rows, factors, rest = -(-batch_size // workers), 0, summed[-1]
    for features, units, size in dense:
        if has_small_factors(features, units, size, rows, workers):
            factors += rows * (features + units) * size
            rest -= 4 * features * units
    ways = {True: "gather", False: "ring"}
    sums = [Sending(ways[is_gathered(int(size), workers)], size) for size in (*summed[:-1], rest)]
    exchanged = [Sending("gather", factors)] if factors else []
    return [*sums[:-1], *exchanged, sums[-1]]


def _terms(
    workers: int, way: str, size: float, gbit: float, delay_ms: float | None, cores: int | None
) -> list[float]:
    """Return what each constant is multiplied by, in the order of Constants."""
    crowd = 1.0 if cores is None else max(1.0, workers / cores)
    count, volume = hops(workers, way), moved(workers, way, size) / MEGA
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
    rows = np.array([_terms(*each[:5], cores) for each in sums])
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
    way: str,
    size: float,
    gbit: float,
    delay_ms: float | None = None,
    cores: int | None = None,
) -> float:
    """Return the ms of summing or gathering vectors of `size` bytes. As measured, with `cores` for
    all workers together and a relay for the delay; by default, without either.
    """
    return float(np.dot(constants, _terms(workers, way, size, gbit, delay_ms, cores)))


def relative_errors(constants: Constants, sums: Sequence[Sum], cores: int) -> list[float]:
    """Return predicted / measured - 1 for each sum."""
    return [predict_sum(constants, *each[:5], cores) / each.milliseconds - 1 for each in sums]


def fit_compute(milliseconds: Mapping[int, float]) -> tuple[float, float]:
    """Return a and b of a + b * rows, for the ms that a share takes, by its number of rows."""
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
    dense: Sequence[tuple[int, int, int]]
    """Features, units and bytes of a number of each dense layer."""
    summed: Sequence[float]
    """The bytes of each vector that would be summed in a step if no factors were exchanged."""
    moments: Mapping[int, Mapping[str, float]]
    """By the rows of a share, shares of a step's time: until all factors are known ("factors"), and
    all gradients ("gradients"), and of Adam for dense layers ("adam")."""

    def compute(self, rows: float) -> float:
        """Return the ms of computing a share of `rows`."""
        return self.fixed + self.per_row * rows

    def step(
        self, workers: int, link: Link, scales_batch: bool = False, halved: bool = False
    ) -> dict[str, float]:
        """Return the parts of a step in ms, its efficiency, and the images a second.

        The workers share the batch, or with `scales_batch` each has a whole one. With `halved`,
        the largest sum is sent in half of the bytes.
        """
        batch_size = self.batch_size * (workers if scales_batch else 1)
        rows = batch_size / workers
        alone = self.compute(rows)
        waiting = alone * (straggler(self.spread, workers) - 1)
        total, hidden = self._communicate(workers, batch_size, link, halved)
        step = alone + waiting + total - hidden
        images = 1000 * rows * workers / step
        parts = {"compute": alone, "stragglers": waiting, "sent": total, "hidden": hidden}
        return {**parts, "step": step, "efficiency": alone / step, "images": images}

    def _communicate(
        self, workers: int, batch_size: int, link: Link, halved: bool
    ) -> tuple[float, float]:
        """Return the ms of all that is sent, and of what of this is sent while computing: factors,
        while convolutions have no gradients yet; and these, while Adam takes its step for the dense
        layers whose factors came before.
        """
        if workers == 1:
            return 0.0, 0.0
        sent = list_sendings(self.dense, self.summed, workers, batch_size)
        if halved:
            sent[-1] = sent[-1]._replace(size=sent[-1].size / 2)
        times = [predict_sum(self.constants, workers, *each, *link) for each in sent]
        times = [each - self.constants.call for each in times]
        hidden = 0.0
        if len(sent) > len(self.summed):
            rows = batch_size / workers
            alone = self.compute(rows)
            shares = self.moments[min(self.moments, key=lambda each: abs(each - rows))]
            backward = (shares["gradients"] - shares["factors"]) * alone
            hidden = min(times[-2], backward) + min(times[-1], shares["adam"] * alone)
        return sum(times) + self.constants.call, hidden

    def limit(self, link: Link, counts: Sequence[int], **plan: Any) -> int:
        """Return the last of these numbers of workers that gives at least a tenth more images a
        second than the number before it.
        """
        images = [self.step(workers, link, **plan)["images"] for workers in counts]
        gains = [b / a for a, b in pairwise(images)]
        better = [n for n, gain in zip(counts[1:], gains, strict=True) if gain >= GAIN]
        return better[-1] if better else counts[0]
