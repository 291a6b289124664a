"""What processes send each other in a step, by TensorFlow's collectives: sums and gathered rows.

In a ring, each of N processes sends 2(N - 1) messages, one after another, to sum vectors. Where
messages take longer than what is in them, rounds are faster: in each round, groups as small as can
be gather what their processes know by then, so that N processes need as many rounds as N has prime
factors (eight need three). This is recursive doubling (Thakur, Rabenseifner and Gropp 2005,
"Optimization of Collective Communication Operations in MPICH").
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

ALL, GROUPS = 1, 3
"""TensorFlow's numbers for all processes together, and for the first group of the rounds; the
number between them is that of cluster/variables.py."""
MESSAGE = 2**17
"""The bytes that take about as long to send as a message between two processes does without any
(benchmarks.cluster)."""


class Cost(NamedTuple):
    """What a process sends, one message after another; and receives."""

    messages: int
    size: float
    """Bytes in all of them."""

    @property
    def time(self) -> float:
        """How long they take, in bytes that could be sent meanwhile."""
        return self.messages * MESSAGE + self.size


def list_rounds(count: int) -> list[int]:
    """Return how many processes a group has in each round: the prime factors of `count`."""
    rounds, factor = [], 2
    while count > 1:
        if count % factor:
            factor += 1
        else:
            rounds.append(factor)
            count //= factor
    return rounds


def ring_cost(count: int, size: float) -> Cost:
    """Return what summing vectors of `size` bytes of `count` processes in a ring costs."""
    messages = 2 * (count - 1)
    return Cost(messages, messages * size / count)


def rounds_cost(count: int, size: float) -> Cost:
    """Return what summing vectors of `size` bytes of `count` processes in rounds costs."""
    messages = sum(members - 1 for members in list_rounds(count))
    return Cost(messages, messages * size)


def gather_cost(count: int, size: float) -> Cost:
    """Return what gathering `size` bytes of each of `count` processes costs."""
    return Cost(rounds_cost(count, size).messages, (count - 1) * size)


def is_ring_slower(count: int, size: float) -> bool:
    """Return whether vectors of `size` bytes of `count` processes are summed faster in rounds."""
    return rounds_cost(count, size).time <= ring_cost(count, size).time


class Group(NamedTuple):
    """The processes that gather in a round."""

    number: int
    """TensorFlow's number for them."""
    members: int


def list_groups(index: int, count: int) -> list[Group]:
    """Return the group of process `index` of `count` in each round."""
    groups, number, known = [], GROUPS, 1
    for members in list_rounds(count):
        first = index - index // known % members * known
        groups.append(Group(number + first, members))
        number += count
        known *= members
    return groups


class Collectives:
    """What process `index` of `count` sends and receives. Every process builds the same ones in the
    same order, which is how TensorFlow knows what belongs together.
    """

    def __init__(self, index: int, count: int, numbers: Iterator[int] | None = None) -> None:
        self.index, self.count = index, count
        self._numbers = itertools.count(1) if numbers is None else numbers

    def gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Return the rows of all processes, in the same order on each: [n, width], of the same
        shape on each, -> [count * n, width].
        """
        for group in list_groups(self.index, self.count):
            rows = self._gather_in_group(rows, group)
        return rows

    def sum(self, vector: tf.Tensor) -> tf.Tensor:
        """Return the sum of the vectors, [n], of all processes: the same bits on each."""
        size = vector.shape.num_elements() * vector.dtype.size
        slow = is_ring_slower(self.count, size)
        return self.sum_in_rounds(vector) if slow else self.sum_in_ring(vector)

    def sum_in_rounds(self, vector: tf.Tensor) -> tf.Tensor:
        """Return the sum, for which each process adds up what its group has gathered."""
        for group in list_groups(self.index, self.count):
            vector = tf.add_n(tf.unstack(self._gather_in_group(vector[tf.newaxis], group)))
        return vector

    def sum_in_ring(self, vector: tf.Tensor) -> tf.Tensor:
        """Return the sum, of which each process adds up one part."""
        return tf.raw_ops.CollectiveReduce(
            input=vector,
            group_size=self.count,
            group_key=ALL,
            instance_key=next(self._numbers),
            merge_op="Add",
            final_op="Id",
            subdiv_offsets=[0],
        )

    def _gather_in_group(self, rows: tf.Tensor, group: Group) -> tf.Tensor:
        if rows.dtype == tf.bfloat16:
            # TensorFlow gathers no bfloat16, but other numbers of two bytes.
            halves = self._gather_in_group(tf.bitcast(rows, tf.float16), group)
            return tf.bitcast(halves, tf.bfloat16)
        return tf.raw_ops.CollectiveGather(
            input=rows,
            group_size=group.members,
            group_key=group.number,
            instance_key=next(self._numbers),
            shape=[group.members * rows.shape[0], rows.shape[1]],
        )
