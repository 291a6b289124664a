"""One process's share of every batch, when several processes train the same network together.

Each process runs the same graph on its own rows of the batch. What depends on the whole batch, the
gradients, the loss, and batch normalization's mean and variance, is summed over all processes by
TensorFlow's collective all-reduce; dropout drops what one process would drop in these rows. So all
processes take the very same step, and it is the step of one process up to the order of summing.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from mnist_graph.errors import UsageError

GROUP = 1
"""TensorFlow's number for the processes that a sum is over: all of them."""
PHILOX = 1
"""TensorFlow's number for the random generator Philox."""
PHILOX_GROUP = 4
"""How many numbers Philox draws at once."""


class Share:
    """The rows of each batch of `batch_size` that process `index` of `count` processes takes.

    The graph of a share is built once, by the same calls on every process, since the sums are
    numbered in the order in which they are built. Raises UsageError if there are more processes
    than rows.
    """

    def __init__(self, index: int, count: int, batch_size: int) -> None:
        if count > batch_size:
            raise UsageError(
                f"{count} workers cannot share a batch of {batch_size}; use fewer workers or a "
                "larger --batch-size"
            )
        self.index, self.count, self.batch_size = index, count, batch_size
        self._numbers = itertools.count(1)

    @property
    def rows(self) -> slice:
        """The rows of this process: consecutive, and as many as another's, or one more."""
        start, stop = (self.batch_size * i // self.count for i in (self.index, self.index + 1))
        return slice(start, stop)

    @property
    def size(self) -> int:
        """The number of these rows."""
        return self.rows.stop - self.rows.start

    def total(self, part: tf.Tensor) -> tf.Tensor:
        """Return the sum of a float32 vector over all processes. Its gradient is the sum of all
        processes' gradients.
        """

        @tf.custom_gradient
        def sum_over_processes(vector: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            return self._reduce(vector), self._reduce

        return sum_over_processes(part)

    def totals(self, parts: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return the sum of each tensor over all processes, by one all-reduce for all of them."""
        shapes = [part.shape.as_list() for part in parts]
        vector = tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
        pieces = tf.split(self._reduce(vector), [math.prod(shape) for shape in shapes])
        return [tf.reshape(piece, shape) for piece, shape in zip(pieces, shapes, strict=True)]

    def _reduce(self, vector: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.CollectiveReduce(
            input=vector,
            group_size=self.count,
            group_key=GROUP,
            instance_key=next(self._numbers),
            merge_op="Add",
            final_op="Id",
            subdiv_offsets=[0],
        )

    def uniform(self, shape: tf.Tensor, seed: Sequence[tf.Tensor | int]) -> tf.Tensor:
        """Return this process's rows of what `tf.random.stateless_uniform` draws for the whole
        batch with the generator Philox: float32 of `shape`, [rows, ...], in [0, 1).
        """
        count, row = tf.reduce_prod(shape), tf.reduce_prod(shape[1:])
        start = row * self.rows.start
        group, skipped = start // PHILOX_GROUP, start % PHILOX_GROUP
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        counter += tf.stack([tf.cast(group, tf.uint64), tf.constant(0, tf.uint64)])
        drawn = tf.raw_ops.StatelessRandomUniformV2(
            shape=[skipped + count], key=key, counter=counter, alg=PHILOX
        )
        return tf.reshape(drawn[skipped:], shape)
