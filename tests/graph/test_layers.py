import math

import numpy as np
import pytest
import tensorflow as tf
from reference import convolve, pool

from mnist_graph.graph import layers

tf1 = tf.compat.v1

START = {"weights": "truncated-normal", "bias": 0.3}


def evaluate(build, seed=0, iteration=0):
    """Return the values of the tensors that `build`() creates, in a graph of their own."""
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        tf1.set_random_seed(seed)
        step = tf1.train.get_or_create_global_step()
        fetched = build()
        session.run(tf1.global_variables_initializer())
        session.run(step.assign(iteration))
        return session.run(fetched)


def drop(keep_prob=0.5, name="dropout", **options):
    """Apply dropout to an array of ones."""

    def build():
        return layers.dropout(tf.ones([400, 500]), tf.constant(keep_prob), name)

    return evaluate(build, **options)


@pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.75])
def test_dropout_keeps_the_expected_share_and_scales_it(keep_prob):
    dropped = drop(keep_prob)
    kept = dropped != 0
    assert kept.mean() == pytest.approx(keep_prob, abs=0.006), "five standard deviations"
    np.testing.assert_allclose(dropped[kept], 1 / keep_prob, rtol=1e-6)


def test_dropout_at_1_keeps_everything():
    np.testing.assert_array_equal(drop(1.0), 1)


def test_dropout_keeps_the_same_share_of_every_image_and_unit():
    kept = drop(0.5) != 0
    assert abs(kept.mean(axis=0) - 0.5).max() < 0.15
    assert abs(kept.mean(axis=1) - 0.5).max() < 0.15


def test_dropout_depends_only_on_seed_and_iteration():
    first = drop(seed=3, iteration=7)
    np.testing.assert_array_equal(drop(seed=3, iteration=7), first)


@pytest.mark.parametrize(
    "other",
    [{"iteration": 8}, {"seed": 4}, {"name": "dropout2"}],
    ids=["iteration", "seed", "layer"],
)
def test_dropout_differs_between_iterations_seeds_and_layers(other):
    first, second = (drop(**{"seed": 3, "iteration": 7, **changes}) != 0 for changes in ({}, other))
    assert (first == second).mean() == pytest.approx(0.5, abs=0.01)


def initial_weights(kind, shape, seed=0, scope="layer"):
    def build():
        with tf1.variable_scope(scope):
            return layers.weight_variable(shape, kind)

    return evaluate(build, seed)


def test_truncated_normal_weights_have_the_tutorials_standard_deviation():
    values = initial_weights("truncated-normal", [300, 400])
    # A standard deviation of 0.1, truncated at twice that.
    assert abs(values).max() <= 0.2
    assert values.std() == pytest.approx(0.088, abs=0.002)
    assert values.mean() == pytest.approx(0, abs=0.002)


def test_zero_weights_are_zero():
    assert not initial_weights("zeros", [3, 4]).any()


@pytest.mark.parametrize(("shape", "fans"), [([300, 100], 400), ([5, 5, 8, 24], 800)])
def test_glorot_weights_are_uniform_within_their_limit(shape, fans):
    values, limit = initial_weights("glorot-uniform", shape), math.sqrt(6 / fans)
    assert 0.98 * limit < abs(values).max() <= limit
    assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize(("shape", "fan_in"), [([300, 100], 300), ([5, 5, 8, 24], 200)])
def test_he_weights_have_variance_2_over_fan_in(shape, fan_in):
    values = initial_weights("he", shape)
    assert values.std() == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)


def test_unknown_initial_weights_are_refused():
    with pytest.raises(ValueError, match="unknown initial weights 'ones'"):
        initial_weights("ones", [2, 2])


def test_initial_weights_depend_only_on_seed_and_scope():
    first = initial_weights("truncated-normal", [5, 5])
    np.testing.assert_array_equal(initial_weights("truncated-normal", [5, 5]), first)
    assert not np.array_equal(initial_weights("truncated-normal", [5, 5], seed=1), first)
    assert not np.array_equal(initial_weights("truncated-normal", [5, 5], scope="other"), first)


def test_biases_start_at_the_given_value():
    np.testing.assert_allclose(evaluate(lambda: layers.bias_variable(7, 0.1)), np.full(7, 0.1))
    np.testing.assert_allclose(evaluate(lambda: layers.bias_variable(7, 0.0)), np.zeros(7))


@pytest.fixture
def frames(mnist):
    """Parts of real digits, of an odd and oblong size, in two channels: [6, 9, 13, 2]."""
    return mnist.test.images[:12].reshape(6, 2, 28, 28)[:, :, 9:18, 8:21].transpose(0, 2, 3, 1)


def test_dense_is_matrix_product_plus_bias(mnist):
    images = mnist.test.images[:6]

    def build():
        outputs = layers.dense(tf.constant(images), 11, "layer", **START)
        return outputs, tf1.trainable_variables()

    outputs, (w, b) = evaluate(build)
    assert (w.shape, b.shape) == ((784, 11), (11,))
    np.testing.assert_allclose(outputs, images @ w + 0.3, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_conv2d_equals_numpys_convolution(frames, size, stride):
    def build():
        outputs = layers.conv2d(tf.constant(frames), size, 3, "layer", stride=stride, **START)
        return outputs, tf1.trainable_variables()

    outputs, (w, _) = evaluate(build)
    assert w.shape == (size, size, 2, 3)
    expected = convolve(frames, w, stride) + 0.3
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_max_pool_is_the_maximum_of_each_2x2(frames, sign):
    pooled = evaluate(lambda: layers.max_pool_2x2(tf.constant(sign * frames)))
    assert pooled.shape == (6, 5, 7, 2), "odd sides are rounded up"
    np.testing.assert_array_equal(pooled, pool(sign * frames))


def test_flatten_keeps_the_order_of_values(frames):
    flat = evaluate(lambda: layers.flatten(tf.constant(frames)))
    np.testing.assert_array_equal(flat, frames.reshape(6, -1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 2]),
        ("sigmoid", [1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2))]),
        ("tanh", [math.tanh(-1), 0, math.tanh(2)]),
        ("linear", [-1, 0, 2]),
    ],
)
def test_activations_are_the_functions_of_their_names(name, expected):
    values = evaluate(lambda: layers.ACTIVATIONS[name](tf.constant([-1.0, 0.0, 2.0])))
    np.testing.assert_allclose(values, expected, rtol=1e-5)
