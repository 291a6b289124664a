"""Each network against NumPy's forward pass with the same weights."""

import numpy as np
import pytest
import tensorflow as tf
from helpers import CLASSICS
from reference import LOGITS

from mnist_graph import MnistGraphError, build_graph, recipes
from mnist_graph.graph.recipe import CHOICES

tf1 = tf.compat.v1


def open_with_random_variables(graph, seed=0):
    """A session whose trainable variables, biases too, are all unlike each other; and those."""
    session = tf1.Session(graph=graph.graph)
    session.run(graph.initialize)
    generator = np.random.default_rng(seed)
    values = {}
    with graph.graph.as_default():
        for variable in tf1.trainable_variables():
            value = generator.normal(0, 0.1, variable.shape).astype(np.float32)
            session.run(variable.initializer, {variable.initial_value: value})
            values[variable.op.name] = value
    return session, values


def compare(recipe, pixels, classes=10):
    """Fail unless the network gives what NumPy gives for `pixels`."""
    graph = build_graph(recipe, pixels.shape[1:], classes)
    session, values = open_with_random_variables(graph)
    with session:
        logits, probabilities = session.run(
            [graph.logits, graph.probabilities], {graph.pixels: pixels}
        )
    images = pixels[..., np.newaxis] / 255
    expected = LOGITS[recipe.network](images, values, recipe)
    assert logits.shape == (len(pixels), classes)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
    exponents = np.exp(expected - expected.max(axis=1, keepdims=True))
    shares = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, shares, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", CLASSICS)
def test_logits_are_numpys(mnist, name):
    compare(recipes[name], mnist.test.pixels[:6])


@pytest.mark.parametrize("activation", CHOICES["activation"])
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_logits_are_numpys_with_each_activation(mnist, name, activation):
    recipe = recipes[name].override(activation=activation)
    compare(recipe, mnist.test.pixels[6:9])


@pytest.mark.parametrize(
    ("name", "hidden"), [("mlp", (7,)), ("mlp", (9, 8, 7, 6)), ("cnn", (30, 20))]
)
def test_hidden_layers_are_as_many_and_as_wide_as_asked(mnist, name, hidden):
    compare(recipes[name].override(hidden=hidden), mnist.test.pixels[:3])


@pytest.mark.parametrize("name", CLASSICS)
def test_sizes_and_classes_follow_the_data(mnist, name):
    compare(recipes[name], mnist.test.pixels[:3, 4:25, 8:21], classes=3)


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
        found = [tuple(v.shape) for v in tf1.trainable_variables() if v.shape.rank > 1]
    assert found == shapes


@pytest.mark.parametrize("name", CLASSICS)
def test_variables_start_as_published(name):
    graph = build_graph(recipes[name])
    with tf1.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        with graph.graph.as_default():
            values = {v.op.name: session.run(v) for v in tf1.trainable_variables()}
    for variable, value in values.items():
        if name == "softmax":
            assert not value.any(), "weights and biases start from zeros"
        elif "biases" in variable:
            np.testing.assert_allclose(value, 0.1)
        else:
            assert value.std() == pytest.approx(0.088, rel=0.1)


@pytest.mark.parametrize(("name", "layer"), [("mlp", 3), ("cnn", 1)])
def test_dropout_stands_behind_the_last_hidden_layer_and_is_connected(mnist, name, layer):
    graph = build_graph(recipes[name])
    session, _ = open_with_random_variables(graph)
    feed = {graph.pixels: mnist.test.pixels[:3]}
    with session:
        kept, halved = (session.run(graph.logits, {**feed, graph.keep_prob: p}) for p in (1, 0.5))
    scopes = {op.name.split("/")[0] for op in graph.graph.get_operations()}
    assert not np.allclose(kept, halved)
    assert {scope for scope in scopes if "dropout" in scope} == {f"dropout{layer}"}


def test_dropout_may_stand_behind_each_hidden_layer():
    graph = build_graph(recipes["mlp"].override(dropout="each"))
    scopes = {op.name.split("/")[0] for op in graph.graph.get_operations()}
    assert {"dropout1", "dropout2", "dropout3"} <= scopes


def test_the_dropout_of_a_network_averages_out(mnist):
    """Over many iterations the logits are those at keep_prob 1: the scale is 1 / keep_prob."""
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
    spread = np.std(logits, axis=0) / np.sqrt(400)
    assert (spread > 0).all()
    assert (abs(np.mean(logits, axis=0) - whole) < 5 * spread).all()


def test_images_that_are_smaller_than_the_filters_are_refused():
    build_graph(recipes["mnist-99"], (9, 9))
    with pytest.raises(MnistGraphError, match="images of 8x28 are too small for mnist-99"):
        build_graph(recipes["mnist-99"], (8, 28))
