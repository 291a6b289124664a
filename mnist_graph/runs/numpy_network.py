"""A trained network that NumPy computes: it reads a few pictures in less time than TensorFlow takes
to import.
"""

from typing import TypeVar

import numpy as np

from mnist_graph.data.scaling import scale
from mnist_graph.data.shapes import frame_shape
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.numpy_layers import NumpyLayers
from mnist_graph.runs.batches import batch_slices
from mnist_graph.runs.image_network import ImageNetwork
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import folded_recipe
from mnist_graph.runs.strip_network import StripNetwork
from mnist_graph.runs.weights import read_weights

Own = TypeVar("Own", bound="NumpyNetwork")
IMAGES, WIDTH = 32, 2**11
"""Images per call, and the width in pixels of all strips of a call: what the filters of `cnn` and
of `reader` see then takes 20 MB."""


class NumpyNetwork:
    """The network of a finished run with the weights that `weights.read_weights` returns. It can be
    used as a context manager, as the other ones can.

    Raises MnistGraphError if there are none or they are damaged.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._layers = NumpyLayers(folded_recipe(run.recipe), read_weights(run))

    def _classify(self, frames: np.ndarray, size: int) -> np.ndarray:
        """Return the probabilities for float32 [n, height, width, channels], at most `size` at a
        time: [n, classes], or [n, columns, classes].
        """
        recipe = self._layers.recipe
        build, parts = NETWORKS[recipe.network].build, []
        for part in batch_slices(len(frames), size):
            try:
                logits = build(self._layers, frames[part], recipe) / recipe.temperature
            except (KeyError, ValueError) as error:
                said = f"the weights of {self.run.directory} are of another network; train again"
                raise MnistGraphError(said) from error
            exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
            parts.append(exponentials / exponentials.sum(axis=-1, keepdims=True))
        return np.concatenate(parts)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class NumpyPredictor(NumpyNetwork, ImageNetwork):
    """A network that classifies images, in NumPy."""

    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        return self._predict_images(scale(pixels.astype(np.float32)))

    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        return self._classify(images.reshape(-1, *frame_shape(self.run.image_shape)), IMAGES)


class NumpyStripPredictor(NumpyNetwork, StripNetwork):
    """A network that reads strips, in NumPy."""

    def _predict_padded(self, strips: np.ndarray) -> np.ndarray:
        size = max(1, WIDTH // strips.shape[2])
        return self._classify(scale(strips.astype(np.float32))[..., np.newaxis], size)
