"""A network that a program registers itself."""

import numpy as np
import pytest

from mnist_graph import Classifier, MnistGraphError, Recipe, network, train
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
def test_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="not an optional setting: depth"):
        network("hidden", "depth")
