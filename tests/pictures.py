"""The digit of test_img.png as pictures of many modes and colours."""

import functools

import numpy as np
from helpers import drawing, given_to_the_network, test_ink
from PIL import Image, ImageOps

INK = test_ink()


def on_transparent(colour):
    """Return a picture of the digit in one colour, grey or RGB, on a transparent background."""
    pixels = np.zeros((*INK.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = INK
    return Image.fromarray(pixels, "RGBA")


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
    "16 bits": lambda: Image.fromarray((255 - INK).astype(np.uint16) * 257),
    "32 bits": lambda: drawing(INK, mode="I"),
    "floats": lambda: drawing(INK, mode="F"),
}
"""Functions that return the pictures, by name."""


@functools.cache
def plain_digit():
    """Return what a network is given for the digit in plain black on white: uint8 [28, 28]."""
    (given,) = given_to_the_network(drawing(INK))
    return given


def difference_from_plain(picture):
    """Return the mean difference, of 255, between what a network is given for `picture` and
    `plain_digit`.
    """
    (given,) = given_to_the_network(picture)
    return abs(given.astype(float) - plain_digit()).mean()
