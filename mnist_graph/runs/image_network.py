"""A trained network that classifies images, whatever computes it: images in, probabilities out."""

import math
from abc import ABC, abstractmethod

import numpy as np

from mnist_graph.data.shapes import frame_shape
from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.run import Run


class ImageNetwork(ABC):
    """The trained network of a finished run that classifies images."""

    run: Run
    reads_strips = False

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each class: float32 [n, classes].

        `images` are like those that the network was trained on, for MNIST bright ink on a
        background of 0: floats in [0, 1] or integers in 0..255, [n, height * width * channels],
        [n, height, width] or [n, height, width, channels]. Raises MnistGraphError for images
        of another size, values that are out of range, a closed network, and in a process that was
        forked from the one that opened it.
        """
        try:
            images = np.asarray(images)
        except Exception as error:  # NumPy's, or that of an object that says it is an array
            raise MnistGraphError("images must be one array; all of them of one size") from error
        shape = self.run.image_shape
        size = math.prod(shape)
        if images.shape[1:] not in ((size,), shape, frame_shape(shape)):
            sides = ", ".join(map(str, shape))
            raise MnistGraphError(
                f"images must be [n, {size}] or [n, {sides}], not {list(images.shape)}"
            )
        if np.issubdtype(images.dtype, np.integer):
            _require_range(images, 255)
            pixels = images.astype(np.uint8)
            return self._predict_pixels(pixels.reshape(len(images), *shape))
        if np.issubdtype(images.dtype, np.floating):
            _require_range(images, 1)
            scaled = images.astype(np.float32)
            return self._predict_images(scaled.reshape(len(images), size))
        raise MnistGraphError(f"images must be floats or integers, not {images.dtype.name}")

    @abstractmethod
    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return the probabilities for uint8 [n, *image_shape]."""

    @abstractmethod
    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities for float32 [n, height * width * channels] in [0, 1]."""


def _require_range(images: np.ndarray, highest: int) -> None:
    # The comparison is false for NaN.
    if images.size and not (images.min() >= 0 and images.max() <= highest):
        raise MnistGraphError(
            f"{images.dtype} images must be from 0 to {highest}, "
            f"not {images.min():g} to {images.max():g}"
        )
