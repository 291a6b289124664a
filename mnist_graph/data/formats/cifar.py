"""CIFAR-10 and CIFAR-100 in their binary version (https://www.cs.toronto.edu/~kriz/cifar.html): for
each image its label in one byte, or a coarse and a fine one, then 32x32 bytes of red, of green and
of blue.
"""

import hashlib
from pathlib import Path

import numpy as np

from mnist_graph.data.formats.examples import Examples, Part, read_limited
from mnist_graph.errors import MnistGraphError

SIDE = 32
TRAIN_10, TEST_10 = tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"
TRAIN_100, TEST_100 = ("train.bin",), "test.bin"
CLASSES_10 = (
    *("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship"),
    "truck",
)
NAMES_100 = "fine_label_names.txt"
"""The file with the names of CIFAR-100's classes, one a line."""


def find_cifar(folder: Path) -> tuple[tuple[str, ...], str] | None:
    """Return the names of the training files and the test file of the set of which `folder` has
    files; None if it has none.
    """
    for train, test in ((TRAIN_10, TEST_10), (TRAIN_100, TEST_100)):
        if any((folder / name).is_file() for name in (*train, test)):
            return train, test
    return None


def read_cifar(folder: Path, train: tuple[str, ...], test: str) -> Examples:
    """Read what `find_cifar` found. Raises MnistGraphError for missing and damaged files."""
    names = (*train, test)
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise MnistGraphError(f"{folder} lacks {', '.join(missing)}")
    contents = {name: read_limited(folder / name) for name in names}
    labels, classes = (1, len(CLASSES_10)) if test == TEST_10 else (2, 100)
    train_part, test_part = (
        _join([_split(folder / each, contents[each], labels, classes) for each in group], folder)
        for group in (train, (test,))
    )
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    class_names = CLASSES_10 if test == TEST_10 else _names_100(folder)
    return Examples(train_part, test_part, sha256, class_names)


def _split(path: Path, content: bytes, labels: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels, uint8 [n, 32, 32, 3], and the labels, uint8 [n], of one file."""
    row = labels + 3 * SIDE**2
    if not content or len(content) % row:
        raise MnistGraphError(
            f"{path} has {len(content):,} bytes, which is no multiple of the {row:,} of an image: "
            "damaged; get a fresh copy"
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, row)
    found = rows[:, labels - 1]
    if found.max() >= classes:
        raise MnistGraphError(f"{path} has label {found.max()} of {classes} classes: damaged")
    return rows[:, labels:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), found


def _join(files: list[tuple[np.ndarray, np.ndarray]], folder: Path) -> Part:
    pixels, labels = (np.concatenate(arrays) for arrays in zip(*files, strict=True))
    return Part(np.ascontiguousarray(pixels), labels, str(folder), str(folder))


def _names_100(folder: Path) -> tuple[str, ...]:
    """Return the names of CIFAR-100's classes; () without their file."""
    path = folder / NAMES_100
    if not path.is_file():
        return ()
    names = tuple(read_limited(path).decode("utf-8", "replace").split())
    if len(set(names)) != 100:
        raise MnistGraphError(f"{path} has {len(set(names))} names instead of 100")
    return names
