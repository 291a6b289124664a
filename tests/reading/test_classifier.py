import os

import numpy as np
import pytest
import tensorflow as tf
from helpers import (
    CLASSICS,
    TEST_IMAGE,
    drawing,
    enlarged,
    flip,
    some_mnist,
    test_ink,
    truncate,
    write_data,
)
from PIL import Image
from test_picture import PICTURES

from mnist_graph import Classifier, MnistGraphError, read_data_sets, recipes, train
from mnist_graph.runs.find import create_run, load_run
from mnist_graph.runs.predictor import BATCH

INK = test_ink()


@pytest.fixture(scope="module")
def reader(trained):
    with Classifier.restore(trained("mlp").directory) as classifier:
        yield classifier


@pytest.mark.parametrize("model", CLASSICS)
def test_the_test_image_is_read_as_2_by_each_model(trained, model):
    with Classifier.restore(trained(model).directory) as classifier:
        assert [digit.label for digit in classifier.read(TEST_IMAGE)] == [2]


def test_predict_gives_the_shares_of_each_class(reader, mnist):
    shares = reader.predict(mnist.test.images[:50])
    assert (shares.dtype, shares.shape) == (np.float32, (50, 10))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert (shares.argmax(axis=1) == mnist.test.labels[:50]).mean() > 0.85


@pytest.mark.parametrize(
    "form",
    [
        lambda pixels: pixels,
        lambda pixels: pixels.reshape(-1, 784),
        lambda pixels: pixels[..., np.newaxis],
        lambda pixels: np.float64(pixels) / 255,
        lambda pixels: (np.float32(pixels) / 255)[..., np.newaxis],
        lambda pixels: (pixels / 255).tolist(),
    ],
    ids=["uint8", "uint8 rows", "uint8 channel", "float64", "float32 channel", "list"],
)
def test_predict_takes_images_in_every_form(reader, mnist, form):
    pixels = mnist.test.pixels[:20]
    expected = reader.predict(mnist.test.images[:20])
    np.testing.assert_allclose(reader.predict(form(pixels)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "shape", [(784,), (28, 28), (2, 783), (2, 27, 28), (2, 28, 28, 3), (), (2, 1, 784)]
)
def test_predict_refuses_images_of_another_size(reader, shape):
    with pytest.raises(MnistGraphError, match=r"must be \[n, 784\] or \[n, 28, 28\], not"):
        reader.predict(np.zeros(shape))


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1])
def test_predict_takes_any_number_of_images(reader, mnist, count):
    images = mnist.test.images[: BATCH + 1]
    whole = np.concatenate([reader.predict(images[:200]), reader.predict(images[200:])])
    shares = reader.predict(images[:count])
    assert shares.shape == (count, 10)
    np.testing.assert_allclose(shares, whole[:count], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", PICTURES)
def test_the_digit_is_read_whatever_the_form_of_its_picture(reader, name):
    assert reader.read(PICTURES[name]())[0].label == 2


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(
    ("factor", "offset"), [(1, (0, 0)), (1, (900, 700)), (7, (300, 10)), (30, (20, 30))]
)
def test_a_digit_anywhere_in_a_large_picture_is_read(reader, tmp_path, form, factor, offset):
    path = tmp_path / f"large.{form}"
    drawing(enlarged(INK, factor, (1000, 900), offset), mode="RGB").save(path)
    assert reader.read(path)[0].label == 2


def test_real_digits_drawn_into_large_pictures_are_read_as_before(reader, mnist):
    pixels, labels = mnist.test.pixels[:60], mnist.test.labels[:60]
    before = reader.predict(pixels).argmax(axis=1) == labels
    pictures = [drawing(enlarged(p, 5, (250, 300), (90, 4))) for p in pixels]
    after = [reader.read(p)[0].label for p in pictures] == labels
    assert after.sum() >= before.sum() - 3


def test_a_digit_carries_its_probability_and_those_of_all(reader):
    digit = reader.read(Image.open(TEST_IMAGE))[0]
    assert digit.probabilities.shape == (10,)
    assert digit.probability == digit.probabilities[digit.label] == digit.probabilities.max()


def test_from_model_takes_the_newest_finished_run_of_that_recipe(trained, mnist):
    run = trained("mlp")
    with Classifier.from_model("mlp", run.cwd / "runs") as classifier:
        assert classifier.run.directory == run.directory
    with Classifier.from_model(
        "cnn", trained("cnn").cwd / "runs", iterations=500, learning_rate=0.001
    ) as classifier:
        assert classifier.run.recipe.iterations == 500


@pytest.mark.parametrize("changes", [{"iterations": 7}, {"seed": 1}])
def test_from_model_says_where_there_is_no_such_run(trained, changes):
    with pytest.raises(MnistGraphError, match="no finished run of mlp"):
        Classifier.from_model("mlp", trained("mlp").cwd / "runs", **changes)


def test_an_unfinished_run_is_not_used(tmp_path):
    create_run(recipes["mlp"], (28, 28), 10, {}, "CPU", directory=tmp_path / "run")
    with pytest.raises(MnistGraphError, match="not finished; go on with it by --resume"):
        Classifier.restore(tmp_path / "run")


def test_a_classifier_learns_its_sizes_from_the_run(tmp_path, mnist):
    columns = slice(4, 24)
    write_data(tmp_path / "data", *some_mnist(mnist, 300, 3, columns=columns))
    data = read_data_sets(tmp_path / "data", validation_size=50)
    recipe = recipes["cnn"].override(iterations=2, validation_size=50)
    run = train(recipe, data, tmp_path / "run")
    with Classifier.restore(run.directory) as classifier:
        assert classifier.predict(data.test.images).shape == (60, 3)
        assert len(classifier.read(TEST_IMAGE)[0].probabilities) == 3
        with pytest.raises(MnistGraphError, match=r"\[n, 560\] or \[n, 28, 20\]"):
            classifier.predict(mnist.test.images[:1])


@pytest.mark.parametrize("damage", [truncate, flip, os.unlink])
@pytest.mark.parametrize("file", ["model.data-00000-of-00001", "model.index", "state.json"])
def test_a_damaged_checkpoint_is_refused(finished_softmax, file, damage):
    folder = finished_softmax / "checkpoint-2"
    damage(folder / file)
    with pytest.raises(MnistGraphError, match=r"checkpoint-2 is damaged \(.*no checkpoint is left"):
        Classifier.restore(finished_softmax)


@pytest.fixture
def finished_softmax(tmp_path, mnist):
    return train(recipes["softmax"].override(iterations=2), mnist, tmp_path / "run").directory


def test_two_classifiers_live_side_by_side(trained, mnist):
    images = mnist.test.images[:5]
    runs = [load_run(trained(model).directory) for model in ("softmax", "mlp")]
    alone = []
    for run in runs:
        with Classifier(run) as classifier:
            alone.append(classifier.predict(images))
    with Classifier(runs[0]) as one, Classifier(runs[1]) as two:
        np.testing.assert_array_equal(one.predict(images), alone[0])
        np.testing.assert_array_equal(two.predict(images), alone[1])
    assert tf.executing_eagerly()
