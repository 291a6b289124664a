"""A trained network that reads pictures of handwriting."""

from pathlib import Path

from PIL import Image

from mnist_graph.reading.page import Digit, load_ink, read_digits
from mnist_graph.reading.paper import Ink
from mnist_graph.runs.predictor import Predictor


class Classifier(Predictor):
    """The network of a finished run, for images in MNIST's form (`predict`) and for pictures of
    any kind (`read`). See `Predictor` for how to open one.
    """

    def read(self, picture: str | Path | Image.Image) -> list[Digit]:
        """Return the digits in a picture, a file or a Pillow image, in reading order: rows from
        the top, each from left to right. Empty if nothing looks like a digit.

        Raises MnistGraphError for a picture that cannot be read.
        """
        return self.read_digits(load_ink(picture))

    def read_digits(self, ink: Ink) -> list[Digit]:
        """Return the digits in a picture's ink, which `load_ink` has extracted."""
        return read_digits(ink, self.run.image_shape, self.predict)
