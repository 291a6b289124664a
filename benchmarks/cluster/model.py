"""How long a step of N workers takes: a model whose constants are measured.

    step = compute(rows of a share) * straggler(N) + what is sent - what is sent while computing

What a step sends is what graph/share.py and graph/collectives.py decide: the factors of dense
layers' gradients, and vectors that are summed. What that costs in messages, one after another, and
in bytes, they say too. So

    sent = operations * operation + messages * (message + request * delay)
         + MB * (copy + link / bandwidth)

where each round, or ring, is an operation of TensorFlow's. A session call takes time of its own.

`fit` finds these constants by least squares. In the measurements many workers share two cores: what
the processor does then takes N / cores times as long, and the relay that delays messages costs time
of its own. On paper every worker has a machine to itself, without a relay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_graph.graph.collectives import (
    gather_cost,
    is_ring_slower,
    list_rounds,
    ring_cost,
    rounds_cost,
)
from mnist_graph.graph.share import has_small_factors

TURNS = 4
"""How often experiments take turns, so that all see the same load of the machine."""
MEGA = 1e6
GAIN = 1.1
"""Scaling has stopped where more workers give less than this many times the images a second."""


class Link(NamedTuple):
    """How workers are connected."""

    gbit: float
    """Gbit/s in each direction."""
    delay_ms: float
    """Of a message on its way, one direction."""


COSTS = {"ring": ring_cost, "rounds": rounds_cost, "gather": gather_cost}
"""Of vectors that are summed in a ring or in rounds, and of rows that are gathered."""


class Sending(NamedTuple):
    """A vector of each worker that is summed, or gathered."""

    way: str
    """One of COSTS."""
    size: float
    """Bytes of a worker's vector."""


class Sum(NamedTuple):
    """Measured sums of vectors, or rows that were gathered, one after the other."""

    chain: int
    """How many in one session call."""
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
    """ms of a session call."""
    operation: float
    """ms of an operation, however small."""
    message: float
    """ms of a message without delay."""
    request: float
    """How often a message waits for the delay of the link."""
    copy: float
    """ms a MB that is sent and received, for serializing and copying."""
    link: float
    """ms a MB on a link of 1 Gbit/s; 8 if nothing but the link takes time."""
    relay_message: float
    """ms that the relay adds to a message."""
    relay_copy: float
    """ms that the relay adds to a MB."""


def list_sendings(
    dense: Sequence[tuple[int, int, int]],
    summed: Sequence[float],
    has_late: bool,
    workers: int,
    batch_size: int,
) -> list[Sending]:
    """Return what a step sends, as the program decides: for `dense` layers, each
    (features, units, bytes of a number), and vectors `summed`, in bytes, of which the last has all
    gradients, or with `has_late` the last but one all but the first layer's. Factors come just
    before these.
    """
    rows, factors = -(-batch_size // workers), 0
    *others, rest = summed[:-1] if has_late else summed
    for features, units, size in dense:
        if has_small_factors(features, units, size, rows, workers):
            factors += rows * (features + units) * size
            rest -= 4 * features * units
    exchanged = [Sending("gather", factors)] if factors else []
    late = [_sum(workers, summed[-1])] if has_late else []
    return [*(_sum(workers, size) for size in others), *exchanged, _sum(workers, rest), *late]


def _sum(workers: int, size: float) -> Sending:
    return Sending("rounds" if is_ring_slower(workers, size) else "ring", size)


def _terms(
    chain: int,
    workers: int,
    way: str,
    size: float,
    gbit: float,
    delay_ms: float | None,
    cores: int | None,
) -> list[float]:
    """Return what each constant is multiplied by, in the order of Constants."""
    crowd = 1.0 if cores is None else max(1.0, workers / cores)
    cost = COSTS[way](workers, size)
    operations = chain * (1 if way == "ring" else len(list_rounds(workers)))
    messages, volume = chain * cost.messages, chain * cost.size / MEGA
    relayed = 0.0 if delay_ms is None or cores is None else crowd
    return [
        1.0,
        operations * crowd,
        messages * crowd,
        messages * (delay_ms or 0.0),
        volume * crowd,
        volume / gbit,
        messages * relayed,
        volume * relayed,
    ]


def fit(sums: Sequence[Sum], cores: int) -> Constants:
    """Return the constants that minimize the squares of the relative errors."""
    rows = np.array([_terms(*each[:6], cores) for each in sums])
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
    """Return the ms of a session call that sums or gathers vectors of `size` bytes once. As
    measured, with `cores` for all workers together and a relay for the delay; by default, without
    either.
    """
    return float(np.dot(constants, _terms(1, workers, way, size, gbit, delay_ms, cores)))


def relative_errors(constants: Constants, sums: Sequence[Sum], cores: int) -> list[float]:
    """Return predicted / measured - 1 for each sum."""
    return [
        float(np.dot(constants, _terms(*each[:6], cores))) / each.milliseconds - 1 for each in sums
    ]


def fit_compute(milliseconds: Mapping[int, float]) -> tuple[float, float]:
    """Return a and b of a + b * rows, for the ms that a share takes, by its number of rows."""
    rows, times = (np.array(each, float) for each in zip(*milliseconds.items(), strict=True))
    weights = np.stack([1 / times, rows / times], axis=1)
    fixed, each = _solve_without_negatives(weights)
    return fixed, each


def find_spread(seconds: Sequence[float]) -> list[float]:
    """Return the times of an experiment, of all its TURNS one after the other, each relative to the
    median of its turn: between turns, the whole machine may become slower or faster.
    """
    turns = np.split(np.asarray(seconds), TURNS)
    return [float(each) for turn in turns for each in turn / np.median(turn)]


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
    has_late: bool
    """Whether the last of them is that of the first layer alone."""
    moments: Mapping[int, Mapping[str, float]]
    """By the rows of a share, shares of a step's time: until all factors are known ("factors"), all
    gradients but the first layer's ("early"), and all ("gradients"); and of Adam for dense layers
    ("adam")."""

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
        sent = list_sendings(self.dense, self.summed, self.has_late, workers, batch_size)
        if halved:
            largest = max(range(len(sent)), key=lambda number: sent[number].size)
            sent[largest] = sent[largest]._replace(size=sent[largest].size / 2)
        total, exposed = 0.0, 0.0
        if workers > 1:
            total, exposed = self._communicate(alone, sent, rows, workers, link)
        step = alone + waiting + exposed
        images = 1000 * rows * workers / step
        parts = {"compute": alone, "stragglers": waiting, "sent": total, "exposed": exposed}
        return {**parts, "step": step, "efficiency": alone / step, "images": images}

    def _communicate(
        self,
        alone: float,
        sent: Sequence[Sending],
        rows: float,
        workers: int,
        link: Link,
    ) -> tuple[float, float]:
        """Return the ms of all that is `sent`, one after the other, and how much longer a step is
        for it, which takes `alone` ms alone.

        Batch normalization's sums are waited for. Factors and gradients are sent once they are
        known: their messages at the same time, their bytes one after the other. Meanwhile the
        processor computes the other gradients, and takes Adam's step for the dense layers once
        their factors have come. The session call is part of what a step takes alone.
        """
        full = [predict_sum(self.constants, workers, *each, *link) for each in sent]
        empty = [predict_sum(self.constants, workers, each.way, 0, *link) for each in sent]
        call = self.constants.call
        shares = self.moments[min(self.moments, key=lambda each: abs(each - rows))]
        names = ["early", "gradients"] if self.has_late else ["gradients"]
        exchanges = len(sent) > len(self.summed)
        names = ["factors", *names] if exchanges else names
        waited = sum(full[: -len(names)]) - call * (len(sent) - len(names))
        free, arrived = 0.0, {}
        pairs = zip(full[-len(names) :], empty[-len(names) :], strict=True)
        for name, (time, fixed) in zip(names, pairs, strict=True):
            free = max(free, shares[name] * alone) + time - fixed
            arrived[name] = free + fixed - call
        known = shares["gradients"] * alone
        start = max(known, arrived.pop("factors", known))
        ready = start + (shares["adam"] * alone if exchanges else 0.0)
        idle = start - known + max(0.0, max(arrived.values()) - ready)
        return sum(full) - call * len(sent), waited + idle

    def limit(self, link: Link, counts: Sequence[int], **plan: Any) -> int:
        """Return the last of these numbers of workers that gives at least a tenth more images a
        second than the number before it.
        """
        images = [self.step(workers, link, **plan)["images"] for workers in counts]
        gains = [b / a for a, b in pairwise(images)]
        better = [n for n, gain in zip(counts[1:], gains, strict=True) if gain >= GAIN]
        return better[-1] if better else counts[0]
