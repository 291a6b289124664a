"""The layers of a trained network in NumPy; see `network.Layers`.

It reads a few digits in less time than TensorFlow takes to import. Batch normalization must be
folded into the weights (`shipped.fold_normalization`), and dropout keeps every unit.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_graph.graph.network import LRN, Size, pair, pool_size
from mnist_graph.graph.recipe import Recipe

Array = np.ndarray

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda inputs: np.maximum(inputs, 0),
    "sigmoid": lambda inputs: (1 + np.tanh(inputs / 2)) / 2,  # exp(-inputs) could overflow
    "tanh": np.tanh,
    "linear": lambda inputs: inputs,
}


class NumpyLayers:
    """Layers with these `weights`, float32 by the names of the variables. All that goes in and
    comes out is float32.
    """

    keep_prob = 1.0

    def __init__(self, recipe: Recipe, weights: dict[str, Array]) -> None:
        self.recipe, self.weights = recipe, weights

    def conv2d(
        self,
        inputs: Array,
        size: Size,
        channels: int,
        name: str,
        *,
        stride: Size = 1,
        padding: str = "SAME",
        pool: bool | tuple[int, int] = False,
    ) -> Array:
        """See `layers.conv2d`."""
        fields = _fields(inputs, pair(size), pair(stride), padding)
        n, height, width = fields.shape[:3]
        weights = self.weights[f"{name}/weights"].reshape(-1, channels)
        outputs = fields.reshape(n * height * width, len(weights)) @ weights
        outputs = outputs.reshape(n, height, width, channels)
        if pool:
            outputs = _max_pool(outputs, pool_size(pool), pool_size(pool))
        return self._activate(outputs + self.weights[f"{name}/biases"])

    def dense(self, inputs: Array, units: int, name: str) -> Array:
        """See `layers.dense`."""
        return self._activate(self._linear(inputs, name))

    def _linear(self, inputs: Array, name: str) -> Array:
        return inputs @ self.weights[f"{name}/weights"] + self.weights[f"{name}/biases"]

    def _activate(self, inputs: Array) -> Array:
        return ACTIVATIONS[self.recipe.activation or "linear"](inputs)

    def crop(self, inputs: Array, margin: int, name: str) -> Array:
        """See `layers.crop`."""
        return inputs[:, margin:-margin, margin:-margin]

    def standardize(self, inputs: Array, name: str) -> Array:
        """See `layers.standardize`."""
        axes = (1, 2, 3)
        deviation = inputs.std(axis=axes, keepdims=True)
        least = np.float32(1 / math.sqrt(math.prod(inputs.shape[1:])))
        return (inputs - inputs.mean(axis=axes, keepdims=True)) / np.maximum(deviation, least)

    def max_pool(self, inputs: Array, size: int, stride: int, name: str) -> Array:
        """See `layers.max_pool`."""
        return _max_pool(inputs, pair(size), pair(stride))

    def local_response_normalization(self, inputs: Array, name: str) -> Array:
        """See `layers.local_response_normalization`."""
        radius, bias, alpha, beta = LRN.values()
        squares = np.pad(np.square(inputs), [(0, 0)] * 3 + [(int(radius), int(radius))])
        width = 2 * int(radius) + 1
        sums = np.lib.stride_tricks.sliding_window_view(squares, width, axis=-1).sum(axis=-1)
        return inputs / (bias + alpha * sums) ** beta

    def dropout(self, inputs: Array, keep_prob: Any, name: str) -> Array:
        """Keep all units."""
        return inputs

    def flatten(self, inputs: Array) -> Array:
        """See `layers.flatten`."""
        return inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))

    def columns(self, inputs: Array) -> Array:
        """See `network.Layers`."""
        return inputs[:, 0]

    def logits(self, inputs: Array, bias: float | None = None) -> Array:
        """See `recipe_layers.RecipeLayers.logits`."""
        return self._linear(inputs, "output")


def _max_pool(inputs: Array, size: tuple[int, int], stride: tuple[int, int]) -> Array:
    return _fields(inputs, size, stride, "SAME", fill=-np.inf).max(axis=(3, 4))


def _fields(
    inputs: Array,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    fill: float = 0.0,
) -> Array:
    """Return what a filter of `size` sees at each of its places: [n, h, w, c] ->
    [n, h', w', *size, c]. With padding "SAME", which TensorFlow divides so that the larger half is
    at the end, h' is ceil(h / stride).
    """
    if padding == "SAME":
        sides = [
            max(0, (-(-side // step) - 1) * step + length - side)
            for side, length, step in zip(inputs.shape[1:3], size, stride, strict=True)
        ]
        margins = [(0, 0), *((side // 2, side - side // 2) for side in sides), (0, 0)]
        inputs = np.pad(inputs, margins, constant_values=fill)
    fields = np.lib.stride_tricks.sliding_window_view(inputs, size, axis=(1, 2))
    return fields[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)
