"""The pictures in a folder: which, in which order, and how fast."""

import contextlib
import os
import subprocess
import time

import pytest

from mnist_graph.reading.folders import list_pictures


@pytest.fixture
def create(tmp_path):
    """A function that creates empty files, with their folders."""

    def create(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    return create


def found(folder, **options):
    return [os.path.relpath(path, folder) for path in list_pictures(str(folder), **options)]


def test_pictures_are_listed_in_natural_order(create, tmp_path):
    names = ["1.png", "2.png", "9.JPG", "010.tif", "10.tif", "11.pdf", "A 1.png", "a 02.png"]
    names += ["b.png", "b/1.png", "b/2/1.png", "b/10.png", "c.webp", "x" + "9" * 200 + ".png"]
    create(*reversed(names))
    in_b = ["b/1.png", "b/2/1.png", "b/10.png"]
    assert found(tmp_path) == [*names[:8], *in_b, "b.png", *names[12:]]


def test_hidden_files_and_what_is_no_picture_are_left_out(create, tmp_path):
    create("a.png", ".b.png", ".git/c.png", "notes.txt", "png", "d.png.part", "Thumbs.db")
    assert found(tmp_path) == ["a.png"]


def test_a_link_to_a_picture_is_followed_and_one_to_a_folder_is_not(create, tmp_path):
    create("a.png", "in/b.png")
    (tmp_path / "in" / "circle").symlink_to(tmp_path)
    (tmp_path / "c.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "missing.png")  # reading it says why
    assert found(tmp_path) == ["a.png", "c.png", "gone.png", "in/b.png"]


def test_the_folder_of_the_drawings_is_left_out(create, tmp_path):
    create("a.png", "out/a-read.png", "other/out/b.png")
    assert found(tmp_path, without=str(tmp_path / "out")) == ["a.png", "other/out/b.png"]
    assert found(tmp_path / "out", without=str(tmp_path / "out")) == ["a-read.png"]


def test_a_folder_that_cannot_be_listed_stands_for_itself(create, tmp_path, monkeypatch):
    create("a.png", "locked/b.png", "z.png")
    scandir = os.scandir

    def refuse(folder):
        if folder.endswith("locked"):
            raise PermissionError
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == ["a.png", "locked", "z.png"]


def test_folders_in_folders_may_be_deeper_than_python_recurses(tmp_path):
    deep = os.path.join(*["a"] * 1500)
    os.makedirs(tmp_path / "a")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1500):
            with contextlib.suppress(FileExistsError):
                os.mkdir("a", dir_fd=folder)
            inner = os.open("a", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        os.close(os.open("1.png", os.O_CREAT, dir_fd=folder))
        assert found(tmp_path) == [os.path.join(deep, "1.png")]
    finally:
        os.close(folder)
        subprocess.run(["rm", "-r", tmp_path / "a"], check=True)  # shutil and pytest recurse


@pytest.mark.slow
def test_a_hundred_thousand_files_are_listed_at_once(tmp_path):
    for number in range(100_000):
        os.close(os.open(tmp_path / f"scan {number}.png", os.O_CREAT))
    start = time.process_time()
    paths = list(list_pictures(str(tmp_path)))
    assert time.process_time() - start < 5
    assert paths[-1].endswith("scan 99999.png")
    assert len(paths) == 100_000
