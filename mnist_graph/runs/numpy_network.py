"""A trained network that NumPy computes: for some pictures it is done before TensorFlow would be
imported.
"""

from pathlib import Path
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
from mnist_graph.runs.weights import read_weights

Own = TypeVar("Own", bound="NumpyPredictor")
IMAGES = 32
"""Images per call: for `cnn`, what its filters see then takes 20 MB."""


class NumpyPredictor(ImageNetwork):
    """The network of a finished run that classifies images, with the weights in the file that
    `weights.find_weights` finds. It can be used as a context manager, as the other ones can.

    Raises MnistGraphError if they are damaged.
    """

    def __init__(self, run: Run, weights: Path) -> None:
        self.run = run
        self._layers = NumpyLayers(folded_recipe(run.recipe), read_weights(weights))
        try:
            self.predict(np.zeros((1, *run.image_shape), np.uint8))
        except (KeyError, ValueError) as error:
            raise MnistGraphError(f"{weights} is of another network; train again") from error

    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        return self._predict_images(np.float32(scale(pixels.astype(np.float32))))

    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        frames = images.reshape(-1, *frame_shape(self.run.image_shape))
        parts = [self._of_some(frames[part]) for part in batch_slices(len(frames), IMAGES)]
        return np.concatenate(parts)

    def _of_some(self, frames: np.ndarray) -> np.ndarray:
        recipe = self._layers.recipe
        logits = NETWORKS[recipe.network].build(self._layers, frames, recipe) / recipe.temperature
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        pass
