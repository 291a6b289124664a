"""A share of a batch: its rows, its random numbers, its part of batch normalization."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph import recipes
from mnist_graph.data.batches import training_batches
from mnist_graph.errors import UsageError
from mnist_graph.graph.collectives import Collectives
from mnist_graph.graph.layers import _normalize_together as normalize_together
from mnist_graph.graph.layers import dropout
from mnist_graph.graph.share import Share


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 100), (3, 128), (7, 50), (50, 50)])
def test_shares_divide_a_batch_as_equally_as_possible(count, size):
    shares = [Share(index, count, size) for index in range(count)]
    assert [row for share in shares for row in range(size)[share.rows]] == list(range(size))
    sizes = [share.size for share in shares]
    assert max(sizes) - min(sizes) <= 1


def test_more_workers_than_rows_are_refused():
    with pytest.raises(UsageError, match="5 workers cannot share a batch of 4"):
        Share(0, 5, 4)


@pytest.mark.parametrize("model", ["mlp", "cnn-best", "reader"])
def test_the_shares_of_a_batch_are_the_batch(mnist, model):
    recipe = recipes[model].override(batch_size=7)
    ranges = [range(5, 6)]

    def make(*rows):
        ((_, batch),) = training_batches(mnist, recipe, recipe.reads_strips, ranges, *rows)
        return batch

    pixels, labels = make()
    for index in range(3):
        rows = Share(index, 3, 7).rows
        own_pixels, own_labels = make(rows)
        assert np.array_equal(own_pixels, pixels[rows])
        longest = own_labels.shape[-1] if recipe.reads_strips else None
        assert np.array_equal(own_labels, labels[rows][..., :longest])


@pytest.mark.parametrize("shape", [(128, 64), (50, 7, 7, 3), (7, 5)])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_shares_drop_what_one_process_drops(shape, count):
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(3)
        session.run(tf1.train.get_or_create_global_step().initializer)
        inputs = tf.constant(np.random.default_rng(1).random(shape, np.float32) + 1)
        keep_prob = tf.constant(0.7)
        whole = dropout(inputs, keep_prob)
        shares = [Share(index, count, shape[0]) for index in range(count)]
        parts = [dropout(inputs[share.rows], keep_prob, share=share) for share in shares]
        expected, found = session.run([whole, tf.concat(parts, axis=0)])
    assert np.array_equal(found, expected)
    assert 0.5 < (found > 0).mean() < 0.9


class Alone(Share):
    """The share of one process, which has all rows: its sums are those of all."""

    def __init__(self, batch_size):
        self.index, self.count, self.batch_size = 0, 1, batch_size
        self.collectives = Collectives(0, 1)


def test_normalization_of_shares_is_that_of_the_batch():
    """Compared in double precision; TensorFlow's own, in single, is less exact."""
    random = np.random.default_rng(2)
    inputs = (random.standard_normal((20, 6, 6, 3)) * [0.1, 1, 5] + [0, 2, -4]).astype(np.float32)
    upstream = random.standard_normal(inputs.shape).astype(np.float32)
    with tf.Graph().as_default(), tf1.Session() as session:
        x, exact = tf.constant(inputs), tf.constant(inputs.astype(np.float64))
        centre = tf.constant([0.0, 1.0, -3.0])
        output, mean, variance = normalize_together(x, tf.zeros([3]), centre, Alone(20))
        moments = tf.nn.moments(exact, [0, 1, 2])
        expected = tf.nn.batch_normalization(exact, *moments, None, None, 1.001e-5)
        values = session.run(
            [
                (output, expected),
                (tf.gradients(output, x, upstream)[0],
                 tf.gradients(expected, exact, upstream.astype(np.float64))[0]),
                (mean, moments[0]),
                (variance, moments[1] * (720 / 719)),
            ]
        )  # fmt: skip
    for found, wanted in values:
        assert np.linalg.norm(found - wanted) <= 1e-5 * np.linalg.norm(wanted)


class Fed(Collectives):
    """Collectives whose sums and gathered rows are fed: what all processes have sent."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sent, self.received = [], []

    def gather(self, rows):
        self.sent.append(rows)
        self.received.append(
            tf1.placeholder(rows.dtype, [self.count * rows.shape[0], *rows.shape[1:]])
        )
        return self.received[-1]

    def sum(self, vector):
        return tf.add_n(tf.unstack(self.gather(vector[tf.newaxis])))


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize(("count", "size"), [(2, 20), (3, 20)])
def test_weights_get_the_gradient_of_the_batch(dtype, count, size):
    """Of a layer whose factors are exchanged, and of one whose gradients are summed."""
    random = np.random.default_rng(3)
    x = random.standard_normal((size, 60)).astype(np.float32)
    upstream = random.standard_normal((size, 3)).astype(np.float32)
    with tf.Graph().as_default(), tf1.Session() as session:
        hidden = tf1.get_variable("hidden", initializer=random.random((60, 80), np.float32))
        output = tf1.get_variable("output", initializer=random.random((80, 3), np.float32))
        weights = [hidden, output]
        session.run(tf1.global_variables_initializer())

        def gradients(rows, multiply):
            frame = multiply(tf.cast(x[rows], dtype), tf.cast(hidden, dtype), hidden.name)
            logits = multiply(tf.cast(frame, tf.float32), output, output.name)
            return tf.gradients(logits, weights, upstream[rows])

        expected = session.run(gradients(slice(None), lambda a, b, _: tf.matmul(a, b)))
        shares = [Share(index, count, size) for index in range(count)]
        for share in shares:
            share.collectives = Fed(share.index, count)
        found = [
            share.add_up(gradients(share.rows, share.multiply), [each.name for each in weights])
            for share in shares
        ]
        rows, vectors = (
            np.stack([session.run(share.collectives.sent[number]) for share in shares])
            for number in (0, 1)
        )
        assert rows.shape == (count, -(-size // count), 140)
        assert vectors.shape[-1] == 240
        feeds = {
            tensor: value.reshape(tensor.shape)
            for share in shares
            for tensor, value in zip(share.collectives.received, (rows, vectors), strict=True)
        }
        all_found = session.run(found, feeds)
    for one, other in all_found:
        assert one.dtype == np.float32
        assert np.array_equal(one, all_found[0][0])
        assert np.array_equal(other, all_found[0][1])
        for gradient, wanted in ((one, expected[0]), (other, expected[1])):
            tolerance = 1e-6 if dtype == tf.float32 else 5e-3
            assert np.linalg.norm(gradient - wanted) <= tolerance * np.linalg.norm(wanted)
