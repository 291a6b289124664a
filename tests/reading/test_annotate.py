"""Drawings of what was read: whole or not there, and none overwritten."""

import errno
import resource
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import TEST_IMAGE
from PIL import Image

from mnist_graph import MnistGraphError
from mnist_graph.reading.annotate import save_annotated
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.digit import Digit

DIGITS = [Digit(0, 0, Box(6, 3, 22, 25), 2, 0.99, np.full(10, 0.1, np.float32))]


def save(folder, picture=TEST_IMAGE):
    return save_annotated(picture, DIGITS, 0.9, folder, "photo")


@pytest.fixture
def full_disk():
    """Make every file end at 100 bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_part_of_a_drawing(tmp_path, full_disk):
    (tmp_path / "photo-read.png").write_bytes(b"mine")
    with pytest.raises(MnistGraphError, match=r"cannot write to .*: File too large"):
        save(tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [
        ("photo-read.png", b"mine")
    ]


def test_a_disk_that_fails_when_flushed_leaves_no_part_of_a_drawing(tmp_path, monkeypatch):
    """Mocked, because a disk cannot be filled to the byte."""

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mnist_graph.runs.files.os.fsync", fail)
    with pytest.raises(MnistGraphError, match="No space left on device"):
        save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_drawings_that_are_saved_at_once_do_not_overwrite_each_other(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(lambda _: save(tmp_path), range(16)))
    names = {"photo-read.png", *(f"photo-read-{number}.png" for number in range(2, 17))}
    assert {path.name for path in paths} == names
    assert {path.name for path in tmp_path.iterdir()} == names
    for path in paths:
        with Image.open(path) as drawing:
            drawing.load()


def test_a_picture_that_has_vanished_gives_no_drawing(tmp_path):
    with pytest.raises(MnistGraphError, match="No such file"):
        save(tmp_path / "out", tmp_path / "vanished.png")
    assert list(tmp_path.iterdir()) == []
