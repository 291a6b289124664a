"""--scale-batch, and the warm-up that it needs."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph import recipes
from mnist_graph.cluster.scaling import scale_batch
from mnist_graph.graph.schedules import learning_rate


def test_batch_and_rate_grow_and_as_many_images_are_seen():
    scaled, said = scale_batch(recipes["cnn"], 4, ())
    assert (scaled.batch_size, scaled.iterations, scaled.warmup_iterations) == (200, 5000, 500)
    assert scaled.learning_rate == pytest.approx(4e-4)
    assert said == (
        "for 4 workers: batch_size 50 -> 200, learning_rate 0.0001 -> 0.0004, "
        "iterations 20000 -> 5000, warmup_iterations 0 -> 500"
    )


def test_given_iterations_stay():
    scaled, _ = scale_batch(recipes["cnn"].override(iterations=300), 4, {"iterations": 300})
    assert (scaled.iterations, scaled.warmup_iterations) == (300, 30)


def test_schedules_are_scaled_with_the_run():
    before = recipes["mlp5-relu-decay"]
    scaled, _ = scale_batch(before, 2, ())
    assert scaled.decay_iterations == before.decay_iterations / 2
    assert scaled.learning_rate_floor == 2 * before.learning_rate_floor
    scaled, _ = scale_batch(recipes["cnn-best"], 2, ())
    assert scaled.warmup_iterations == 0  # one-cycle rises by itself


def test_the_rate_of_a_summed_loss_stays():
    """Its gradients grow with the batch."""
    scaled, _ = scale_batch(recipes["softmax-sum"], 2, ())
    assert scaled.learning_rate == recipes["softmax-sum"].learning_rate
    assert scaled.batch_size == 200


def test_the_rate_rises_in_the_warm_up_and_is_the_same_afterwards():
    plain = recipes["mlp"].override(learning_rate=0.5)
    warmed = plain.override(warmup_iterations=4)
    with tf.Graph().as_default(), tf1.Session() as session:
        at = tf1.placeholder(tf.int64, [])
        rate = learning_rate(warmed, at)
        rates = [session.run(rate, {at: iteration}) for iteration in range(6)]
    assert np.allclose(rates, [0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
