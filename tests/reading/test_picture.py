"""Picture files of all formats are read, and bad ones refused."""

import io
import os
import socket
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import TEST_IMAGE, drawing, enlarged, given_to_the_network, png_bytes, truncate
from pictures import INK, PICTURES, difference_from_plain, on_transparent
from PIL import Image, ImageOps

from mnist_graph import MnistGraphError
from mnist_graph.errors import MnistGraphWarning
from mnist_graph.reading.picture import MAX_PIXELS, read_grey, read_upright
from mnist_graph.reading.prepare import prepare

TWO_SHADES = ("1 bit", "palette with transparency")
"""Pictures without shades between ink and paper."""


@pytest.mark.parametrize("name", PICTURES)
def test_every_mode_gives_the_same_digit(name):
    assert difference_from_plain(PICTURES[name]()) < (30 if name in TWO_SHADES else 2)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("black on transparent", "png"),
        ("white on transparent", "webp"),
        ("palette with transparency", "gif"),
        ("16 bits", "png"),
        ("CMYK", "tiff"),
        ("1 bit", "bmp"),
        ("black on white", "jpeg"),
    ],
)
def test_every_file_format_gives_the_same_digit(tmp_path, name, suffix):
    path = tmp_path / f"picture.{suffix}"
    PICTURES[name]().save(path)
    assert difference_from_plain(path) < (30 if name in TWO_SHADES else 15)
    assert read_upright(path).size == (28, 28)


def test_a_picture_that_needs_too_much_memory_is_not_called_damaged(monkeypatch):
    """Mocked, because really using up the memory would disturb other processes."""

    def exhaust(*_):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exhaust)
    with pytest.raises(MnistGraphError, match="needs more memory than is free: scale it down"):
        prepare(TEST_IMAGE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_by_its_exif_tag(tmp_path, orientation):
    stored = {
        1: lambda image: image,
        2: ImageOps.mirror,
        3: lambda image: image.rotate(180),
        4: ImageOps.flip,
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = drawing(INK[:, 2:])
    stored(upright).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_grey(tmp_path / "photo.png"), np.asarray(upright))


def encoded(image_format, **options):
    """Return the bytes of a picture file."""
    file = io.BytesIO()
    drawing(enlarged(INK, 4, (120, 120), (4, 4)), mode="RGB").save(file, image_format, **options)
    return file.getvalue()


def cut(content, share=0.5):
    """Return the first `share` of a file."""
    return content[: int(len(content) * share)]


BAD_FILES = {
    "empty": (b"", "is not a picture"),
    "text": (b"this is not a picture", "is not a picture"),
    "bomb": (png_bytes(30000, 30000), "more than 64 million pixels"),
    "just too large": (png_bytes(8000, MAX_PIXELS // 8000 + 1), "more than 64 million pixels"),
    "truncated PNG": (cut(TEST_IMAGE.read_bytes(), 0.6), "is damaged"),
    "truncated JPEG": (cut(encoded("JPEG")), "is damaged"),
    "truncated GIF": (cut(encoded("GIF")), "is damaged"),
    # Which of the errors these two raise depends on Pillow's libraries.
    "truncated TIFF": (cut(encoded("TIFF"), 0.3), ""),
    "truncated WebP": (cut(encoded("WEBP")), ""),
    "truncated BMP": (cut(encoded("BMP")), "is damaged"),
    "PNG without pixels": (png_bytes(28, 28), "is damaged"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_its_name(tmp_path, name, recwarn):
    content, reason = BAD_FILES[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(MnistGraphError) as refused:
        prepare(path)
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("error", [RuntimeError, SyntaxError, struct.error, KeyError, OSError])
def test_any_error_of_a_decoder_means_a_damaged_picture(monkeypatch, error):
    """Mocked, because what Pillow raises differs between its versions and libraries."""

    def decode(self, *_):
        raise error("decoding failed")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    with pytest.raises(MnistGraphError, match="is damaged"):
        prepare(TEST_IMAGE)


def test_warnings_of_pillow_are_not_shown(tmp_path, recwarn):
    exif = Image.Exif()
    exif[0x0112] = 1
    content = encoded("JPEG", exif=exif.tobytes())
    count = content.index(b"Exif\0\0") + 14  # the position of the number of tags
    broken = content[:count] + b"\xff\xff" + content[count + 2 :]
    (tmp_path / "photo.jpg").write_bytes(broken)
    assert read_grey(tmp_path / "photo.jpg").shape == (120, 120)
    assert len(recwarn) == 0


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(MnistGraphError, match=r"cannot read .*: No such file"):
        prepare(tmp_path / "missing.png")
    with pytest.raises(MnistGraphError, match="directory"):
        prepare(tmp_path)


def create_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    "create", [os.mkfifo, create_socket, lambda path: path.symlink_to("/dev/zero")]
)
def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path, monkeypatch, create):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    create(Path("picture.png"))
    with pytest.raises(MnistGraphError, match=r"picture.png is not a regular file; to read a pipe"):
        prepare("picture.png")


@pytest.mark.parametrize("target", ["missing.png", "picture.png"], ids=["to nothing", "to itself"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path, target):
    path = tmp_path / "picture.png"
    path.symlink_to(target)
    with pytest.raises(MnistGraphError, match=r"cannot read .*picture.png: "):
        prepare(path)


@pytest.mark.parametrize("image_format", ["TIFF", "GIF", "PNG", "WEBP"])
def test_a_file_of_several_pages_is_read_with_a_warning(tmp_path, image_format):
    path = tmp_path / "pages"
    first, *others = (drawing(np.roll(INK, shift, 1), mode="RGB") for shift in range(3))
    first.save(path, image_format, save_all=True, append_images=others, lossless=True)
    with pytest.warns(MnistGraphWarning) as warned:
        grey = read_grey(path)
    assert [str(one.message) for one in warned] == [f"{path} has 3 pages; only the first is read"]
    np.testing.assert_allclose(grey, np.asarray(first.convert("L")), atol=2)
    with pytest.warns(MnistGraphWarning, match="the picture has 3 pages"):
        read_grey(path.read_bytes())


@pytest.mark.filterwarnings("error")
def test_one_page_gives_no_warning(tmp_path):
    for image_format in ("TIFF", "GIF", "PNG", "WEBP"):
        drawing(INK).save(tmp_path / "page", image_format, save_all=True)
        read_grey(tmp_path / "page")
    # An MPO's second picture is another view of the photo.
    drawing(INK).save(tmp_path / "photo", "MPO", save_all=True, append_images=[drawing(INK)])
    read_grey(tmp_path / "photo")
    # What comes after the first page may be damaged.
    drawing(INK).save(tmp_path / "pages", "TIFF", save_all=True, append_images=[drawing(INK)])
    truncate(tmp_path / "pages")
    read_grey(tmp_path / "pages")


@pytest.mark.parametrize("grey", [0, 127, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (500, 3), (640, 480)])
def test_a_blank_picture_has_no_digit(grey, size):
    assert len(given_to_the_network(Image.new("L", size, grey))) == 0


def test_a_transparent_picture_has_no_digit():
    assert len(given_to_the_network(on_transparent(0).point(lambda _: 0))) == 0


@pytest.mark.parametrize(
    ("size", "darkest"), [((50, 50), 235), ((600, 800), 235), ((600, 800), 200)]
)
def test_noise_on_paper_is_not_a_digit(size, darkest):
    noise = np.random.default_rng(0).integers(darkest, 256, size).astype(np.uint8)
    assert len(given_to_the_network(Image.fromarray(noise))) == 0


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (3, 5_000), (2, 2)])
@pytest.mark.parametrize("kind", ["noise", "checks"])
def test_pictures_of_extreme_shapes_are_read_without_an_error(size, kind):
    rows, columns = np.indices(size)
    pixels = {
        "noise": np.random.default_rng(0).integers(0, 256, size),
        "checks": (rows + columns) // 3 % 2 * 255,
    }[kind]
    given_to_the_network(Image.fromarray(pixels.astype(np.uint8)))


def test_reading_in_several_threads_leaves_the_warning_filters_as_they_are():
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read_grey, [TEST_IMAGE] * 200))
    assert warnings.filters == before
