"""One process's share of every batch, when several processes train the same network together.

Each process runs the same graph on its own rows of the batch. What depends on the whole batch, the
gradients, the loss, and batch normalization's mean and variance, is summed over all processes by
TensorFlow's collective all-reduce; dropout drops what one process would drop in these rows. So all
processes take the very same step, and it is the step of one process up to the order of summing.

The gradient of a dense layer's weights is a product of two small matrices, the layer's inputs and
the gradients of its outputs. Where these are fewer bytes than the product, the processes exchange
them instead, and each multiplies the rows of all (Xie et al. 2015, "Distributed Machine Learning
via Sufficient Factor Broadcasting").
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from mnist_graph.data.batches import require_rows
from mnist_graph.graph.collectives import Collectives, gather_cost, ring_cost

PHILOX = 1
"""TensorFlow's number for the random generator Philox."""
PHILOX_GROUP = 4
"""How many numbers Philox draws at once."""


def has_small_factors(features: int, units: int, size: int, rows: int, count: int) -> bool:
    """Return whether each of `count` processes receives fewer bytes if the factors of the gradient
    of weights [features, units] are exchanged, numbers of `size` bytes for as many `rows` of each
    process, than if the gradients, float32, are summed in a ring.
    """
    exchanged = gather_cost(count, rows * (features + units) * size)
    return exchanged.size < ring_cost(count, features * units * tf.float32.size).size


def _layer(name: str) -> str:
    """Return the scope of a variable's name, as in conv1/weights:0."""
    return name.rpartition("/")[0]


class _Factors(NamedTuple):
    """What the gradient of a dense layer's weights is the product of, for the rows of a share."""

    inputs: tf.Tensor
    """[rows, features]."""
    upstream: tf.Tensor
    """The gradients of the outputs, [rows, units]."""


class Share:
    """The rows of each batch of `batch_size` that process `index` of `count` processes takes.

    The graph of a share is built once, by the same calls on every process. Raises UsageError if
    there are more processes than rows.
    """

    def __init__(self, index: int, count: int, batch_size: int) -> None:
        require_rows(count, batch_size)
        self.index, self.count, self.batch_size = index, count, batch_size
        self.collectives = Collectives(index, count)
        self._factors: dict[str, _Factors] = {}

    @property
    def rows(self) -> slice:
        """The rows of this process: consecutive, and as many as another's, or one more."""
        start, stop = (self.batch_size * i // self.count for i in (self.index, self.index + 1))
        return slice(start, stop)

    @property
    def size(self) -> int:
        """The number of these rows."""
        return self.rows.stop - self.rows.start

    @property
    def largest(self) -> int:
        """The number of rows of the largest share."""
        return -(-self.batch_size // self.count)

    def multiply(self, inputs: tf.Tensor, weights: tf.Tensor, name: str) -> tf.Tensor:
        """Return inputs x weights: [rows, features] -> [rows, units]. `add_up` then knows how to
        find the gradient of the variable `name`, the weights, with few bytes. Nothing else in the
        objective may depend on this variable.
        """

        @tf.custom_gradient
        def product(inputs: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                self._factors[name] = _Factors(inputs, upstream)
                return (
                    tf.matmul(upstream, weights, transpose_b=True),
                    tf.matmul(inputs, upstream, transpose_a=True),
                )

            return tf.matmul(inputs, weights), gradients

        features, units = weights.shape.as_list()
        if inputs.shape.rank == 2 and self._exchanges(features, units, inputs.dtype.size):
            return product(inputs, weights)
        return tf.matmul(inputs, weights)

    def _exchanges(self, features: int, units: int, size: int) -> bool:
        return has_small_factors(features, units, size, self.largest, self.count)

    def add_up(
        self, gradients: Sequence[tf.Tensor], names: Sequence[str], *others: tf.Tensor
    ) -> list[tf.Tensor]:
        """Return the gradients of the whole batch, float32, for those of the share, of the
        variables of these `names`; and then the sums of the `others` over all processes.
        """
        products = self._exchange_factors([name for name in names if name in self._factors])
        known = dict(zip(names, gradients, strict=True))
        summed = [name for name in names if name not in products]
        late = self._list_late(summed) if names[0] in summed else []
        early = [name for name in summed if name not in late]
        sums = self.totals([*(known[name] for name in early), *others], "early")
        known |= products | dict(zip(early, sums, strict=False))
        if late:
            last = self.totals([known[name] for name in late], "late")
            known |= dict(zip(late, last, strict=True))
        return [*(known[name] for name in names), *sums[len(early) :]]

    def _list_late(self, names: Sequence[str]) -> list[str]:
        """Return the variables of the first layer. Their gradients come last, and those of the
        others are sent while they are computed.
        """
        return [name for name in names if _layer(name) == _layer(names[0])]

    def _exchange_factors(self, names: Sequence[str]) -> dict[str, tf.Tensor]:
        """Return the gradients of dense layers' weights: products of the factors of all rows."""
        products = {}
        for dtype in {self._factors[name].inputs.dtype: None for name in names}:
            alike = [name for name in names if self._factors[name].inputs.dtype == dtype]
            factors = [each for name in alike for each in self._factors[name]]
            rows = self._gather(tf.concat(factors, axis=1))
            parts = tf.split(rows, [each.shape[1] for each in factors], axis=1)
            for name, inputs, upstream in zip(alike, parts[::2], parts[1::2], strict=True):
                products[name] = tf.cast(tf.matmul(inputs, upstream, transpose_a=True), tf.float32)
        return products

    def _gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Return the rows of all processes' matrices: [rows, width] -> [count * largest, width].
        Smaller shares have a row of zeros more.
        """
        padded = tf.pad(rows, [[0, self.largest - self.size], [0, 0]])
        return self.collectives.gather(tf.ensure_shape(padded, [self.largest, rows.shape[1]]))

    def total(self, part: tf.Tensor) -> tf.Tensor:
        """Return the sum of a float32 vector over all processes. Its gradient is the sum of all
        processes' gradients.
        """

        @tf.custom_gradient
        def sum_over_processes(vector: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            return self.collectives.sum(vector), self.collectives.sum

        return sum_over_processes(part)

    def totals(self, parts: Sequence[tf.Tensor], name: str = "totals") -> list[tf.Tensor]:
        """Return the sum of each tensor over all processes, by one sum for all of them."""
        shapes = [part.shape.as_list() for part in parts]
        with tf.name_scope(name):
            vector = tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
        pieces = tf.split(self.collectives.sum(vector), [math.prod(shape) for shape in shapes])
        return [tf.reshape(piece, shape) for piece, shape in zip(pieces, shapes, strict=True)]

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
