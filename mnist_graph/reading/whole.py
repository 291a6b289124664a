"""A whole picture, for a network that classifies pictures rather than reads the digits in them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnist_graph.data.picture_files import to_pixels, upright_size
from mnist_graph.data.shapes import ImageShape
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.picture import Picture, name_of, opened


@dataclass(frozen=True)
class WholePicture:
    """A picture, ready for `Classifier.read_prepared`."""

    pixels: np.ndarray
    """uint8 of the shape that the network takes."""
    box: Box
    """All of the upright picture, in its own pixels."""


def prepare_whole(
    picture: Picture, image_shape: ImageShape, name: str | None = None
) -> WholePicture:
    """Bring a picture to `image_shape` as training pictures are brought to it. `name` is what
    errors call it (default: its path).

    Safe in any thread. Takes, and raises, the same as `read_grey`.
    """
    name = name or name_of(picture)
    with opened(picture, name) as image:
        size = upright_size(image)
        is_file = not isinstance(picture, Image.Image)
        return WholePicture(to_pixels(image, image_shape, name, is_file), Box(0, 0, *size))
