import gzip

import numpy as np
import pytest
from helpers import copy_bundled, idx_bytes, some_mnist, write_data, write_file

from mnist_graph import MnistGraphError, input_data, read_data_sets
from mnist_graph.data import datasets
from mnist_graph.data.datasets import BUNDLED_SHA256, FILES, batch_indices, epoch_order
from mnist_graph.errors import UsageError


@pytest.fixture
def small(mnist):
    """Return a function that makes a data set of the first training digits, in any form."""

    def make(**form):
        return datasets.DataSet(mnist.train.pixels[:10], mnist.train.labels[:10], 10, **form)

    return make


def test_bundled_mnist_has_three_parts(mnist):
    parts = (mnist.train, mnist.validation, mnist.test)
    assert [part.num_examples for part in parts] == [55000, 5000, 10000]
    assert (mnist.image_shape, mnist.classes) == ((28, 28), 10)
    assert mnist.sha256 == BUNDLED_SHA256
    assert mnist.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_validation_set_is_the_first_training_images(mnist):
    other = read_data_sets(validation_size=7)
    assert other.validation.num_examples == 7
    np.testing.assert_array_equal(other.validation.pixels, mnist.validation.pixels[:7])
    np.testing.assert_array_equal(other.validation.labels, mnist.validation.labels[:7])
    np.testing.assert_array_equal(other.train.pixels[4993:], mnist.train.pixels)
    np.testing.assert_array_equal(other.train.labels[4993:], mnist.train.labels)
    assert mnist.train.labels[:5].tolist() == [7, 3, 4, 6, 1]


def test_pixels_are_stored_as_uint8(mnist):
    assert {part.pixels.dtype for part in mnist[:3]} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("size", [-1, 60000])
def test_validation_size_out_of_range_is_refused(size):
    with pytest.raises(MnistGraphError, match=f"between 0 and 59999, not {size}"):
        read_data_sets(validation_size=size)


WRONG_TYPES = {
    "validation_size": [2.5, "5", True, None],
    "seed": [2.5, "5", -1, [1, 2]],
    "dtype": ["nonsense", 5, None],
    "train_dir": [5, b"data", True],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values]
)
def test_arguments_of_a_wrong_type_are_refused(name, value):
    with pytest.raises(UsageError, match=f"^{name} must be [^\n]*$"):
        read_data_sets(**{name: value})


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize(("reshape", "shape"), [(True, (784,)), (False, (28, 28, 1))])
def test_empty_validation_set_has_empty_arrays_and_no_batches(one_hot, reshape, shape):
    empty = read_data_sets(validation_size=0, one_hot=one_hot, reshape=reshape).validation
    assert empty.num_examples == 0
    assert (empty.images.shape, empty.images.dtype) == ((0, *shape), np.float32)
    assert empty.labels.shape == ((0, 10) if one_hot else (0,))
    for shuffle in (True, False):
        with pytest.raises(MnistGraphError, match="without examples"):
            empty.next_batch(3, shuffle=shuffle)


def test_images_are_flat_floats_from_0_to_1(small):
    images = small().images
    assert (images.dtype, images.shape) == (np.float32, (10, 784))
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_allclose(images, small().pixels.reshape(10, 784) / 255, rtol=1e-6)


def test_dtype_uint8_keeps_0_to_255(small):
    images = small(dtype=np.uint8).images
    assert (images.dtype, images.max()) == (np.uint8, 255)
    np.testing.assert_array_equal(images, small().pixels.reshape(10, 784))


def test_dtype_can_be_tensorflows(small):
    import tensorflow as tf

    assert small(dtype=tf.float32).images.dtype == np.float32
    assert small(dtype=tf.uint8).images.dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.float64, np.int32, "int8"])
def test_other_dtypes_are_refused(small, dtype):
    with pytest.raises(MnistGraphError, match="float32 or uint8"):
        small(dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_without_reshape_images_have_one_channel(small, dtype):
    flat, framed = small(dtype=dtype), small(dtype=dtype, reshape=False)
    assert framed.images.shape == (10, 28, 28, 1)
    assert framed.next_batch(3)[0].shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(framed.images.reshape(10, 784), flat.images)


def test_one_hot_labels_are_float64_rows(small):
    labels, sparse = small(one_hot=True).labels, small().labels
    assert (labels.dtype, labels.shape) == (np.float64, (10, 10))
    assert (sparse.dtype, sparse.shape) == (np.uint8, (10,))
    np.testing.assert_array_equal(labels.sum(axis=1), 1)
    np.testing.assert_array_equal(labels.argmax(axis=1), sparse)


def find_indices(dataset, images):
    """Find the images, uint8, in the data set."""
    index_of = {pixels.tobytes(): index for index, pixels in enumerate(dataset.pixels)}
    return [index_of[image.tobytes()] for image in images]


def visit(dataset, *sizes, shuffle=True):
    """Return the indices of the examples in batches of these sizes, one after the other."""
    batches = [dataset.next_batch(size, shuffle=shuffle)[0] for size in sizes]
    return find_indices(dataset, np.concatenate(batches))


def test_next_batch_keeps_images_and_labels_together(small):
    dataset = small(dtype=np.uint8, seed=0)
    images, labels = dataset.next_batch(10)
    np.testing.assert_array_equal(labels, dataset.labels[find_indices(dataset, images)])


def test_next_batch_visits_every_example_once_per_epoch(small):
    seen = visit(small(dtype=np.uint8, seed=0), *[4] * 15)
    epochs = [tuple(seen[start : start + 10]) for start in range(0, 60, 10)]
    assert {tuple(sorted(epoch)) for epoch in epochs} == {tuple(range(10))}
    assert len(set(epochs)) == 6, "every epoch has its own order"


def test_batch_can_be_longer_than_an_epoch(small):
    dataset = small(dtype=np.uint8, seed=0)
    seen = visit(dataset, 25)
    assert sorted(seen[:10]) == sorted(seen[10:20]) == list(range(10))
    assert dataset.epochs_completed == 2


def test_without_shuffle_next_batch_follows_the_order_of_the_data(small):
    dataset = small(dtype=np.uint8)
    assert visit(dataset, 4, 4, 4, shuffle=False) == [*range(10), 0, 1]


def test_epochs_completed_increases_with_the_first_batch_of_the_next_epoch(small):
    dataset = small()
    counts = []
    for _ in range(6):
        dataset.next_batch(5)
        counts.append(dataset.epochs_completed)
    assert counts == [0, 0, 1, 1, 2, 2], "as in TensorFlow 1"


def test_seed_determines_the_order_of_next_batch(small):
    orders = [visit(small(dtype=np.uint8, seed=seed), 10) for seed in (1, 1, 2, None, None)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[3] != orders[4], "random without a seed"


@pytest.mark.parametrize("size", [0, -1, 2.5, "5", True, None])
@pytest.mark.parametrize("fake_data", [False, True])
def test_batch_size_must_be_a_whole_number_of_at_least_1(small, size, fake_data):
    with pytest.raises(UsageError, match="batch_size must be"):
        small().next_batch(size, fake_data)


def test_batch_size_can_be_a_number_of_numpy(small):
    assert small().next_batch(np.int64(3))[0].shape == (3, 784)


@pytest.mark.parametrize(("examples", "size"), [(0, 3), (10, 0), (10, 2.5)])
def test_batch_indices_of_nothing_are_refused(examples, size):
    with pytest.raises(UsageError):
        batch_indices(examples, size, seed=0, iteration=0)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("one_hot", [False, True])
def test_images_and_labels_are_made_once_and_used_by_next_batch(small, dtype, one_hot):
    """Old listings change `mnist.train.images` in place."""
    dataset = small(dtype=dtype, one_hot=one_hot)
    pixels, labels = dataset.pixels.copy(), dataset.sparse_labels.copy()
    assert dataset.images is dataset.images
    assert dataset.labels is dataset.labels
    dataset.images[:] = 7
    dataset.labels[:] = 0
    images, no_labels = dataset.next_batch(3)
    assert (images.min(), images.max(), no_labels.max()) == (7, 7, 0)
    np.testing.assert_array_equal(dataset.pixels, pixels)
    np.testing.assert_array_equal(dataset.sparse_labels, labels)


def test_images_and_labels_can_be_asked_for_at_any_time(small):
    one, other = small(seed=1), small(seed=1)
    assert (other.images.shape, other.labels.shape) == ((10, 784), (10,))
    for _ in range(3):
        for ours, theirs in zip(one.next_batch(4), other.next_batch(4), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("examples", "size"), [(10, 4), (10, 10), (3, 8), (55000, 128)])
def test_batch_indices_cover_every_epoch_exactly_once(examples, size):
    batches = [batch_indices(examples, size, 0, i) for i in range(3 * examples // size + 1)]
    assert {len(batch) for batch in batches} == {size}
    stream = np.concatenate(batches)
    for epoch in range(len(stream) // examples):
        one = stream[epoch * examples : (epoch + 1) * examples]
        np.testing.assert_array_equal(np.sort(one), np.arange(examples))


def test_batch_can_cross_from_one_epoch_to_the_next():
    crossing = batch_indices(10, 4, seed=5, iteration=2)
    old, new = epoch_order(10, 5, 0), epoch_order(10, 5, 1)
    np.testing.assert_array_equal(crossing, [*old[8:], *new[:2]])


def test_batch_indices_depend_only_on_seed_and_iteration():
    later = batch_indices(1000, 50, seed=3, iteration=70)
    epoch_order.cache_clear()
    np.testing.assert_array_equal(batch_indices(1000, 50, seed=3, iteration=70), later)
    assert not np.array_equal(batch_indices(1000, 50, seed=4, iteration=70), later)
    assert not np.array_equal(batch_indices(1000, 50, seed=3, iteration=50), later)


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_old_listing_reads_bundled_mnist_if_its_folder_has_no_data(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    data = input_data.read_data_sets(f"{tmp_path / folder}/", one_hot=True)
    assert data.sha256 == BUNDLED_SHA256
    images, labels = data.train.next_batch(100)
    assert (images.shape, labels.shape) == ((100, 784), (100, 10))


@pytest.mark.parametrize("zipped", [False, True])
def test_old_listing_reads_the_files_in_its_folder(tmp_path, mnist, zipped):
    train, test = some_mnist(mnist, 40)
    write_data(tmp_path, train, test, zipped)
    data = input_data.read_data_sets(str(tmp_path), validation_size=10)
    assert (data.train.num_examples, data.validation.num_examples) == (30, 10)
    np.testing.assert_array_equal(data.train.pixels, train[0][10:])
    np.testing.assert_array_equal(data.test.labels, test[1])


@pytest.mark.parametrize(
    ("classes", "rows", "columns", "shape"),
    [
        (3, slice(None), slice(None), (28, 28)),
        (256, slice(4, 24), slice(8, 20), (20, 12)),
        (2, slice(14, 15), slice(14, 15), (1, 1)),
    ],
)
def test_image_size_and_classes_come_from_the_files(tmp_path, mnist, classes, rows, columns, shape):
    write_data(tmp_path, *some_mnist(mnist, 300, classes, rows, columns))
    data = read_data_sets(tmp_path, one_hot=True, validation_size=0)
    assert (data.image_shape, data.classes) == (shape, classes)
    assert data.train.labels.shape == (300, classes)
    assert data.train.images.shape == (300, shape[0] * shape[1])


def test_damaged_bundled_mnist_is_refused(tmp_path, monkeypatch):
    folder = copy_bundled(tmp_path / "mnist")
    monkeypatch.setattr(datasets, "BUNDLED", folder)
    assert read_data_sets().sha256 == BUNDLED_SHA256
    path = folder / f"{FILES[3]}.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.unlink()
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(MnistGraphError, match=r"t10k-labels.*SHA-256"):
        read_data_sets()
    read_data_sets(folder)  # accepted as the user's own data


def test_missing_bundled_mnist_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "BUNDLED", tmp_path)
    with pytest.raises(MnistGraphError, match="bundled MNIST is missing"):
        read_data_sets()


LARGE = (np.zeros((2, 257, 256)), np.arange(2))
INCONSISTENT = {
    "too few labels": (lambda train, test: ((train[0], train[1][1:]), test), "40 images, but"),
    "unknown test label": (
        lambda train, test: (train, (test[0], np.full_like(test[1], 10))),
        "has label 10, but the training labels end at 9",
    ),
    "one class": (lambda train, test: ((train[0], train[1] * 0), test), "has only one class"),
    "two sizes": (lambda train, test: (train, (test[0][:, 1:], test[1])), "28x28 and 27x28"),
    "too large": (lambda train, test: (LARGE, LARGE), "images of 257x256 are too large"),
}


@pytest.mark.parametrize("fault", INCONSISTENT)
def test_inconsistent_files_are_refused(tmp_path, mnist, fault):
    change, message = INCONSISTENT[fault]
    write_data(tmp_path, *change(*some_mnist(mnist, 40)))
    with pytest.raises(MnistGraphError, match=message):
        read_data_sets(tmp_path, validation_size=0)


def test_missing_files_are_named(tmp_path):
    write_file(tmp_path, FILES[0], idx_bytes(np.zeros((2, 2, 2))))
    with pytest.raises(MnistGraphError) as refused:
        read_data_sets(tmp_path)
    assert all(name in str(refused.value) for name in FILES[1:])
    assert FILES[0] not in str(refused.value)
