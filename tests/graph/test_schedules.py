import math

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import build_graph, recipes
from mnist_graph.graph.schedules import learning_rate

tf1 = tf.compat.v1


def rates(recipe, iterations):
    """The schedule's rate at each of `iterations`."""
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        iteration = tf1.placeholder(tf.int64, [])
        rate = learning_rate(recipe, iteration)
        return [session.run(rate, {iteration: each}) for each in iterations]


def test_a_constant_rate_is_constant():
    assert rates(recipes["mlp"], [0, 1, 999]) == pytest.approx([1e-4] * 3)


@pytest.mark.parametrize(
    ("model", "start", "decay"), [("mlp5-relu-decay", 0.003, 2000), ("conv3-batchnorm", 0.02, 1600)]
)
def test_the_exponential_schedule_is_the_published_formula(model, start, decay):
    iterations = [0, 1, 700, 2000, 9999]
    published = [0.0001 + start * math.exp(-i / decay) for i in iterations]
    assert rates(recipes[model], iterations) == pytest.approx(published, rel=1e-5)


def test_the_one_cycle_schedule_rises_in_a_line_and_falls_in_another():
    recipe = recipes["mlp"].override(
        schedule="one-cycle", iterations=1000, learning_rate=0.5, warmup=0.2
    )
    corners = {0: 0.05, 100: 0.275, 200: 0.5, 600: 0.25, 999: 0.5 / 800}
    assert rates(recipe, corners) == pytest.approx(list(corners.values()), rel=1e-5)
    everywhere = rates(recipe, range(0, 1000, 50))
    assert max(everywhere) == pytest.approx(0.5)
    assert np.all(np.diff(everywhere)[:4] > 0)
    assert np.all(np.diff(everywhere)[4:] < 0)


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_a_one_cycle_without_a_rise_or_a_fall_is_refused(warmup):
    with pytest.raises(Exception, match="warmup must be above 0 and below 1"):
        recipes["cnn-fast"].override(warmup=warmup)


def test_the_graph_takes_the_rate_of_its_own_iteration(mnist):
    """The first step of plain gradient descent is rate(0) times the gradient, the second
    rate(1): an off-by-one in the schedule would show.
    """
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
            moved = before - session.run(weights)
            rate = 0.0001 + 0.5 * math.exp(-iteration)
            np.testing.assert_allclose(moved, rate * slope, atol=1e-6)
