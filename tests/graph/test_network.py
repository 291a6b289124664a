"""A network that a program registers itself."""

import re

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import Classifier, MnistGraphError, Recipe, build_graph, network, train
from mnist_graph.errors import UsageError
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.outline import outline
from mnist_graph.runs.find import load_run


@pytest.fixture
def registry():
    """Undo all registrations of the test."""
    before = dict(NETWORKS)
    yield NETWORKS
    NETWORKS.clear()
    NETWORKS.update(before)


@pytest.fixture
def recipe(registry):
    """A recipe of a network that is registered for this test."""

    @network("activation", "keep_prob")
    def narrow(layers, images, recipe):
        hidden = layers.conv2d(images, 3, 4, "conv1", stride=2)
        hidden = layers.dense(layers.flatten(hidden), 20, "dense1")
        return layers.logits(layers.dropout(hidden, layers.keep_prob, "dropout1"))

    return Recipe(
        model="mine",
        network="narrow",
        iterations=200,
        batch_size=50,
        learning_rate=0.01,
        keep_prob=0.9,
        activation="tanh",
    )


def test_registered_network_is_trained_and_restored(tmp_path, mnist, recipe):
    run = train(recipe, mnist, runs_dir=tmp_path)
    assert run.directory == tmp_path / "mine" / "1"
    assert run.result.test_accuracy > 0.8
    assert load_run(run.directory) == run
    with Classifier.restore(run.directory) as classifier:
        predictions = classifier.predict(mnist.test.pixels[:200]).argmax(axis=1)
    assert np.mean(predictions == mnist.test.labels[:200]) > 0.7


def test_run_of_a_network_that_is_not_registered_is_refused(tmp_path, mnist, recipe, registry):
    run = train(recipe.override(iterations=1), mnist, tmp_path / "run")
    del registry["narrow"]
    with pytest.raises(MnistGraphError, match=r"run/recipe.json does not .* network must be one"):
        load_run(run.directory)


def test_registered_network_has_an_outline(recipe):
    assert outline(recipe).parameters == 3 * 3 * 4 + 4 + 14 * 14 * 4 * 20 + 20 + 20 * 10 + 10
    assert outline(recipe).summary == "conv 3x3 4 stride 2; dense 20; tanh"


def test_settings_that_a_registered_network_does_not_use_are_refused(recipe):
    assert recipe.override(keep_prob=0.5).keep_prob == 0.5
    with pytest.raises(UsageError, match=r"^mine has no hidden to set$"):
        recipe.override(hidden=(10,))


def test_network_keeps_the_function(registry):
    def build(layers, images, recipe):
        return layers.logits(layers.flatten(images))

    assert network()(build) is build
    assert registry["build"].build is build


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("setting", ["depth", None, lambda layers, images, recipe: images])
def test_unknown_setting_is_refused(setting):
    with pytest.raises(
        UsageError, match=r"the arguments of @network must be names .* @network\(\)"
    ):
        network("hidden", setting)


@pytest.mark.usefixtures("registry")
def test_name_of_a_network_of_another_module_is_refused():
    def mlp(layers, images, recipe):
        return layers.logits(layers.flatten(images))

    with pytest.raises(UsageError, match="there is a network 'mlp'; give yours another name"):
        network()(mlp)


LOGITS = "network build must return what layers.logits returns"

FAULTY = {
    "nothing": (lambda layers, images: None, LOGITS),
    "the images": (lambda layers, images: images, LOGITS),
    "another number of classes": (
        lambda layers, images: layers.dense(layers.flatten(images), 7, "dense1"),
        LOGITS,
    ),
    "not flattened": (
        lambda layers, images: layers.logits(images),
        "the inputs of layer output must go through layers.flatten first",
    ),
    "flattened too early": (
        lambda layers, images: layers.conv2d(layers.flatten(images), 3, 4, "conv1"),
        "layer conv1 must come before layers.flatten",
    ),
    "no units": (
        lambda layers, images: layers.logits(layers.dense(layers.flatten(images), 0, "dense1")),
        "units of layer dense1 must be at least 1, not 0",
    ),
    "no filter": (  # TensorFlow would end the process
        lambda layers, images: layers.logits(layers.flatten(layers.conv2d(images, 0, 4, "conv1"))),
        "size of layer conv1 must be at least 1, not 0",
    ),
    "unknown padding": (
        lambda layers, images: layers.conv2d(images, 3, 4, "conv1", padding="same"),
        "padding of layer conv1 must be SAME or VALID, not 'same'",
    ),
    "one name twice": (
        lambda layers, images: layers.logits(layers.dense(layers.flatten(images), 5, "output")),
        "network build has two layers named 'output'",
    ),
}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("fault", FAULTY)
def test_network_that_is_wrong_is_refused(fault):
    function, message = FAULTY[fault]

    @network()
    def build(layers, images, recipe):
        return function(layers, images)

    recipe = Recipe(model="m", network="build", iterations=1, batch_size=1, learning_rate=0.1)
    with pytest.raises(UsageError, match=re.escape(message)):
        outline(recipe)


@pytest.mark.usefixtures("registry")
def test_network_whose_tensor_is_wrong_is_refused():
    @network()
    def build(layers, images, recipe):
        logits = layers.logits(layers.flatten(images))
        return logits if isinstance(logits, tuple) else tf.cast(logits, tf.float64)

    recipe = Recipe(model="m", network="build", iterations=1, batch_size=1, learning_rate=0.1)
    with pytest.raises(UsageError, match=LOGITS):
        build_graph(recipe)
