"""A drawing or a photo: what every network reads in it, and the images that networks of single
digits are given.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from mnist_graph.data.mnist_form import INK, to_mnist_form
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.picture import read_grey
from mnist_graph.reading.prepare import prepare
from mnist_graph.reading.reader import Reader
from mnist_graph.serving.bodies import FRAME
from mnist_graph.serving.networks import Served

NAME = "the picture"
"""What errors call it."""

Json = dict[str, Any]


def read_picture(picture: bytes, networks: Sequence[Served]) -> Json:
    """Return the digits that each of the `networks` reads in a picture, and each digit in MNIST's
    form. Raises MnistGraphError if it cannot be read.
    """
    prepared = prepare(picture, NAME)
    pieces = [piece for row in prepared.rows for piece in row.pieces]
    seen = [(piece.box, to_mnist_form(piece.ink, FRAME)) for piece in pieces]
    readings = {each.name: each.network.read_prepared(prepared) for each in networks}
    return _describe(prepared.size, readings, seen)


def read_as_tutorials(picture: bytes, networks: Sequence[Served]) -> Json:
    """Return the same, read as the tutorials do: the whole picture is shrunk to 28x28 and inverted,
    and treated as one digit. Networks that read rows are left out.
    """
    grey = read_grey(picture, NAME)
    size = grey.shape[1], grey.shape[0]
    shrunk = Image.fromarray(grey).resize(FRAME, Image.Resampling.BILINEAR)
    image = 255 - np.asarray(shrunk)
    if not image.any():
        return _describe(size, {each.name: [] for each in networks}, [])
    box = Box(0, 0, *size)
    readings = {}
    for each in networks:
        if not isinstance(each.network, Reader):
            (probabilities,) = each.network.predict(image[np.newaxis])
            readings[each.name] = [make_digit(0, 0, box, probabilities)]
    return _describe(size, readings, [(box, image)])


def _describe(
    size: tuple[int, int],
    readings: dict[str, list[Digit]],
    seen: list[tuple[Box, np.ndarray]],
) -> Json:
    return {
        "width": size[0],
        "height": size[1],
        "readings": {
            name: {"digits": [_describe_digit(digit) for digit in digits]}
            for name, digits in readings.items()
        },
        "seen": [_describe_image(box, image) for box, image in seen],
    }


def _describe_digit(digit: Digit) -> Json:
    return {
        "row": digit.row,
        "column": digit.column,
        "box": list(digit.box),
        "label": digit.label,
        "probability": digit.probability,
        "sure": digit.is_sure(),
        "probabilities": digit.probabilities.tolist(),
    }


def _describe_image(box: Box, image: np.ndarray) -> Json:
    """Describe an image in MNIST's form: its pixels, where its ink is, and its centre of mass."""
    rows, columns = np.nonzero(image >= INK * 255)
    mass = image.astype(float)
    centre = [
        float((mass.sum(axis=axis) * np.arange(side)).sum() / mass.sum())
        for axis, side in enumerate(reversed(image.shape))
    ]
    return {
        "box": list(box),
        "pixels": encode(image),
        "ink": [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
        if len(rows)
        else [0, 0, *reversed(image.shape)],
        "centre": centre,
    }


def encode(values: np.ndarray) -> str:
    """Return the bytes of an array in base64."""
    return base64.b64encode(values.tobytes()).decode()
