"""StripPredictor, and the trained reader that is shipped in the package."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import flip, truncate

from mnist_graph import MnistGraphError, recipes
from mnist_graph.data.batches import test_examples as examples_for_testing
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.data.strips.hands import SOURCE_FILES
from mnist_graph.runs.digit_samples import are_wrong
from mnist_graph.runs.files import file_sha256
from mnist_graph.runs.find import load_run
from mnist_graph.runs.litert_model import REST
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.ship import ship
from mnist_graph.runs.shipped import CHECKSUMS, SHIPPED, WEIGHTS, is_shipped
from mnist_graph.runs.strip_predictor import StripPredictor


@pytest.fixture(scope="module")
def predictor(trained):
    with StripPredictor(load_run(trained("reader").directory)) as opened:
        yield opened


@pytest.fixture(scope="module")
def strips(mnist):
    return examples_for_testing(mnist, reads_strips=True)


@pytest.fixture(scope="module")
def shipped(trained, tmp_path_factory):
    """The folder of a shipped run."""
    folder = tmp_path_factory.mktemp("shipped") / "reader"
    ship(load_run(trained("reader").directory), folder)
    return folder


def test_probabilities_of_columns_read_as_the_predictions(predictor, strips):
    pixels, labels = strips
    columns = predictor.predict_columns(pixels)
    assert columns.shape == (len(pixels), pixels.shape[2] // 4, 11)
    assert columns.dtype == np.float32
    np.testing.assert_allclose(columns.sum(axis=2), 1, rtol=1e-5)
    digits = predictor.predict_digits(pixels)
    best = columns.argmax(axis=2)
    for row, path in zip(digits, best, strict=True):
        merged = path[np.append(True, path[1:] != path[:-1])]
        assert row[row >= 0].tolist() == merged[merged != 10].tolist()
    wrong = are_wrong(labels, digits)
    assert predictor.run.result.test_accuracy == (~wrong).mean()


def test_strips_of_any_width_are_padded_with_paper(predictor, strips):
    some = [strips[0][0, :, :37], strips[0][1, :, :64], strips[0][2, :, :5], strips[0][3, :, :37]]
    found = predictor.predict_strips(some)
    assert [len(columns) for columns in found] == [10, 16, 2, 10]
    for strip, columns in zip(some, found, strict=True):
        padded = np.zeros((1, 32, 64), np.uint8)
        padded[0, :, : strip.shape[1]] = strip
        alone = predictor.predict_columns(padded[:, :, : 64 if strip.shape[1] > 32 else 32])
        np.testing.assert_allclose(columns, alone[0, : len(columns)], rtol=1e-4, atol=1e-6)
    assert predictor.predict_strips([]) == []
    assert predictor.predict_columns(np.zeros((0, 32, 33), np.uint8)).shape == (0, 9, 11)


def test_threads_get_the_same_columns(predictor, strips):
    pixels = strips[0][:8]
    expected = predictor.predict_columns(pixels)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(predictor.predict_columns, [pixels] * 8):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "strips",
    [
        np.zeros((1, 28, 40), np.uint8),
        np.zeros((1, 32, 40), np.float32),
        np.zeros((1, 32, 0), np.uint8),
        np.zeros((1, 32, 2**15 + 1), np.uint8),
        np.zeros((32, 40), np.uint8),
        [[1]],
        None,
    ],
    ids=lambda strips: f"{getattr(strips, 'dtype', '')}{np.shape(strips)}",
)
def test_what_is_no_strip_is_refused(predictor, strips):
    with pytest.raises(MnistGraphError, match=r"^strips must be uint8 \[n, 32, width\]"):
        predictor.predict_columns(strips)


def test_a_run_of_strips_is_no_run_of_images(trained):
    with pytest.raises(MnistGraphError, match="a run of reader, which reads rows of digits"):
        Predictor(load_run(trained("reader").directory))
    with pytest.raises(MnistGraphError, match="a run of softmax, which reads images of one digit"):
        StripPredictor(load_run(trained("softmax").directory))


# Shipped weights.


def test_shipped_weights_predict_the_same_columns(predictor, shipped, strips):
    with StripPredictor(load_run(shipped)) as opened:
        found = opened.predict_columns(strips[0])
        names = set(opened.variables())
    assert not any("moving" in name for name in names), "normalization is folded into the weights"
    np.testing.assert_allclose(found, predictor.predict_columns(strips[0]), atol=0.01)
    with pytest.raises(MnistGraphError, match="the session is closed"):
        opened.predict_columns(strips[0])


@pytest.mark.parametrize("damage", [flip, truncate])
def test_damaged_weights_are_refused(shipped, tmp_path, damage):
    folder = shutil.copytree(shipped, tmp_path / "reader")
    damage(folder / WEIGHTS)
    with pytest.raises(MnistGraphError, match=r"weights\.npz is damaged"):
        StripPredictor(load_run(folder))


@pytest.mark.slow
def test_weights_of_another_network_are_refused(shipped, tmp_path):
    folder = shutil.copytree(shipped, tmp_path / "reader")
    values = json.loads((folder / "recipe.json").read_text())
    values["recipe"]["channels"][0] += 1
    (folder / "recipe.json").write_text(json.dumps(values))
    with pytest.raises(MnistGraphError, match="has the weights of another network"):
        StripPredictor(load_run(folder))


def test_ship_never_overwrites(shipped, trained):
    with pytest.raises(MnistGraphError, match="exists; name a new folder"):
        ship(load_run(trained("reader").directory), shipped)
    assert is_shipped(load_run(shipped))


@pytest.mark.parametrize(
    ("model", "sources", "most_bytes"),
    [("reader", SOURCE_FILES, 4_000_000), ("cnn-best", (), 600_000), ("cnn-scan", (), 600_000)],
)
def test_the_shipped_networks_are_what_their_recipes_make_of_their_data(model, sources, most_bytes):
    folder = SHIPPED / model
    run = load_run(folder)
    assert run.recipe == recipes[model]
    assert run.sha256 == BUNDLED_SHA256
    checksums = json.loads((folder / CHECKSUMS).read_text())
    files = (folder / WEIGHTS, folder / REST, *sources)
    assert checksums == {path.name: file_sha256(path) for path in files}
    assert (folder / WEIGHTS).stat().st_size <= most_bytes
    assert run.result is not None


def test_the_shipped_reader_sees_nothing_on_empty_paper():
    with StripPredictor.shipped() as opened:
        empty = opened.predict_columns(np.zeros((1, 32, 64), np.uint8))
    assert (empty.argmax(axis=2) == 10).all()


@pytest.mark.parametrize("model", ["cnn-best", "cnn-scan"])
def test_the_shipped_classifiers_are_as_accurate_as_their_runs(mnist, model):
    run = load_run(SHIPPED / model)
    with Predictor(run) as opened:
        predicted = opened.predict(mnist.test.pixels[:1000]).argmax(axis=1)
    assert (predicted == mnist.test.sparse_labels[:1000]).mean() >= 0.994
    assert run.result.test_accuracy >= 0.996
