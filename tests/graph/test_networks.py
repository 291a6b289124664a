"""The networks against NumPy's forward pass with the same weights."""

import numpy as np
import pytest
import tensorflow as tf
from helpers import CLASSICS
from photos import crops
from reference import LOGITS

from mnist_graph import MnistGraphError, build_graph, recipes
from mnist_graph.graph.recipe import CHOICES

tf1 = tf.compat.v1


def open_with_random_variables(graph):
    """Open a session with random weights and biases; return it and these values by name."""
    session = tf1.Session(graph=graph.graph)
    session.run(graph.initialize)
    generator = np.random.default_rng(0)
    values = {}
    with graph.graph.as_default():
        for variable in tf1.trainable_variables():
            value = generator.normal(0, 0.1, variable.shape).astype(np.float32)
            session.run(variable.initializer, {variable.initial_value: value})
            values[variable.op.name] = value
    return session, values


def assert_equals_numpy(recipe, pixels, classes=10):
    """Compare logits and probabilities with those of `reference`."""
    graph = build_graph(recipe, pixels.shape[1:], classes)
    session, values = open_with_random_variables(graph)
    with session:
        logits, probabilities = session.run(
            [graph.logits, graph.probabilities], {graph.pixels: pixels}
        )
    images = (pixels if pixels.ndim == 4 else pixels[..., np.newaxis]) / 255
    expected = LOGITS[recipe.network](images, values, recipe)
    assert logits.shape == (len(pixels), classes)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
    exponents = np.exp(expected - expected.max(axis=1, keepdims=True))
    softmax = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, softmax, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", CLASSICS)
def test_logits_equal_numpys(mnist, name):
    assert_equals_numpy(recipes[name], mnist.test.pixels[:6])


@pytest.mark.parametrize("activation", CHOICES["activation"])
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_every_activation_equals_numpys(mnist, name, activation):
    recipe = recipes[name].override(activation=activation)
    assert_equals_numpy(recipe, mnist.test.pixels[6:9])


@pytest.mark.parametrize(
    ("name", "hidden"), [("mlp", (7,)), ("mlp", (9, 8, 7, 6)), ("cnn", (30, 20))]
)
def test_hidden_sets_the_number_and_width_of_layers(mnist, name, hidden):
    assert_equals_numpy(recipes[name].override(hidden=hidden), mnist.test.pixels[:3])


@pytest.mark.parametrize("name", CLASSICS)
def test_networks_adapt_to_image_size_and_classes(mnist, name):
    assert_equals_numpy(recipes[name], mnist.test.pixels[:3, 4:25, 8:21], classes=3)


@pytest.mark.parametrize("name", [*CLASSICS, "cifar10"])
def test_logits_of_colour_equal_numpys(name):
    assert_equals_numpy(recipes[name], crops("china", 3), classes=4)


def test_logits_of_cifar10_in_grey_equal_numpys(mnist):
    assert_equals_numpy(recipes["cifar10"], mnist.test.pixels[:3])


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("softmax", [(784, 10)]),
        ("mlp", [(784, 512), (512, 256), (256, 128), (128, 10)]),
        ("cnn", [(5, 5, 1, 32), (5, 5, 32, 64), (3136, 1024), (1024, 10)]),
    ],
)
def test_networks_have_the_published_layers(name, shapes):
    graph = build_graph(recipes[name])
    with graph.graph.as_default():
        weights = [v for v in tf1.trainable_variables() if v.shape.rank > 1]
    assert [tuple(variable.shape) for variable in weights] == shapes


@pytest.mark.parametrize("name", CLASSICS)
def test_variables_have_the_published_initial_values(name):
    graph = build_graph(recipes[name])
    with tf1.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        with graph.graph.as_default():
            values = {v.op.name: session.run(v) for v in tf1.trainable_variables()}
    for variable, value in values.items():
        if name == "softmax":
            assert not value.any(), "weights and biases are 0"
        elif "biases" in variable:
            np.testing.assert_allclose(value, 0.1)
        else:
            assert value.std() == pytest.approx(0.088, rel=0.1)


@pytest.mark.parametrize(("name", "layer"), [("mlp", 3), ("cnn", 1)])
def test_dropout_follows_the_last_hidden_layer(mnist, name, layer):
    graph = build_graph(recipes[name])
    session, _ = open_with_random_variables(graph)
    feed = {graph.pixels: mnist.test.pixels[:3]}
    with session:
        whole, dropped = (session.run(graph.logits, {**feed, graph.keep_prob: p}) for p in (1, 0.5))
    assert not np.allclose(whole, dropped), "dropout has an effect on the logits"
    assert dropout_scopes(graph) == {f"dropout{layer}"}


def test_dropout_each_follows_every_hidden_layer():
    graph = build_graph(recipes["mlp"].override(dropout="each"))
    assert dropout_scopes(graph) == {"dropout1", "dropout2", "dropout3"}


def dropout_scopes(graph):
    scopes = {operation.name.split("/")[0] for operation in graph.graph.get_operations()}
    return {scope for scope in scopes if "dropout" in scope}


def test_dropout_keeps_the_expected_logits(mnist):
    """Their mean over many iterations equals the logits at keep_prob 1, since the kept units are
    scaled by 1 / keep_prob. This holds for the layer after dropout, which is linear.
    """
    graph = build_graph(recipes["mlp"])
    session, _ = open_with_random_variables(graph)
    feed = {graph.pixels: mnist.test.pixels[:1]}
    logits = []
    with session, graph.graph.as_default():
        whole = session.run(graph.logits, feed)
        count = graph.global_step.assign_add(1)
        for _ in range(400):
            logits.append(session.run(graph.logits, {**feed, graph.keep_prob: 0.5}))
            session.run(count)
    standard_error = np.std(logits, axis=0) / np.sqrt(400)
    assert (standard_error > 0).all()
    assert (abs(np.mean(logits, axis=0) - whole) < 5 * standard_error).all()


def test_images_smaller_than_the_filters_are_refused():
    build_graph(recipes["mnist-99"], (9, 9))
    with pytest.raises(MnistGraphError, match="images of 8x28 are too small for mnist-99"):
        build_graph(recipes["mnist-99"], (8, 28))
    build_graph(recipes["cifar10"], (9, 9, 3))
    with pytest.raises(MnistGraphError, match="images of 8x9 are too small for cifar10"):
        build_graph(recipes["cifar10"], (8, 9, 3))
