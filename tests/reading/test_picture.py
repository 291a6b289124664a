import io

import numpy as np
import pytest
from helpers import TEST_IMAGE, drawing, enlarged, given_to_the_network, png_bytes, test_ink
from PIL import Image, ImageOps

from mnist_graph import MnistGraphError
from mnist_graph.reading.page import load_ink
from mnist_graph.reading.picture import MAX_PIXELS, read_grey, read_upright

INK = test_ink()


def on_transparent(colour):
    """The test picture's ink in one colour on nothing."""
    pixels = np.zeros((*INK.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = INK
    return Image.fromarray(pixels, "RGBA")


def sixteen_bits():
    return Image.fromarray(((255 - INK).astype(np.uint16)) * 257)


def palette_with_transparency():
    image = Image.fromarray(np.uint8(INK > 100), "P")
    image.putpalette([200, 200, 200, 0, 0, 0])
    image.info["transparency"] = 0
    return image


PICTURES = {
    "black on transparent": lambda: on_transparent(0),
    "white on transparent": lambda: on_transparent(255),
    "red on transparent": lambda: on_transparent((200, 0, 0)),
    "black on white": lambda: drawing(INK),
    "white on black": lambda: drawing(INK, 0, 255),
    "grey on grey": lambda: drawing(INK, 160, 90),
    "light grey on dark grey": lambda: drawing(INK, 60, 130),
    "colours": lambda: ImageOps.colorize(drawing(INK), "navy", "lightyellow"),
    "palette": lambda: drawing(INK).convert("P"),
    "palette with transparency": palette_with_transparency,
    "grey with transparency": lambda: on_transparent(0).convert("LA"),
    "CMYK": lambda: drawing(INK, mode="CMYK"),
    "1 bit": lambda: drawing(INK, mode="1"),
    "16 bits": sixteen_bits,
    "32 bits": lambda: drawing(INK, mode="I"),
    "floats": lambda: drawing(INK, mode="F"),
}
"""The digit of test_img.png in as many forms."""


COARSE = {"1 bit": 30, "palette with transparency": 30}
"""How far, on average, a form of two shades may lie from the true ones, of 255."""


def difference(picture):
    """From what the network is given of the plain black on white, on average, of 255."""
    (plain,) = given_to_the_network(drawing(INK))
    (digit,) = given_to_the_network(picture)
    return abs(digit.astype(float) - plain).mean()


@pytest.mark.parametrize("name", PICTURES)
def test_the_digit_is_the_same_whatever_the_form(name):
    assert difference(PICTURES[name]()) < COARSE.get(name, 2)


@pytest.mark.parametrize(
    ("name", "form"),
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
def test_the_digit_is_the_same_from_a_file(tmp_path, name, form):
    path = tmp_path / f"picture.{form}"
    PICTURES[name]().save(path)
    assert difference(path) < COARSE.get(name, 15)
    assert read_upright(path).size == (28, 28)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_exif_says(tmp_path, orientation):
    stored = {
        1: lambda i: i,
        2: ImageOps.mirror,
        3: lambda i: i.rotate(180),
        4: ImageOps.flip,
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = drawing(INK[:, 2:])
    stored(upright).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_grey(tmp_path / "photo.png"), np.asarray(upright))


def encoded(form, **options):
    file = io.BytesIO()
    drawing(enlarged(INK, 4, (120, 120), (4, 4)), mode="RGB").save(file, form, **options)
    return file.getvalue()


def cut(content, share=0.5):
    return content[: int(len(content) * share)]


BAD = {
    "empty": (b"", "is not a picture"),
    "text": (b"this is no picture", "is not a picture"),
    "bomb": (png_bytes(30000, 30000), "more than 64 million pixels"),
    "just too large": (png_bytes(8000, MAX_PIXELS // 8000 + 1), "more than 64 million pixels"),
    "truncated PNG": (cut(TEST_IMAGE.read_bytes(), 0.6), "is damaged"),
    "truncated JPEG": (cut(encoded("JPEG")), "is damaged"),
    "truncated GIF": (cut(encoded("GIF")), "is damaged"),
    "truncated TIFF": (cut(encoded("TIFF"), 0.3), ""),
    "truncated BMP": (cut(encoded("BMP")), "is damaged"),
    "truncated WebP": (cut(encoded("WEBP")), ""),
    "PNG without pixels": (png_bytes(28, 28), "is damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_refused_by_its_name(tmp_path, name, recwarn):
    content, fault = BAD[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(MnistGraphError) as refused:
        load_ink(path)
    assert str(path) in str(refused.value)
    assert fault in str(refused.value)
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("error", [RuntimeError, SyntaxError, struct.error, KeyError, OSError])
def test_whatever_a_decoder_raises_is_a_damaged_picture(monkeypatch, error):
    """Mocked: which of these Pillow raises changes with its version and its libraries."""

    def decode(self, *_):
        raise error("decoding failed")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    with pytest.raises(MnistGraphError, match="is damaged"):
        load_ink(TEST_IMAGE)


def test_a_picture_that_pillow_warns_of_is_read_without_a_word(tmp_path, recwarn):
    exif = Image.Exif()
    exif[0x0112] = 1
    content = encoded("JPEG", exif=exif.tobytes())
    count = content.index(b"Exif\0\0") + 14  # of the tags that are said to follow
    broken = content[:count] + b"\xff\xff" + content[count + 2 :]
    (tmp_path / "photo.jpg").write_bytes(broken)
    assert read_grey(tmp_path / "photo.jpg").shape == (120, 120)
    assert len(recwarn) == 0


def test_a_missing_picture_and_a_folder_are_refused(tmp_path):
    with pytest.raises(MnistGraphError, match=r"cannot read .*: No such file"):
        load_ink(tmp_path / "missing.png")
    with pytest.raises(MnistGraphError, match="directory"):
        load_ink(tmp_path)


@pytest.mark.parametrize("grey", [0, 127, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (500, 3), (640, 480)])
def test_a_blank_picture_has_no_digit(grey, size):
    assert len(given_to_the_network(Image.new("L", size, grey))) == 0


def test_a_wholly_transparent_picture_has_no_digit():
    assert len(given_to_the_network(on_transparent(0).point(lambda _: 0))) == 0


@pytest.mark.parametrize("size", [(50, 50), (600, 800)])
@pytest.mark.parametrize("low", [200, 235])
def test_noise_on_paper_is_no_digit(size, low):
    noise = np.random.default_rng(0).integers(low, 256, size).astype(np.uint8)
    assert len(given_to_the_network(Image.fromarray(noise))) == 0


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (3, 5_000), (2, 2)])
@pytest.mark.parametrize("kind", ["noise", "checks"])
def test_a_picture_of_any_shape_is_seen_to(size, kind):
    rows, columns = np.indices(size)
    pixels = {
        "noise": np.random.default_rng(0).integers(0, 256, size),
        "checks": (rows + columns) // 3 % 2 * 255,
    }[kind]
    given_to_the_network(Image.fromarray(pixels.astype(np.uint8)))
