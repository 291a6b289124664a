"""Predictions with LiteRT: the same digits, and no TensorFlow."""

import json
import shutil

import numpy as np
import pytest
from helpers import TEST_IMAGE, assert_refused, flip, run_command, run_python

from mnist_graph import Classifier, MnistGraphError, Reader
from mnist_graph.data.strips.maker import make_test_strips
from mnist_graph.reading.litert import LiteRTClassifier, LiteRTReader
from mnist_graph.runs.find import load_run
from mnist_graph.runs.litert_model import has_litert, join_model, load_litert, split_model


def test_same_classes_for_all_test_images(exported_run, mnist):
    run = exported_run("mlp")
    with LiteRTClassifier(run) as lite, Classifier(run, "cpu") as network:
        pixels = mnist.test.pixels
        one, other = lite.predict(pixels), network.predict(pixels)
        np.testing.assert_array_equal(one.argmax(axis=1), other.argmax(axis=1))
        np.testing.assert_allclose(one, other, atol=1e-5)
        images = pixels[:300].reshape(300, 784) / np.float32(255)
        np.testing.assert_allclose(lite.predict(images), other[:300], atol=1e-5)
        assert lite.predict(pixels[:0]).shape == (0, 10)
        (digit,), (expected,) = lite.read(TEST_IMAGE), network.read(TEST_IMAGE)
        assert (digit.box, digit.label) == (expected.box, expected.label)


def test_same_digits_with_the_network_in_the_package(mnist):
    strips = make_test_strips(mnist.test, 60).pixels
    with LiteRTReader.shipped() as lite, Reader.shipped() as network:
        one, other = lite.predict_columns(strips), network.predict_columns(strips)
        np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_array_equal(one.argmax(axis=-1), other.argmax(axis=-1))
        several = [strips[0], strips[1][:, :75], strips[2][:, :33]]
        for a, b in zip(lite.predict_strips(several), network.predict_strips(several), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        assert [d.label for d in lite.read(TEST_IMAGE)] == [2]


def test_closed_and_wrong_input(exported_run):
    with (
        LiteRTClassifier(exported_run("mlp")) as lite,
        pytest.raises(MnistGraphError, match="images"),
    ):
        lite.predict(np.zeros((2, 3)))
    with pytest.raises(MnistGraphError, match="the network is closed"):
        lite.predict(np.zeros((1, 784)))


@pytest.mark.parametrize("words", [(), ("--runtime", "litert")])
def test_predict_does_not_import_tensorflow(exported_run, words):
    run = exported_run("mlp")
    code = f"""
import sys
sys.modules["tensorflow"] = None
from mnist_graph.cli import main
words = ["--predict", {str(TEST_IMAGE)!r}, *{words!r}]
sys.exit(main(words) or main([*words, "--run-dir", {str(run.directory)!r}]))
"""
    outcome = run_python(code)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "Prediction for test image: 2"
    assert lines[1].startswith("Prediction for test image: ")
    assert outcome.err == ""


def test_predict_with_tensorflow_where_it_is_requested(exported_run):
    words = ("--predict", TEST_IMAGE, "--run-dir", exported_run("mlp").directory, "--json")
    one = run_command(TEST_IMAGE.parent, *words, "--runtime", "tensorflow")
    other = run_command(TEST_IMAGE.parent, *words)
    (a,), (b,) = json.loads(one.out), json.loads(other.out)
    assert [d["digit"] for d in a["digits"]] == [d["digit"] for d in b["digits"]]


def test_a_run_that_was_not_exported(trained, command):
    words = ("--predict", TEST_IMAGE, "--run-dir", trained("cnn").directory)
    assert_refused(command(*words, "--runtime", "litert"), 1, "has no LiteRT model; make one with")
    assert command(*words).code == 0


def test_a_longer_run_does_not_use_the_older_model(exported_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(exported_run("mlp").directory, folder)
    run = load_run(folder)
    assert has_litert(run)
    longer = run.recipe.override(iterations=run.recipe.iterations + 1)
    assert not has_litert(run._replace(recipe=longer))


def test_a_damaged_model(exported_run, tmp_path, command):
    folder = tmp_path / "run"
    shutil.copytree(exported_run("mlp").directory, folder)
    flip(folder / "model.tflite")
    words = ("--predict", TEST_IMAGE, "--run-dir", folder)
    assert_refused(command(*words, "--runtime", "litert"), 1, "model.tflite is damaged")


def test_a_model_is_cut_up_and_joined_again():
    random = np.random.default_rng(0)
    kernel = random.standard_normal((5, 5, 8, 16)).astype(np.float32)
    dense = random.standard_normal((64, 32)).astype(np.float32)
    small = random.standard_normal(10).astype(np.float32)
    model = (
        b"head" + dense.T.tobytes() + b"between" + kernel.transpose(3, 0, 1, 2).tobytes() + b"end"
    )
    weights = {"kernel": kernel, "small": small, "dense": dense}
    parts = split_model(model, weights)
    assert parts["rest"].tobytes() == b"headbetweenend"
    assert join_model(parts, weights) == model


def test_the_model_in_the_package_is_whole():
    from ai_edge_litert.interpreter import Interpreter

    from mnist_graph.runs.shipped import SHIPPED

    model = load_litert(load_run(SHIPPED / "reader"))
    assert set(Interpreter(model_content=model).get_signature_list()) == {
        "serving_default",
        "pixels",
    }
