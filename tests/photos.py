"""Real photographs for tests: crops of the two that scikit-learn has, in files of every format."""

from functools import cache
from pathlib import Path

import numpy as np
import sklearn
from PIL import Image
from scipy.io import savemat

PHOTOS = Path(sklearn.__file__).parent / "datasets" / "images"
CLASSES = ("china", "flower")


@cache
def photo(name):
    """A photograph of 640x427, in RGB."""
    return Image.open(PHOTOS / f"{name}.jpg").convert("RGB")


def crop(name, seed, side=96, size=32):
    """A square of a photograph, chosen by the seed, scaled to `size`."""
    whole = photo(name)
    x, y = np.random.default_rng(seed).integers(0, np.subtract(whole.size, side))
    box = tuple(map(int, (x, y, x + side, y + side)))
    return whole.crop(box).resize((size, size))


def crops(name, count, size=32):
    """Many of them: uint8 [count, size, size, 3]."""
    return np.stack([np.asarray(crop(name, seed, size=size)) for seed in range(count)])


def write_photos(folder, count=40, classes=CLASSES, size=32, mode="RGB", suffix=".png"):
    """Write `count` crops of a photograph for each class, one folder each; return `folder`."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed in range(count):
            picture = crop(CLASSES[number % 2], seed, size=size).convert(mode)
            picture.save(folder / name / f"{seed}{suffix}")
    return folder


def write_cifar(folder, photos, coarse=False, classes=10):
    """Write the photographs as CIFAR-10's six files, or as CIFAR-100's two."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = (np.arange(len(photos)) % classes).astype(np.uint8)[:, np.newaxis]
    head = np.hstack([labels // 5, labels]) if coarse else labels
    rows = np.hstack([head, photos.transpose(0, 3, 1, 2).reshape(len(photos), -1)])
    if coarse:
        names, parts = ("train", "test"), (rows[:100], rows[100:])
    else:
        names = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
        parts = np.split(rows, 6)
    for name, part in zip(names, parts, strict=True):
        (folder / f"{name}.bin").write_bytes(part.tobytes())
    return folder


def write_svhn(folder, photos, compressed=True, **more):
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", photos[:100]), ("test", photos[100:])):
        labels = np.arange(len(part)) % 10 + 1
        arrays = {"X": part.transpose(1, 2, 3, 0), "y": labels[:, np.newaxis].astype(np.uint8)}
        savemat(folder / f"{name}_32x32.mat", arrays | more, do_compression=compressed)
    return folder


def write_npz(path, photos, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = np.arange(len(photos)) % 10
    arrays = {
        "x_train": photos[:100],
        "y_train": labels[:100],
        "x_test": photos[100:],
        "y_test": labels[100:],
    }
    np.savez(path, **(arrays | more))
    return path
