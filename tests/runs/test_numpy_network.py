"""NumPy computes what TensorFlow does, from the weights in the last checkpoint."""

import json
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf1
from helpers import TEST_IMAGE, assert_refused, flip, run_python

from benchmarks.pages import make_page
from mnist_graph import Classifier, MnistGraphError, Reader, recipes, train
from mnist_graph.cli.predict import FEW_PAGES
from mnist_graph.graph.build import build_network
from mnist_graph.graph.layers import BATCH_NORM_EPSILON
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.numpy_layers import NumpyLayers
from mnist_graph.reading.numpy_networks import NumpyClassifier, NumpyReader
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import make_assign
from mnist_graph.runs.shipped import fold_normalization, folded_recipe, shipped_reader
from mnist_graph.runs.weights import has_weights, read_weights, weights_file

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
    with Classifier(run, "cpu") as network, NumpyClassifier(run) as one:
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
    assert not any("moving" in name for name in read_weights(run))
    with Classifier(run, "cpu") as network, NumpyClassifier(run) as one:
        expected = network.predict(mnist.test.pixels[:100])
        np.testing.assert_allclose(one.predict(mnist.test.pixels[:100]), expected, atol=1e-5)


def test_the_reader_in_the_package_reads_what_it_reads_in_tensorflow(mnist):
    random = np.random.default_rng(3)
    with Reader.shipped() as network, NumpyReader(shipped_reader()) as one:
        for _ in range(3):
            chosen = random.integers(0, 5000, 6)
            page = make_page(
                mnist.validation.pixels[chosen], mnist.validation.sparse_labels[chosen], random
            )
            picture = np.asarray(page.picture)
            digits, expected = one.read(picture), network.read(picture)
            assert [(d.label, d.box) for d in digits] == [(d.label, d.box) for d in expected]
            for digit, other in zip(digits, expected, strict=True):
                assert digit.probability == pytest.approx(other.probability, abs=1e-4)
        strip = np.zeros((2, 32, 50), np.uint8)
        np.testing.assert_allclose(
            one.predict_columns(strip), network.predict_columns(strip), atol=1e-5
        )


@pytest.mark.parametrize("model", ["mlp", "reader", "cnn-best", None])
def test_predict_does_not_import_tensorflow(trained, model):
    """With a run, with the networks in the package, and without LiteRT."""
    words = ["--predict", str(TEST_IMAGE)]
    if model == "cnn-best":
        words += ["--model", "cnn-best"]
    elif model is not None:
        words += ["--run-dir", str(trained(model).directory)]
    code = f"""
import sys
sys.modules["tensorflow"] = sys.modules["ai_edge_litert"] = None
from mnist_graph.cli import main
assert main([*{words!r}, "--runtime", "numpy"]) == 0
sys.exit(main({words!r}))
"""
    outcome = run_python(code)
    assert (outcome.code, outcome.err) == (0, "")
    first, second = outcome.out.splitlines()
    assert first == second
    if model != "reader":  # that one, trained for a few steps, sees several digits
        assert first.startswith("Prediction for test image: ")


def test_many_pages_are_read_in_tensorflow(tmp_path):
    names = [str(tmp_path / f"{number}.png") for number in range(FEW_PAGES + 1)]
    for name in names:
        shutil.copy(TEST_IMAGE, name)
    code = f"""
import sys
sys.modules["ai_edge_litert"] = None
from mnist_graph.cli import main
assert main(["--predict", *{names!r}]) == 0
sys.exit("tensorflow" not in sys.modules)
"""
    assert run_python(code).code == 0


def test_a_damaged_checkpoint_is_left_to_tensorflow(trained, tmp_path, command):
    run = load_run(shutil.copytree(trained("mlp").directory, tmp_path / "run"))
    flip(weights_file(run))
    assert not has_weights(run)
    words = ("--predict", TEST_IMAGE, "--run-dir", run.directory)
    assert_refused(command(*words, "--runtime", "numpy"), 1, "no undamaged weights for NumPy")
    outcome = command(*words)
    assert "is damaged (model.npz has changed since it was written)" in outcome.err


def test_weights_of_another_network_are_refused(trained, tmp_path):
    folder = shutil.copytree(trained("mlp").directory, tmp_path / "run")
    values = json.loads((folder / "recipe.json").read_text())
    values["recipe"]["hidden"] = [100]
    (folder / "recipe.json").write_text(json.dumps(values))
    with pytest.raises(MnistGraphError, match="are of another network; train again"):
        NumpyClassifier(load_run(folder)).read(TEST_IMAGE)


def test_numpy_computes_on_the_processor(command):
    words = ("--predict", TEST_IMAGE, "--runtime", "numpy", "--device", "gpu")
    assert_refused(command(*words), 2, "--runtime numpy computes on the CPU")
