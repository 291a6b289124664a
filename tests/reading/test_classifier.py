"""Classifier: a finished run's network classifies images and reads pictures."""

import os
import select
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from helpers import (
    TEST_IMAGE,
    drawing,
    enlarged,
    flip,
    some_mnist,
    truncate,
    write_data,
)
from pictures import INK, PICTURES
from PIL import Image

from mnist_graph import Classifier, MnistGraphError, read_data_sets, recipes, train
from mnist_graph.reading.prepare import prepare
from mnist_graph.runs.batches import BATCH
from mnist_graph.runs.find import create_run, load_run


@pytest.fixture(scope="module")
def reader(trained):
    with Classifier.restore(trained("mlp").directory) as classifier:
        yield classifier


@pytest.mark.parametrize("model", ["softmax", "mlp", pytest.param("cnn", marks=pytest.mark.slow)])
def test_every_classic_model_reads_the_test_image_as_2(trained, model):
    with Classifier.restore(trained(model).directory) as classifier:
        assert [digit.label for digit in classifier.read(TEST_IMAGE)] == [2]


def test_predict_returns_a_probability_for_each_class(reader, mnist):
    probabilities = reader.predict(mnist.test.images[:50])
    assert (probabilities.dtype, probabilities.shape) == (np.float32, (50, 10))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == mnist.test.labels[:50]).mean() > 0.85


@pytest.mark.parametrize(
    "convert",
    [
        lambda pixels: pixels,
        lambda pixels: pixels.reshape(-1, 784),
        lambda pixels: pixels[..., np.newaxis],
        lambda pixels: np.int64(pixels),
        lambda pixels: np.float64(pixels) / 255,
        lambda pixels: (np.float32(pixels) / 255)[..., np.newaxis],
        lambda pixels: (pixels / 255).tolist(),
    ],
    ids=["uint8", "uint8 rows", "uint8 channel", "int64", "float64", "float32 channel", "list"],
)
def test_predict_accepts_every_type_and_shape_of_images(reader, mnist, convert):
    pixels = mnist.test.pixels[:20]
    expected = reader.predict(mnist.test.images[:20])
    np.testing.assert_allclose(reader.predict(convert(pixels)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "shape", [(784,), (28, 28), (2, 783), (2, 27, 28), (2, 28, 28, 3), (), (2, 1, 784)]
)
def test_predict_refuses_images_of_another_shape(reader, shape):
    with pytest.raises(MnistGraphError, match=r"must be \[n, 784\] or \[n, 28, 28\], not"):
        reader.predict(np.zeros(shape))


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        (np.int64, 256, "int64 images must be from 0 to 255, not 0 to 256"),
        (np.int16, -1, "int16 images must be from 0 to 255, not -1 to 0"),
        (np.float32, 1.5, "float32 images must be from 0 to 1, not 0 to 1.5"),
        (np.float64, -0.25, "float64 images must be from 0 to 1, not -0.25 to 0"),
        (np.float32, np.nan, "float32 images must be from 0 to 1, not nan to nan"),
        (np.float32, np.inf, "float32 images must be from 0 to 1, not 0 to inf"),
    ],
)
def test_predict_refuses_values_out_of_range(reader, dtype, value, message):
    images = np.zeros((3, 28, 28), dtype)
    images[1, 2, 3] = value
    with pytest.raises(MnistGraphError) as refused:
        reader.predict(images)
    assert str(refused.value) == message


def refuse_to_be_an_array(*_, **__):
    raise RuntimeError("not an array")


@pytest.mark.parametrize(
    "images",
    [
        [[0] * 784, [0] * 783],
        [[0] * 784, 0],
        type("Fake", (), {"__array__": refuse_to_be_an_array})(),
    ],
    ids=["ragged", "a row and a number", "fails to convert"],
)
def test_predict_refuses_what_is_not_one_array(reader, images):
    with pytest.raises(MnistGraphError, match="must be one array; all of them of one size"):
        reader.predict(images)


@pytest.mark.parametrize("images", [None, "ink", b"ink", {}, [], [[]]])
def test_predict_refuses_what_is_no_array(reader, images):
    with pytest.raises(MnistGraphError, match=r"must be \[n, 784\] or \[n, 28, 28\], not"):
        reader.predict(images)


@pytest.mark.parametrize("value", ["1", None, True, 1j])
def test_predict_refuses_what_are_not_numbers(reader, value):
    with pytest.raises(MnistGraphError, match="must be floats or integers, not"):
        reader.predict([[value] * 784])


@pytest.mark.parametrize(("dtype", "highest"), [(np.uint8, 255), (np.int32, 255), (float, 1)])
def test_predict_accepts_the_ends_of_the_range(reader, dtype, highest):
    images = np.zeros((2, 784), dtype)
    images[0, :400] = highest
    assert np.isfinite(reader.predict(images)).all()


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1])
def test_predict_accepts_any_number_of_images(reader, mnist, count):
    images = mnist.test.images[: BATCH + 1]
    expected = np.concatenate([reader.predict(images[:200]), reader.predict(images[200:])])
    probabilities = reader.predict(images[:count])
    assert probabilities.shape == (count, 10)
    np.testing.assert_allclose(probabilities, expected[:count], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_any_mode_is_read_as_2(reader, name):
    assert reader.read(PICTURES[name]())[0].label == 2


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(
    ("factor", "offset"), [(1, (0, 0)), (1, (900, 700)), (7, (300, 10)), (30, (20, 30))]
)
def test_a_digit_anywhere_in_a_large_picture_is_read(reader, tmp_path, suffix, factor, offset):
    path = tmp_path / f"large.{suffix}"
    drawing(enlarged(INK, factor, (1000, 900), offset), mode="RGB").save(path)
    assert reader.read(path)[0].label == 2


def test_reading_enlarged_mnist_digits_costs_little_accuracy(reader, mnist):
    pixels, labels = mnist.test.pixels[:60], mnist.test.labels[:60]
    expected = reader.predict(pixels).argmax(axis=1) == labels
    pictures = [drawing(enlarged(p, 5, (250, 300), (90, 4))) for p in pixels]
    correct = [reader.read(picture)[0].label for picture in pictures] == labels
    assert correct.sum() >= expected.sum() - 3


@pytest.mark.parametrize("invert", [False, True], ids=["white on black", "black on white"])
def test_arrays_of_floats_are_read_as_pixels_are(reader, mnist, invert):
    images, labels = mnist.test.images[:20].reshape(-1, 28, 28), mnist.test.labels[:20]
    pixels = mnist.test.pixels[:20]
    if invert:
        images, pixels = 1 - images, 255 - pixels
    read = [[digit.label for digit in reader.read(image)] for image in images]
    assert read == [[digit.label for digit in reader.read(image)] for image in pixels]
    assert sum(one == [label] for one, label in zip(read, labels, strict=True)) >= 18


def test_a_digit_has_the_probability_of_its_label_and_of_every_class(reader):
    digit = reader.read(Image.open(TEST_IMAGE))[0]
    assert digit.probabilities.shape == (10,)
    assert digit.probability == digit.probabilities[digit.label] == digit.probabilities.max()


def test_reading_a_prepared_picture_is_the_same_as_reading_the_picture(reader):
    (expected,) = reader.read(TEST_IMAGE)
    (digit,) = reader.read_prepared(prepare(TEST_IMAGE))
    assert digit[:5] == expected[:5]
    np.testing.assert_array_equal(digit.probabilities, expected.probabilities)


def test_the_network_and_its_session_can_be_used_directly(reader, mnist):
    images = mnist.test.images[:5]
    network = reader.network
    direct = reader.session.run(network.probabilities, {network.images: images})
    np.testing.assert_allclose(direct, reader.predict(images), rtol=1e-5, atol=1e-7)


def test_from_model_restores_the_newest_finished_run_of_the_recipe(trained):
    run = trained("mlp")
    with Classifier.from_model("mlp", run.cwd / "runs") as classifier:
        assert classifier.run.directory == run.directory
    with Classifier.from_model(
        "cnn", trained("cnn").cwd / "runs", iterations=200, learning_rate=0.001
    ) as classifier:
        assert classifier.run.recipe.iterations == 200


@pytest.mark.parametrize("overrides", [{"iterations": 7}, {"seed": 1}])
def test_from_model_refuses_a_recipe_without_a_finished_run(trained, overrides):
    with pytest.raises(MnistGraphError, match="no finished run of mlp"):
        Classifier.from_model("mlp", trained("mlp").cwd / "runs", **overrides)


NO_RUNS = {
    "restore None": (lambda: Classifier.restore(None), "directory must be a path, not None"),
    "restore a number": (lambda: Classifier.restore(1), "directory must be a path, not 1"),
    "a path as run": (lambda: Classifier("runs/mlp/1"), "must be a Run"),
    "no run": (lambda: Classifier(None), "not None"),
    "no model": (lambda: Classifier.from_model(None), "model must be the name of a recipe"),
    "a list of models": (lambda: Classifier.from_model(["mlp"]), "not \\['mlp'\\]"),
    "no folder": (lambda: Classifier.from_model("mlp", None), "runs_dir must be a path"),
    "long folder": (lambda: Classifier.from_model("mlp", "a" * 300), "File name too long"),
    "long directory": (lambda: Classifier.restore("a" * 300), "File name too long"),
    "null character": (lambda: Classifier.restore("a\0b"), "directory must be a path"),
}


@pytest.mark.parametrize("name", NO_RUNS)
def test_what_is_no_run_is_refused(name):
    open_run, said = NO_RUNS[name]
    with pytest.raises(MnistGraphError, match=said):
        open_run()


def test_a_closed_classifier_refuses_to_predict_and_to_read(trained):
    classifier = Classifier.restore(trained("mlp").directory)
    classifier.close()
    classifier.close()
    for use in (
        lambda: classifier.predict(np.zeros((1, 784))),
        lambda: classifier.read(TEST_IMAGE),
    ):
        with pytest.raises(MnistGraphError, match="the session is closed; open the run again"):
            use()


def test_a_classifier_that_is_closed_while_another_thread_predicts_raises_the_same(trained):
    classifier = Classifier.restore(trained("mlp").directory)
    images = np.zeros((BATCH, 784))

    def predict_for_ever():
        while True:
            classifier.predict(images)

    with ThreadPoolExecutor(1) as thread:
        predicting = thread.submit(predict_for_ever)
        time.sleep(0.1)
        classifier.close()
        with pytest.raises(MnistGraphError, match="the session is closed; open the run again"):
            predicting.result(timeout=30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_told_that_tensorflow_does_not_run_in_it(reader, trained):
    directory = trained("mlp").directory
    for use in (
        lambda: reader.predict(np.zeros((1, 784))),
        lambda: Classifier.restore(directory),
    ):
        receiving, sending = os.pipe()
        child = os.fork()
        if not child:
            try:
                use()
            except MnistGraphError as error:
                os.write(sending, str(error).encode())
            finally:
                os._exit(0)
        os.close(sending)
        with open(receiving, "rb") as pipe:
            answered, _, _ = select.select([pipe], [], [], 20)
            if not answered:
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert pipe.read().startswith(b"TensorFlow does not run in a process forked from")


@pytest.mark.parametrize("ink", [None, INK, TEST_IMAGE])
def test_what_is_no_ink_is_refused(reader, ink):
    with pytest.raises(MnistGraphError, match="prepared must be what prepare returns"):
        reader.read_prepared(ink)


def test_an_unfinished_run_is_refused(tmp_path):
    create_run(recipes["mlp"], (28, 28), 10, {}, "CPU", directory=tmp_path / "run")
    with pytest.raises(MnistGraphError, match="is not finished; continue it with --resume"):
        Classifier.restore(tmp_path / "run")


def test_image_size_and_classes_are_those_of_the_run(tmp_path, mnist):
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


@pytest.fixture
def finished_softmax(tmp_path, mnist):
    return train(recipes["softmax"].override(iterations=2), mnist, tmp_path / "run").directory


@pytest.mark.parametrize("damage", [truncate, flip, os.unlink])
@pytest.mark.parametrize("file", ["model.data-00000-of-00001", "model.index", "state.json"])
def test_a_run_with_only_damaged_checkpoints_is_refused(finished_softmax, file, damage):
    damage(finished_softmax / "checkpoint-2" / file)
    message = r"checkpoint-2 is damaged \(.*no usable checkpoint is left"
    with pytest.raises(MnistGraphError, match=message):
        Classifier.restore(finished_softmax)


def test_two_classifiers_can_be_open_at_once(trained, mnist):
    images = mnist.test.images[:5]
    runs = [load_run(trained(model).directory) for model in ("softmax", "mlp")]
    expected = []
    for run in runs:
        with Classifier(run) as classifier:
            expected.append(classifier.predict(images))
    with Classifier(runs[0]) as softmax, Classifier(runs[1]) as mlp:
        np.testing.assert_array_equal(softmax.predict(images), expected[0])
        np.testing.assert_array_equal(mlp.predict(images), expected[1])
    assert tf.executing_eagerly()
