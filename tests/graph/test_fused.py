"""Convolution, bias, ReLU and pool as one, in bfloat16, against the same apart, in float32."""

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import build_graph, recipes
from mnist_graph.graph import layers
from mnist_graph.graph.fused import conv_relu_pool

tf1 = tf.compat.v1
START = {"weights": "truncated-normal", "bias": -1.0}


def apart(images, size, channels, name):
    """What the block is, in the tutorials' order."""
    product = layers.conv2d(images, size, channels, name, **START)
    return layers.max_pool_2x2(tf.nn.relu(product))


def as_one(images, size, channels, name):
    return conv_relu_pool(images, size, channels, name, **START)


def values_and_gradients(block, frames, upstream):
    """What `block` gives for `frames`, and the gradients of these, the weights and the biases,
    where `upstream` comes down to it. Weights are from -3 to 3.
    """
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        tf1.set_random_seed(0)
        images = tf.constant(frames)
        pooled = tf.cast(block(images, 5, 7, "conv"), tf.float32)
        weights, biases = tf1.trainable_variables()
        gradients = tf.gradients(pooled, [images, weights, biases], upstream)
        session.run(tf1.global_variables_initializer())
        session.run(weights.assign(tf.round(15 * weights.initial_value)))
        return session.run([pooled, *gradients])


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_layers_it_is_made_of_and_so_are_its_gradients(mnist, channels):
    """Of whole numbers, which bfloat16 holds up to 256: else the largest of a square is not
    always the same one.
    """
    digits = mnist.test.images[: 20 * channels].reshape(20, channels, 28, 28).round()
    frames = np.ascontiguousarray(digits.transpose(0, 2, 3, 1)[:, :27, 3:28])
    upstream = np.random.default_rng(0).integers(-2, 3, size=(20, 14, 13, 7)).astype(np.float32)
    expected = values_and_gradients(apart, frames, upstream)
    found = values_and_gradients(as_one, frames, upstream)
    np.testing.assert_array_equal(found[0], expected[0])
    assert 0.2 < (found[0] == 0).mean() < 0.9, "ReLU takes part"
    for ours, theirs in zip(found[1:], expected[1:], strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0.005)  # more than 256, rounded


def operations(recipe):
    return [operation.type for operation in build_graph(recipe).graph.get_operations()]


@pytest.mark.parametrize(
    ("changes", "blocks"),
    [
        ({"precision": "bfloat16"}, 2),
        ({"precision": "float32"}, 0),
        ({"precision": "bfloat16", "activation": "tanh"}, 0),
    ],
)
def test_only_where_it_is_the_same_and_faster_is_it_used(changes, blocks):
    types = operations(recipes["cnn"].override(**changes))
    assert types.count("IdentityN") == blocks
    assert types.count("MaxPool") == 2
