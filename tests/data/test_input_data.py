"""What old listings import has TensorFlow 1's signatures, and its fake data."""

import gzip
import inspect
import io

import numpy as np
import pytest
import tensorflow as tf
from helpers import idx_bytes, write_file

from mnist_graph import MnistGraphError, MnistGraphWarning, input_data, recipes, train
from mnist_graph.data import datasets
from mnist_graph.data.datasets import BUNDLED, FILES
from mnist_graph.errors import UsageError

SIGNATURES = {  # of TensorFlow 1.15; train_dir has no default there
    "read_data_sets": "train_dir=None fake_data=False one_hot=False dtype=float32 reshape=True "
    "validation_size=5000 seed=None source_url=None",
    "DataSet": "images labels fake_data=False one_hot=False dtype=float32 reshape=True seed=None",
    "DataSet.next_batch": "self batch_size fake_data=False shuffle=True",
    "extract_images": "f",
    "extract_labels": "f one_hot=False num_classes=10",
    "dense_to_one_hot": "labels_dense num_classes",
}
PICTURES = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3, 1)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_tensorflow_1s(name):
    found = input_data
    for part in name.split("."):
        found = getattr(found, part)
    words = []
    for parameter in inspect.signature(found).parameters.values():
        default = parameter.default
        shown = "float32" if default is np.float32 else default
        words.append(parameter.name + ("" if default is parameter.empty else f"={shown}"))
    assert " ".join(words) == SIGNATURES[name]


def test_second_argument_of_next_batch_is_fake_data(mnist):
    """As fully_connected_feed.py passes it. Shuffling stays on."""
    data = input_data.read_data_sets("", False, False, np.uint8).validation
    images, _ = data.next_batch(5000, False)
    assert not np.array_equal(images, data.images)
    np.testing.assert_array_equal(np.sort(images.sum(1)), np.sort(data.images.sum(1)))


def test_second_argument_of_read_data_sets_is_fake_data():
    assert input_data.read_data_sets("", False, True).test.labels.shape == (10000, 10)
    assert input_data.read_data_sets("", True).train.num_examples == 10000


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("one_hot", [False, True])
def test_fake_data_is_ones_of_class_0(dtype, one_hot):
    data = input_data.read_data_sets("nowhere", fake_data=True, one_hot=one_hot, dtype=dtype)
    label = [1, *[0] * 9] if one_hot else 0
    for images, labels in (
        data.train.next_batch(3, fake_data=True),
        data.train.next_batch(3),
        (data.test.images[:3], data.test.labels[:3]),
    ):
        assert (images.shape, images.dtype) == ((3, 784), dtype)
        np.testing.assert_array_equal(images, 1)
        np.testing.assert_array_equal(labels, [label] * 3)


def test_true_data_gives_fake_batches_too(mnist):
    images, labels = mnist.test.next_batch(2, fake_data=True)
    assert (images.shape, images.min(), labels.tolist()) == ((2, 784), 1, [0, 0])
    assert mnist.test.epochs_completed == 0


def test_fake_data_is_not_trained_on(tmp_path):
    recipe = recipes["softmax"].override(validation_size=10000)
    with pytest.raises(UsageError, match="fake data"):
        train(recipe, input_data.read_data_sets(fake_data=True), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_it_reads_is_trained_on_without_its_float_images(tmp_path, monkeypatch):
    monkeypatch.delattr(datasets.DataSet, "images")
    recipe = recipes["softmax"].override(iterations=1)
    run = train(recipe, input_data.read_data_sets("data/", one_hot=True), tmp_path / "run")
    assert run.result.test_accuracy > 0.2


def test_source_url_has_no_effect_but_a_warning():
    with pytest.warns(MnistGraphWarning, match="nothing is downloaded"):
        input_data.read_data_sets("", True, source_url="https://example.org/")


@pytest.mark.parametrize(("dtype", "factor"), [(np.float32, 1 / 255), (np.uint8, 1)])
def test_data_set_of_arrays_scales_and_flattens(dtype, factor):
    data = input_data.DataSet(PICTURES, LABELS, dtype=dtype, seed=0)
    assert (data.images.dtype, data.images.shape) == (dtype, (6, 12))
    np.testing.assert_allclose(data.images, PICTURES.reshape(6, 12) * factor, rtol=1e-6)
    images, labels = data.next_batch(6)
    order = [data.images.tolist().index(image) for image in images.tolist()]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(labels, LABELS[order])


@pytest.mark.parametrize("shape", [(6, 4, 3, 1), (6, 2, 2, 3), (6, 12)])
def test_data_set_of_arrays_keeps_their_shape_without_reshape(shape):
    data = input_data.DataSet(PICTURES.reshape(shape), LABELS, reshape=False)
    assert data.images.shape == shape
    assert data.next_batch(2)[0].shape == (2, *shape[1:])


def test_data_set_keeps_labels_as_they_are():
    rows = np.float32([[0.9, 0.1]] * 6)
    data = input_data.DataSet(PICTURES, rows)
    assert data.labels.dtype == np.float32
    np.testing.assert_array_equal(data.next_batch(2)[1], rows[:2])


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (PICTURES, LABELS[:5], r"images are \[6, 4, 3, 1\] and labels \[5\]"),
        (PICTURES[..., 0], LABELS, r"\[n, height, width, 1\], not \[6, 4, 3\]"),
        (PICTURES, LABELS * np.nan, "labels must be finite numbers"),
        ([[1], [1, 2]], LABELS, "same shape"),
        ("images", "labels", "images must be finite numbers"),
    ],
)
def test_arrays_that_make_no_data_set_are_refused(images, labels, said):
    with pytest.raises(UsageError, match=said):
        input_data.DataSet(images, labels)


@pytest.mark.parametrize("opened", [open, tf.io.gfile.GFile, lambda path, _: path])
def test_extract_reads_compressed_files(opened):
    images = input_data.extract_images(opened(f"{BUNDLED / FILES[2]}.gz", "rb"))
    labels = input_data.extract_labels(opened(f"{BUNDLED / FILES[3]}.gz", "rb"))
    rows = input_data.extract_labels(opened(f"{BUNDLED / FILES[3]}.gz", "rb"), one_hot=True)
    assert (images.shape, images.dtype) == ((10000, 28, 28, 1), np.uint8)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    np.testing.assert_array_equal(rows, np.eye(10)[labels])


def zipped(array):
    return io.BytesIO(gzip.compress(idx_bytes(array)))


def test_extract_refuses_what_is_no_file_of_its_kind(tmp_path):
    plain = write_file(tmp_path, "labels", idx_bytes([1, 2]))
    closed = plain.open("rb")
    closed.close()
    for f, said in (
        (zipped([1, 2]), "magic number is 0x00000801"),
        (plain.open("rb"), "damaged or not gzip"),
        (tmp_path / "missing.gz", "cannot read"),
        (tf.io.gfile.GFile(str(tmp_path / "missing.gz"), "rb"), "No such file"),
        (plain.open(encoding="latin-1"), "text mode"),
        (closed, "closed file"),
        (5, "what open"),
    ):
        with pytest.raises(MnistGraphError, match=said):
            input_data.extract_images(f)


def test_one_hot_rows_have_the_given_number_of_classes():
    rows = input_data.dense_to_one_hot(np.array([[2], [0]], np.uint8), 3)
    assert (rows.dtype, rows.tolist()) == (np.float64, [[0, 0, 1], [1, 0, 0]])
    assert input_data.dense_to_one_hot(np.array([]), 3).shape == (0, 3)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0.5, 1], ["a"], [[0], [1, 2]]])
def test_labels_out_of_range_have_no_one_hot_row(labels):
    with pytest.raises(UsageError, match="whole numbers from 0 to 2"):
        input_data.dense_to_one_hot(labels, 3)


def test_rows_of_many_classes_take_no_more_memory_than_they_need():
    assert input_data.dense_to_one_hot([1, 2], 2**16).shape == (2, 2**16)
    with pytest.raises(UsageError, match="num_classes must be between 1 and 65536, not 1000000"):
        input_data.dense_to_one_hot([1, 2], 10**12)


def test_path_with_a_null_character_is_refused():
    with pytest.raises(UsageError, match="f must be a path"):
        input_data.extract_labels("a\0b")


def test_too_few_classes_are_refused():
    with pytest.raises(UsageError, match="from 0 to 1"):
        input_data.extract_labels(zipped([1, 2]), one_hot=True, num_classes=2)
