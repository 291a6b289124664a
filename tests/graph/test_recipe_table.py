"""Every recipe: its size, and that it learns."""

from itertools import pairwise

import pytest
import tensorflow as tf
from helpers import IMAGE_MODELS

from mnist_graph import build_graph, recipes
from mnist_graph.data.batches import make_batch
from mnist_graph.graph.build import training_logits, training_objective
from mnist_graph.graph.outline import outline

tf1 = tf.compat.v1

MLP = 784 * 512 + 512 + 512 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
MLP5 = 784 * 200 + 200 + 200 * 100 + 100 + 100 * 60 + 60 + 60 * 30 + 30 + 30 * 10 + 10
CNN = 5 * 5 * 32 + 32 + 5 * 5 * 32 * 64 + 64 + 7 * 7 * 64 * 1024 + 1024 + 1024 * 10 + 10
CNN5 = (
    5 * 5 * 32
    + 32
    + 3 * 3 * 32 * 64
    + 64
    + 3 * 3 * 64 * 64
    + 64
    + 3 * 3 * 64 * 128
    + 128
    + 3 * 3 * 128 * 128
    + 128
    + 4 * 4 * 128 * 10
    + 10
)
BY_HAND = {
    "softmax": 784 * 10 + 10,
    "mlp": MLP,
    "cnn": CNN,
    "mlp-linear": MLP,
    "cnn-sgd": CNN,
    "softmax-sum": 784 * 10 + 10,
    "mlp-sigmoid": 784 * 200 + 200 + 200 * 100 + 100 + 100 * 10 + 10,
    "mlp5-sigmoid": MLP5,
    "mlp5-relu": MLP5,
    "mlp5-relu-decay": MLP5,
    "mlp5-relu-dropout": MLP5,
    "conv3": 5 * 5 * 4 + 4
    + 5 * 5 * 4 * 8 + 8
    + 4 * 4 * 8 * 12 + 12
    + 7 * 7 * 12 * 200 + 200
    + 200 * 10 + 10,
    "conv3-dropout": 6 * 6 * 6 + 6
    + 5 * 5 * 6 * 12 + 12
    + 4 * 4 * 12 * 24 + 24
    + 7 * 7 * 24 * 200 + 200
    + 200 * 10 + 10,
    # Batch normalization has an offset per channel in place of a bias.
    "conv3-batchnorm": 6 * 6 * 24 + 24
    + 5 * 5 * 24 * 48 + 48
    + 4 * 4 * 48 * 64 + 64
    + 7 * 7 * 64 * 200 + 200
    + 200 * 10 + 10,
    "cnn-fast": CNN,
    "mnist-99": 5 * 5 * 24 + 24
    + 3 * 3 * 24 * 32 + 32
    + 5 * 5 * 32 * 128 + 128
    + 128 * 10 + 10,
    "cnn5-fast": CNN5 - 4 * 4 * 128 * 10 + 3 * 3 * 128 * 10,  # 24x24 instead of 28x28
    "cnn-best": CNN5,
    "cnn-scan": CNN5,
    "cifar10": 5 * 5 * 64 + 64
    + 5 * 5 * 64 * 64 + 64
    + 5 * 5 * 64 * 384 + 384  # of 28x28: 20x20 are left at the centre
    + 384 * 192 + 192
    + 192 * 10 + 10,
    "colour-fast": 5 * 5 * 32 + 32
    + 3 * 3 * 32 * 64 + 64
    + 3 * 3 * 64 * 64 + 64
    + 3 * 3 * 64 * 128 + 128
    + 3 * 3 * 128 * 128 + 128
    + 4 * 4 * 128 * 10 + 10,
    "reader": 5 * 5 * 32 + 32
    + sum(
        3 * 3 * inputs * outputs + outputs
        for inputs, outputs in pairwise((32, 64, 64, 128, 128, 192, 192, 224))
    )
    + 2 * 3 * 224 * 224 + 224
    + 1 * 5 * 224 * 224 + 224
    + 1 * 5 * 224 * 256 + 256
    + 256 * 11 + 11,
}  # fmt: skip


def test_cifar10_has_the_tutorials_parameters():
    """On 32x32 in colour it sees 24x24, and 6x6x64 are left after both pools."""
    by_hand = 5 * 5 * 3 * 64 + 64 + 5 * 5 * 64 * 64 + 64
    by_hand += 6 * 6 * 64 * 384 + 384 + 384 * 192 + 192 + 192 * 10 + 10
    assert outline(recipes["cifar10"], (32, 32, 3)).parameters == by_hand


def test_parameter_counts_equal_those_by_hand():
    assert {name: outline(recipe).parameters for name, recipe in recipes.items()} == BY_HAND


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_twenty_iterations_lower_the_loss(mnist, name):
    recipe = recipes[name]
    recipe = recipe.override(batch_size=20)
    graph = build_graph(recipe)
    with graph.graph.as_default():
        frames = graph.graph.get_tensor_by_name("frame:0")
        logits = training_logits(frames, recipe, 10, graph.keep_prob)
        training_loss = training_objective(logits, graph.labels, recipe)
    feed = {graph.pixels: mnist.validation.pixels[:200]}
    feed[graph.labels] = mnist.validation.labels[:200]
    with graph.graph.as_default(), tf1.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        # In training mode: batch normalization's averages are not useful after 20 steps.
        before = session.run(training_loss, feed)
        for iteration in range(20):
            pixels, labels = make_batch(mnist.train, recipe, iteration)
            batch = {graph.pixels: pixels, graph.labels: labels}
            session.run(graph.train_step, {**batch, graph.keep_prob: recipe.fed_keep_prob})
        after = session.run(training_loss, feed)
    assert after < before
