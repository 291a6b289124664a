import math

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import build_graph, recipes
from mnist_graph.errors import UsageError
from mnist_graph.graph.schedules import learning_rate

tf1 = tf.compat.v1


def rates(recipe, iterations):
    """Return the learning rate at each of `iterations`."""
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        iteration = tf1.placeholder(tf.int64, [])
        rate = learning_rate(recipe, iteration)
        return [session.run(rate, {iteration: number}) for number in iterations]


def test_constant_schedule_is_constant():
    assert rates(recipes["mlp"], [0, 1, 999]) == pytest.approx([1e-4] * 3)


@pytest.mark.parametrize(
    ("model", "start", "decay"), [("mlp5-relu-decay", 0.003, 2000), ("conv3-batchnorm", 0.02, 1600)]
)
def test_exponential_schedule_is_the_published_formula(model, start, decay):
    iterations = [0, 1, 700, 2000, 9999]
    published = [0.0001 + start * math.exp(-i / decay) for i in iterations]
    assert rates(recipes[model], iterations) == pytest.approx(published, rel=1e-5)


def test_one_cycle_schedule_rises_and_falls_linearly():
    recipe = recipes["mlp"].override(
        schedule="one-cycle", iterations=1000, learning_rate=0.5, warmup=0.2
    )
    corners = {0: 0.05, 100: 0.275, 200: 0.5, 600: 0.25, 999: 0.5 / 800}
    assert rates(recipe, corners) == pytest.approx(list(corners.values()), rel=1e-5)
    every_50th = rates(recipe, range(0, 1000, 50))
    assert max(every_50th) == pytest.approx(0.5)
    assert np.all(np.diff(every_50th)[:4] > 0)
    assert np.all(np.diff(every_50th)[4:] < 0)


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_one_cycle_schedule_must_rise_and_fall(warmup):
    with pytest.raises(UsageError, match="warmup must be a number from 1e-06"):
        recipes["cnn-fast"].override(warmup=warmup)


def test_each_step_uses_the_rate_of_its_iteration(mnist):
    """Gradient descent takes a step of rate(0) times the gradient, then one of rate(1), ..."""
    recipe = recipes["softmax"].override(
        schedule="exponential", learning_rate=0.5, decay_iterations=1.0, iterations=9
    )
    graph = build_graph(recipe)
    with graph.graph.as_default(), tf1.Session(graph=graph.graph) as session:
        (weights,) = (v for v in tf1.trainable_variables() if "weights" in v.name)
        (gradient,) = tf1.gradients(graph.loss, [weights])
        session.run(graph.initialize)
        feed = {graph.pixels: mnist.train.pixels[:50], graph.labels: mnist.train.labels[:50]}
        for iteration in range(3):
            before, slope = session.run([weights, gradient], feed)
            session.run(graph.train_step, feed)
            rate = 0.0001 + 0.5 * math.exp(-iteration)
            np.testing.assert_allclose(before - session.run(weights), rate * slope, atol=1e-6)
