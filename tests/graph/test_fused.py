"""The fused block in bfloat16 against the separate layers in float32."""

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import build_graph, recipes
from mnist_graph.graph import layers
from mnist_graph.graph.fused import conv_relu_pool

tf1 = tf.compat.v1
START = {"weights": "truncated-normal", "bias": -1.0}


def separate(images, size, channels, name):
    """Apply the separate layers, in the tutorials' order."""
    product = layers.conv2d(images, size, channels, name, **START)
    return layers.max_pool_2x2(tf.nn.relu(product))


def fused(images, size, channels, name):
    return conv_relu_pool(images, size, channels, name, **START)


def values_and_gradients(block, frames, upstream):
    """Return the outputs of `block` for `frames`, and the gradients of frames, weights and
    biases for the gradient `upstream` of the outputs. Weights are integers from -3 to 3.
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
def test_fused_block_equals_the_separate_layers(mnist, channels):
    """All values are integers, which bfloat16 represents exactly up to 256: rounding could
    change which pixel of a square is the maximum.
    """
    digits = mnist.test.images[: 20 * channels].reshape(20, channels, 28, 28).round()
    frames = np.ascontiguousarray(digits.transpose(0, 2, 3, 1)[:, :27, 3:28])
    upstream = np.random.default_rng(0).integers(-2, 3, size=(20, 14, 13, 7)).astype(np.float32)
    outputs, *gradients = values_and_gradients(fused, frames, upstream)
    expected_outputs, *expected_gradients = values_and_gradients(separate, frames, upstream)
    np.testing.assert_array_equal(outputs, expected_outputs)
    assert 0.2 < (outputs == 0).mean() < 0.9, "ReLU has an effect"
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, expected, rtol=0.005)  # above 256, rounded


@pytest.mark.parametrize(
    ("changes", "blocks"),
    [
        ({"precision": "bfloat16"}, 2),
        ({"precision": "float32"}, 0),
        ({"precision": "bfloat16", "activation": "tanh"}, 0),
    ],
)
def test_only_relu_in_bfloat16_is_fused(changes, blocks):
    graph = build_graph(recipes["cnn"].override(**changes)).graph
    types = [operation.type for operation in graph.get_operations()]
    assert types.count("IdentityN") == blocks
    assert types.count("MaxPool") == 2
