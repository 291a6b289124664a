"""Pictures in memory: Pillow images of every mode, arrays of every type, and what is neither."""

import io

import numpy as np
import pytest
from helpers import TEST_IMAGE
from pictures import INK, difference_from_plain
from PIL import Image

from mnist_graph import MnistGraphError
from mnist_graph.reading.picture import read_grey, read_upright
from mnist_graph.reading.prepare import prepare

SHADES = {"dark on light": 255 - INK, "light on dark": INK}
"""The digit as grey pixels: uint8 [h, w]."""

MODES = {
    "La": lambda grey: Image.fromarray(grey).convert("LA").convert("La"),
    "P": lambda grey: Image.fromarray(grey).convert("P"),
    "PA": lambda grey: Image.fromarray(grey).convert("RGBA").convert("PA"),
    "RGBa": lambda grey: Image.fromarray(grey).convert("RGBA").convert("RGBa"),
    **{
        mode: lambda grey, mode=mode: Image.fromarray(grey).convert("RGB").convert(mode)
        for mode in ("L", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
    },
    **{
        mode: lambda grey, mode=mode: Image.fromarray(grey.astype(np.int32) * 257).convert(mode)
        for mode in ("I", "I;16", "I;16L", "I;16B")
    },
    "F in 0..1": lambda grey: Image.fromarray(grey / np.float32(255)),
    "F in 0..255": lambda grey: Image.fromarray(grey.astype(np.float32)),
}
"""Functions that make a Pillow image of grey pixels, by the mode of the image."""

ARRAYS = {
    "uint8": lambda grey: grey,
    "uint8 channel": lambda grey: grey[..., np.newaxis],
    "uint8 RGB": lambda grey: np.dstack([grey] * 3),
    "uint8 RGBA": lambda grey: np.dstack([grey] * 3 + [np.full_like(grey, 255)]),
    "uint16": lambda grey: grey.astype(np.uint16) * 257,
    "big-endian uint16": lambda grey: grey.astype(">u2") * 257,
    "uint16 in 0..255": lambda grey: grey.astype(np.uint16),
    "uint16 RGB": lambda grey: np.dstack([grey.astype(np.uint16) * 257] * 3),
    "int64": lambda grey: grey.astype(int),
    "float16 in 0..1": lambda grey: (grey / 255).astype(np.float16),
    "float32 in 0..1": lambda grey: (grey / 255).astype(np.float32),
    "float64 in 0..1": lambda grey: grey / 255,
    "float64 in 0..255": lambda grey: grey.astype(float),
    "float RGB": lambda grey: np.dstack([grey / 255] * 3),
    "float RGBA": lambda grey: np.dstack([grey / 255] * 3 + [np.ones_like(grey)]),
    "float with ink as alpha": lambda grey: np.dstack([np.zeros((28, 28, 3)), INK / 255]),
    "not contiguous": lambda grey: np.asfortranarray(grey)[::-1][::-1],
}
"""Functions that make an array of grey pixels."""


@pytest.mark.parametrize("shades", SHADES)
@pytest.mark.parametrize("make", [*MODES.values(), *ARRAYS.values()], ids=[*MODES, *ARRAYS])
def test_every_mode_and_type_of_array_gives_the_same_digit(shades, make):
    picture = make(SHADES[shades])
    assert difference_from_plain(picture) < 3
    assert np.abs(np.asarray(read_upright(picture))[..., 0] - read_grey(picture)).max() <= 1


@pytest.mark.parametrize("shades", SHADES)
def test_an_array_of_bools_is_black_and_white(shades):
    assert difference_from_plain(SHADES[shades] > 127) < 30


def with_value(value, dtype=np.float32):
    """Return an array of zeros with one other value."""
    pixels = np.zeros((28, 28), dtype)
    pixels[3, 4] = value
    return pixels


def damaged_image():
    return Image.open(io.BytesIO(TEST_IMAGE.read_bytes()[:200]))


def closed_image():
    image = Image.open(TEST_IMAGE)
    image.close()
    return image


OUT_OF_RANGE = "must be from 0 to 1 or from 0 to 255, not from "
NO_ARRAY = "must be [height, width], or [height, width, channels]"

BAD_PICTURES = {
    "NaN": (with_value(np.nan), "has pixels that are NaN or infinite"),
    "infinite": (with_value(-np.inf), "has pixels that are NaN or infinite"),
    "NaN in mode F": (Image.fromarray(with_value(np.nan)), "has pixels that are NaN or infinite"),
    "negative": (with_value(-0.1), f"{OUT_OF_RANGE}-0.1 to 0"),
    "above 1": (with_value(1.01), f"{OUT_OF_RANGE}0 to 1.01"),
    "above 255": (with_value(255.5), f"{OUT_OF_RANGE}0 to 255.5"),
    "negative integer": (with_value(-3, int), "must be at least 0, not from -3 to 0"),
    "negative in mode I": (Image.fromarray(with_value(-3, np.int32)), "must be at least 0"),
    "complex": (np.zeros((9, 9), complex), "must be bools, integers or floats, not complex128"),
    "objects": (np.full((9, 9), None), "must be bools, integers or floats, not object"),
    "strings": (np.full((9, 9), "ink" * 2000), "must be bools, integers or floats, not str"),
    "records": (
        np.zeros((9, 9), [(f"channel {index}", "u1") for index in range(500)]),
        "must be bools, integers or floats, not void4000",
    ),
    "a row": (np.zeros(784), f"{NO_ARRAY} with 1, 3 or 4 channels, not [784]"),
    "a scalar": (np.array(5), NO_ARRAY),
    "a batch": (np.zeros((1, 28, 28)), NO_ARRAY),
    "two channels": (np.zeros((28, 28, 2)), NO_ARRAY),
    "no rows": (np.zeros((0, 9), np.uint8), "is empty: it is 9 pixels wide and 0 high"),
    "no columns": (Image.new("RGB", (0, 9)), "is empty: it is 0 pixels wide and 9 high"),
    "no pixels": (Image.new("L", (0, 0)), "is empty"),
    "too large": (np.broadcast_to(np.uint8(0), (8000, 8001)), "more than 64 million pixels"),
    "too large an image": (Image.new("1", (8000, 8001)), "more than 64 million pixels"),
    "truncated": (damaged_image(), "is damaged"),
    "closed": (closed_image(), "is damaged"),
    "bytes of no picture": (b"no picture" * 1000, "is not a picture that can be read"),
    "None": (None, "a picture is a path, the bytes of a file, a Pillow image or a NumPy array"),
    "a list": ([[0] * 28] * 28, "NumPy array, not list"),
    "an open file": (io.BytesIO(TEST_IMAGE.read_bytes()), "NumPy array, not BytesIO"),
    "a class": (Image.Image, "NumPy array, not type"),
    "content for a path": ("iVBORw0KGgo" * 1000, "File name too long"),
    "null character": ("a\0.png", r"cannot read 'a\x00.png'"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.filterwarnings("error")
def test_what_is_no_picture_is_refused_in_one_short_line(name):
    picture, reason = BAD_PICTURES[name]
    for read in (prepare, read_upright):
        with pytest.raises(MnistGraphError) as refused:
            read(picture)
        assert reason in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1
        assert len(str(refused.value)) < 1100


def test_the_bytes_of_a_file_are_read_as_the_file_is():
    np.testing.assert_array_equal(read_grey(TEST_IMAGE.read_bytes()), read_grey(TEST_IMAGE))
