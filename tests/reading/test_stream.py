"""Many pictures are prepared in parallel, in their order, and a bounded number at a time."""

import threading
import time
import warnings

import numpy as np
import pytest
from helpers import TEST_IMAGE
from PIL import Image

from mnist_graph import MnistGraphError
from mnist_graph.data.picture_files import pillow_silenced
from mnist_graph.reading import stream
from mnist_graph.reading.pages import Page, open_pages
from mnist_graph.reading.picture import read_grey, read_reduced
from mnist_graph.reading.prepare import prepare as prepare_picture


def pages_of(count, released=None):
    """Return `count` pages named 0, 1, ..., which add their names to `released` on release."""

    class Noted(Page):
        def release(self):
            released.append(self.file)

    kind = Page if released is None else Noted
    return (kind(str(number), str(number), str(TEST_IMAGE)) for number in range(count))


@pytest.fixture
def prepare(monkeypatch):
    """A function that replaces the preparation of a page."""
    return lambda replacement: monkeypatch.setattr(stream, "prepare_page", replacement)


def test_pages_come_in_order_whatever_each_takes(prepare):
    def slow_first(page):
        time.sleep(0.2 if page.file in "05" else 0)
        return page.file

    prepare(slow_first)
    found = [prepared.prepared for prepared in stream.prepare_pages(pages_of(12))]
    assert found == [str(number) for number in range(12)]


def test_a_bounded_number_is_prepared_ahead_and_each_is_released(prepare):
    started, released = [], []
    prepare(lambda page: started.append(page.file))
    most = min(stream.os.cpu_count(), stream.MAX_THREADS) + stream.WAITING
    with_all = stream.prepare_pages(pages_of(50, released))
    for number, prepared in enumerate(with_all):
        assert prepared.page.file == str(number)
        assert released == [str(earlier) for earlier in range(number)]
        time.sleep(0.002)
        assert len(started) <= number + most
    assert len(started) == len(released) == 50


def test_the_first_page_comes_before_later_ones_are_found(prepare):
    prepare(lambda page: page.file)

    def found():
        yield from pages_of(1)
        time.sleep(0.2)  # until the first is prepared
        yield from pages_of(1)
        raise AssertionError("looked further ahead")

    pages = stream.prepare_pages(found())
    assert next(pages).prepared == "0"
    pages.close()


def test_pages_are_prepared_at_the_same_time(prepare, monkeypatch):
    monkeypatch.setattr(stream.os, "cpu_count", lambda: 3)
    meeting = threading.Barrier(3, timeout=30)
    prepare(lambda page: meeting.wait())
    assert len(list(stream.prepare_pages(pages_of(3)))) == 3


@pytest.mark.parametrize("error", [MnistGraphError("1 is broken"), MemoryError()])
def test_a_page_that_cannot_be_prepared_is_an_error_among_others(prepare, error):
    def break_one(page):
        if page.file == "1":
            raise error
        return page.file

    prepare(break_one)
    first, broken, last = stream.prepare_pages(pages_of(3))
    assert (first.error, broken.prepared, last.error) == (None, None, None)
    assert broken.error == (str(error) or "1 needs more memory than is free")


def test_a_stream_that_is_closed_releases_what_was_waiting(prepare):
    released = []
    prepare(lambda page: page.file)
    pages = stream.prepare_pages(pages_of(50, released))
    next(pages)
    pages.close()
    assert len(released) >= 1
    assert released == [str(number) for number in range(len(released))]
    assert not [one for one in threading.enumerate() if one.name.startswith("prepare")]


def box_of_all(picture):
    """The box of all ink, in pixels of the picture."""
    ((piece,),) = [row.pieces for row in prepare_picture(picture).rows]
    return piece.box


@pytest.mark.parametrize("orientation", [1, 6])
def test_boxes_are_in_the_pixels_of_a_photo_that_is_decoded_smaller(tmp_path, orientation):
    paper = Image.new("L", (8001, 6000), 255)
    paper.paste(0, (4000, 3000, 4300, 3400))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    paper.save(path, quality=95, exif=exif)
    reduced = read_reduced(path, 4_000_000)
    assert reduced.step == 2
    upright = (8001, 6000) if orientation == 1 else (6000, 8001)
    assert reduced.size == upright
    assert reduced.grey.shape == tuple(-(-side // 2) for side in upright[::-1])
    with Image.open(path) as whole:
        np.testing.assert_allclose(box_of_all(path), box_of_all(whole), atol=8)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_a_jpeg_is_decoded_to_the_grey_it_has_in_colour(tmp_path, mode):
    random = np.random.default_rng(0)
    pixels = np.kron(random.integers(0, 256, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(pixels).convert(mode).save(path, quality=95)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("L"), int)
    difference = np.abs(read_grey(path) - expected)
    assert np.percentile(difference, 90) <= 2
    with Image.open(path) as image:
        read_grey(image)
        assert image.mode in (mode, "RGB")  # the caller's image is left as it was
        assert image.size == (128, 128)


@pytest.mark.filterwarnings("default")
def test_only_pillows_warnings_are_silenced_and_only_inside():
    before = warnings.filters[:]
    with pillow_silenced, pillow_silenced, warnings.catch_warnings(record=True) as caught:
        warnings.warn_explicit("of Pillow", UserWarning, "a.py", 1, "PIL.TiffImagePlugin")
        warnings.warn_explicit("of another", UserWarning, "a.py", 1, "another")
    assert [str(warning.message) for warning in caught] == ["of another"]
    assert warnings.filters == before


def test_real_pictures_are_prepared():
    pages = [page for _ in range(3) for page in open_pages("a", str(TEST_IMAGE))]
    ready = [prepared.prepared for prepared in stream.prepare_pages(pages)]
    assert [len(prepared.rows) for prepared in ready] == [1, 1, 1]
