"""A trained network that classifies images, whatever computes it: images in, probabilities out."""

from abc import ABC, abstractmethod

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.run import Run


class ImageNetwork(ABC):
    """The trained network of a finished run that classifies images."""

    run: Run
    reads_strips = False

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each class: float32 [n, classes].

        `images` are bright ink on a background of 0, as in MNIST: floats in [0, 1] or integers
        in 0..255, [n, height * width] or [n, height, width]. Raises MnistGraphError for images
        of another size, values that are out of range, a closed network, and in a process that was
        forked from the one that opened it.
        """
        try:
            images = np.asarray(images)
        except Exception as error:  # NumPy's, or that of an object that says it is an array
            raise MnistGraphError("images must be one array; all of them of one size") from error
        height, width = self.run.image_shape
        if images.shape[1:] not in ((height * width,), (height, width), (height, width, 1)):
            raise MnistGraphError(
                f"images must be [n, {height * width}] or [n, {height}, {width}], "
                f"not {list(images.shape)}"
            )
        if np.issubdtype(images.dtype, np.integer):
            _require_range(images, 255)
            pixels = images.astype(np.uint8)
            return self._predict_pixels(pixels.reshape(len(images), height, width))
        if np.issubdtype(images.dtype, np.floating):
            _require_range(images, 1)
            scaled = images.astype(np.float32)
            return self._predict_images(scaled.reshape(len(images), height * width))
        raise MnistGraphError(f"images must be floats or integers, not {images.dtype.name}")

    @abstractmethod
    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Return the probabilities for uint8 [n, height, width]."""

    @abstractmethod
    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities for float32 [n, height * width] in [0, 1]."""


def _require_range(images: np.ndarray, highest: int) -> None:
    # The comparison is false for NaN.
    if images.size and not (images.min() >= 0 and images.max() <= highest):
        raise MnistGraphError(
            f"{images.dtype} images must be from 0 to {highest}, "
            f"not {images.min():g} to {images.max():g}"
        )
