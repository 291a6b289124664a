"""Readers of other formats, on files of these formats that are made of photographs here."""

import hashlib

import numpy as np
import pytest
from photos import crops, write_cifar, write_npz, write_svhn

from mnist_graph import MnistGraphError, read_data_sets
from mnist_graph.data.formats.cifar import CLASSES_10
from mnist_graph.errors import UsageError


@pytest.fixture(scope="module")
def photos():
    """120 photographs of 32x32, of two kinds."""
    return np.concatenate([crops("china", 60), crops("flower", 60)])


def test_cifar_10_is_read(tmp_path, photos):
    data = read_data_sets(write_cifar(tmp_path, photos), validation_size=10, reshape=False)
    assert data.class_names == CLASSES_10
    assert (data.image_shape, data.classes) == ((32, 32, 3), 10)
    np.testing.assert_array_equal(data.validation.pixels, photos[:10])
    np.testing.assert_array_equal(data.train.pixels, photos[10:100])
    np.testing.assert_array_equal(data.test.pixels, photos[100:])
    assert data.test.labels.tolist() == [*range(10), *range(10)]
    assert data.train.images.shape == (90, 32, 32, 3)
    assert data.train.pixels.dtype == np.uint8
    content = (tmp_path / "test_batch.bin").read_bytes()
    assert data.sha256["test_batch.bin"] == hashlib.sha256(content).hexdigest()
    assert len(data.sha256) == 6


@pytest.mark.parametrize("named", [True, False])
def test_cifar_100_has_the_fine_labels(tmp_path, photos, named):
    folder = write_cifar(tmp_path, photos, coarse=True, classes=100)
    names = [f"thing_{number}" for number in range(100)]
    if named:
        (folder / "fine_label_names.txt").write_text("\n".join(names) + "\n")
    data = read_data_sets(folder, validation_size=0)
    assert data.classes == 100
    assert data.class_names == (tuple(names) if named else ())
    assert data.train.labels.tolist() == list(range(100))
    np.testing.assert_array_equal(data.train.pixels, photos[:100])


@pytest.mark.parametrize("compressed", [True, False])
def test_svhn_is_read_and_ten_is_zero(tmp_path, photos, compressed):
    data = read_data_sets(write_svhn(tmp_path, photos, compressed), validation_size=0)
    assert (data.image_shape, data.classes, data.class_names) == ((32, 32, 3), 10, ())
    np.testing.assert_array_equal(data.train.pixels, photos[:100])
    assert data.train.labels[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize("place", ["mnist.npz", "."])
@pytest.mark.parametrize("channels", ["grey", "one", "colour"])
def test_npz_of_keras_is_read(tmp_path, photos, place, channels):
    images = {"grey": photos[..., 0], "one": photos[..., :1], "colour": photos}[channels]
    write_npz(tmp_path / "mnist.npz", images, y_train=np.arange(100)[:, np.newaxis] % 10)
    data = read_data_sets(tmp_path / place, validation_size=20)
    expected = images if channels == "colour" else photos[..., 0]
    np.testing.assert_array_equal(data.train.pixels, expected[20:100])
    assert data.validation.labels.tolist() == [*range(10), *range(10)]
    again = read_data_sets(tmp_path / place, validation_size=0)
    assert again.sha256 == data.sha256


def test_npz_is_never_unpickled(tmp_path, photos):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "unpickled"), "w")

    path = write_npz(tmp_path / "mnist.npz", photos, y_test=np.array([Trap()] * 20, object))
    with pytest.raises(MnistGraphError, match="has objects instead of numbers"):
        read_data_sets(path)
    assert not (tmp_path / "unpickled").exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def cut_cifar(folder, photos):
    cut(write_cifar(folder, photos) / "data_batch_3.bin")


def without_a_batch(folder, photos):
    (write_cifar(folder, photos) / "data_batch_3.bin").unlink()


def wrong_cifar_label(folder, photos):
    write_cifar(folder, photos, classes=11)


def cut_svhn(folder, photos):
    cut(write_svhn(folder, photos) / "test_32x32.mat")


def set_bytes(*places):
    """Return what writes SVHN and sets these bytes of an array, on each of which SciPy crashes."""

    def make(folder, photos):
        path = write_svhn(folder, photos, compressed=False) / "train_32x32.mat"
        content = bytearray(path.read_bytes())
        for place in places:
            content[place] = 255
        path.write_bytes(bytes(content))

    return make


def without_svhn_test(folder, photos):
    (write_svhn(folder, photos) / "test_32x32.mat").unlink()


BAD_FILES = {
    "a cut file": (cut_cifar, "data_batch_3.bin has .* no multiple of the 3,073 of an image"),
    "no third batch": (without_a_batch, "lacks data_batch_3.bin$"),
    "a label too high": (wrong_cifar_label, "data_batch_1.bin has label 10 of 10 classes"),
    "a cut .mat": (cut_svhn, "test_32x32.mat is damaged or no .mat file"),
    "complex numbers": (set_bytes(145), "train_32x32.mat is damaged or no .mat file"),
    "an unknown type": (set_bytes(184), "train_32x32.mat is damaged or no .mat file"),
    "no test .mat": (without_svhn_test, "lacks test_32x32.mat$"),
    "strange labels": (
        lambda folder, photos: write_svhn(folder, photos, y=np.full((100, 1), 11)),
        "y must be numbers from 1 to 10",
    ),
    "X of floats": (
        lambda folder, photos: write_svhn(folder, photos, X=np.zeros((32, 32, 3, 9))),
        "X must be uint8 .height, width, 3, n., not float64",
    ),
    "a later .mat": (
        lambda folder, photos: (write_svhn(folder, photos) / "train_32x32.mat").write_bytes(
            b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400)
        ),
        "train_32x32.mat is of a later version than MATLAB 5",
    ),
    "no .npz": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos).write_bytes(b"PK"),
        "mnist.npz is damaged, too large, or has objects",
    ),
    "other arrays": (
        lambda folder, photos: np.savez(folder / "mnist.npz", images=photos),
        "mnist.npz lacks x_train, y_train, x_test, y_test; it has images",
    ),
    "float images": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos / 255),
        "x_train must be uint8 .n, height, width., .* not float64",
    ),
    "float labels": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos, y_test=np.zeros(20)),
        "y_test must be class numbers",
    ),
    "too few labels": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos, y_test=np.arange(9)),
        "x_test has 20 images, but .*y_test has 9 labels",
    ),
    "one class": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos, y_train=np.zeros(100, int)),
        "y_train has only one class",
    ),
    "other sizes": (
        lambda folder, photos: write_npz(folder / "mnist.npz", photos, x_test=photos[:20, :9]),
        "differ in size .32x32 in colour and 9x32 in colour.",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused_in_one_line(tmp_path, photos, name):
    make, said = BAD_FILES[name]
    make(tmp_path, photos)
    with pytest.raises(MnistGraphError, match=said) as refused:
        read_data_sets(tmp_path)
    assert "\n" not in str(refused.value)


def test_without_scipy_svhn_asks_for_it(tmp_path, photos, monkeypatch):
    write_svhn(tmp_path, photos)
    monkeypatch.setattr("mnist_graph.data.formats.svhn.find_spec", lambda name: None)
    with pytest.raises(MnistGraphError, match=r"SciPy is missing.*pip install '\.\[svhn\]'$"):
        read_data_sets(tmp_path)


def test_a_form_is_refused_for_images_that_have_one(tmp_path, photos):
    with pytest.raises(UsageError, match="have one size already; --image-size"):
        read_data_sets(write_cifar(tmp_path, photos), image_size=(16, 16))


def test_what_is_in_no_format_is_mnist_or_refused(tmp_path, mnist):
    assert read_data_sets(tmp_path).sha256 == mnist.sha256
    with pytest.raises(MnistGraphError, match="has none of the four IDX files"):
        read_data_sets(tmp_path, or_bundled=False)
    with pytest.raises(MnistGraphError, match="nowhere is not a folder"):
        read_data_sets(tmp_path / "nowhere", or_bundled=False)
