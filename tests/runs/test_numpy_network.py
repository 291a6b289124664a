"""NumPy computes what TensorFlow does, from the weights in the last checkpoint."""

import json
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf1
from helpers import TEST_IMAGE, assert_refused, flip, run_python

from mnist_graph import Classifier, MnistGraphError, recipes, train
from mnist_graph.graph.build import build_network
from mnist_graph.graph.layers import BATCH_NORM_EPSILON
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.numpy_layers import NumpyLayers
from mnist_graph.reading.numpy_classifier import NumpyClassifier
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import make_assign
from mnist_graph.runs.shipped import fold_normalization, folded_recipe
from mnist_graph.runs.weights import find_weights, read_weights

CLASSIFYING = [name for name, recipe in recipes.items() if not recipe.reads_strips]


def random_weights(session):
    """Random values for all variables, with variances that are positive."""
    random = np.random.default_rng(0)
    with session.graph.as_default():
        shapes = {v.op.name: v.shape for v in tf1.global_variables() if v.dtype == tf1.float32}
    values = {
        name: np.float32(random.standard_normal(shape) / np.sqrt(1 + np.prod(shape[:-1])))
        for name, shape in shapes.items()
    }
    return {n: abs(v) + 0.5 if n.endswith("variance") else v for n, v in values.items()}


@pytest.mark.parametrize("name", CLASSIFYING)
def test_the_logits_of_every_recipe_are_tensorflows(name, mnist):
    recipe = recipes[name]
    side, channels = (32, 3) if recipe.network == "cifar10" else (28, 1)
    pixels = np.random.default_rng(1).random((3, side, side, channels), np.float32)
    if channels == 1:
        pixels[1:] = mnist.test.pixels[:2, ..., np.newaxis] / np.float32(255)
    shape = (side, side, 3) if channels == 3 else (side, side)
    network = build_network(recipe.override(precision="float32", average_weights=False), shape)
    with tf1.Session(graph=network.graph) as session:
        weights = random_weights(session)
        make_assign(session)(weights)
        expected = session.run(network.logits, {network.images: pixels.reshape(3, -1)})
    layers = NumpyLayers(folded_recipe(recipe), fold_normalization(weights, BATCH_NORM_EPSILON))
    found = NETWORKS[recipe.network].build(layers, pixels, layers.recipe)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("model", ["softmax", "mlp", "cnn"])
def test_the_probabilities_of_a_run_are_tensorflows(trained, mnist, model):
    run = load_run(trained(model).directory)
    pixels = mnist.test.pixels[:300]
    with Classifier(run, "cpu") as network, NumpyClassifier(run, find_weights(run)) as one:
        expected = network.predict(pixels)
        np.testing.assert_allclose(one.predict(pixels), expected, atol=1e-5)
        images = pixels.reshape(300, 784) / np.float32(255)
        np.testing.assert_allclose(one.predict(images), expected, atol=1e-5)
        assert one.predict(pixels[:0]).shape == (0, 10)
        with pytest.raises(MnistGraphError, match="images must be"):
            one.predict(np.zeros((2, 3)))
        (digit,), (other,) = one.read(TEST_IMAGE), network.read(TEST_IMAGE)
        assert (digit.box, digit.label) == (other.box, other.label)


def test_averaged_and_normalized_weights_are_written(tmp_path, mnist):
    recipe = recipes["conv3-batchnorm"].override(
        iterations=20, batch_size=20, hidden=(16,), channels=(4, 6, 8), average_weights=True
    )
    run = train(recipe.override(validation_size=5000), mnist, tmp_path / "run")
    assert not any("moving" in name for name in read_weights(find_weights(run)))
    with Classifier(run, "cpu") as network, NumpyClassifier(run, find_weights(run)) as one:
        expected = network.predict(mnist.test.pixels[:100])
        np.testing.assert_allclose(one.predict(mnist.test.pixels[:100]), expected, atol=1e-5)


@pytest.mark.parametrize("words", [(), ("--runtime", "numpy")])
def test_predict_does_not_import_tensorflow(trained, words):
    words = ["--predict", str(TEST_IMAGE), "--run-dir", str(trained("mlp").directory), *words]
    code = f"""
import sys
sys.modules["tensorflow"] = None
from mnist_graph.cli import main
sys.exit(main({words!r}))
"""
    outcome = run_python(code)
    assert outcome == (0, outcome.out, "")
    assert outcome.out.startswith("Prediction for test image: ")


def test_a_damaged_checkpoint_is_left_to_tensorflow(trained, tmp_path, command):
    run = load_run(shutil.copytree(trained("mlp").directory, tmp_path / "run"))
    flip(find_weights(run))
    assert find_weights(run) is None
    words = ("--predict", TEST_IMAGE, "--run-dir", run.directory)
    assert_refused(command(*words, "--runtime", "numpy"), 1, "no undamaged weights for NumPy")
    outcome = command(*words)
    assert "is damaged (model.npz has changed since it was written)" in outcome.err


def test_weights_of_another_network_are_refused(trained, tmp_path):
    folder = shutil.copytree(trained("mlp").directory, tmp_path / "run")
    weights = find_weights(load_run(folder))
    values = json.loads((folder / "recipe.json").read_text())
    values["recipe"]["hidden"] = [100]
    (folder / "recipe.json").write_text(json.dumps(values))
    with pytest.raises(MnistGraphError, match="of another network; train again"):
        NumpyClassifier(load_run(folder), weights)


def test_networks_that_numpy_cannot_compute(trained, command):
    words = ("--predict", TEST_IMAGE, "--runtime", "numpy")
    reader = trained("reader").directory
    assert_refused(command(*words, "--run-dir", reader), 1, "reads rows; leave out --runtime")
    assert_refused(command(*words), 1, "reads rows; leave out --runtime")
    assert_refused(command(*words, "--run-dir", reader, "--device", "gpu"), 2, "on the CPU")
