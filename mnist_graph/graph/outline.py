"""A network layer by layer: shapes, parameters and multiply-adds. Needs no TensorFlow."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mnist_graph.data.arguments import whole_number
from mnist_graph.data.shapes import ImageShape, frame_shape
from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.errors import UsageError
from mnist_graph.graph.network import NETWORKS, Size, pair, pool_size
from mnist_graph.graph.recipe import Recipe

MNIST_SHAPE, MNIST_CLASSES = (28, 28), 10
"""The image size and the number of classes of MNIST itself."""

STRIP_WIDTH = 128
"""The width of the strip that is outlined, in pixels: about five digits. The network reads any."""

Shape = tuple[int, ...]


class Layer(NamedTuple):
    """One row of an outline."""

    name: str
    """The layer's scope in the graph."""
    output_shape: Shape
    """For one image."""
    parameters: int
    """The number of trained values."""
    multiply_adds: int
    """In the matrix products and convolutions, for one image."""


class Outline:
    """The layers of a network, in order, and a few words about them.

    It implements `network.Layers` on shapes of one image instead of tensors.
    """

    keep_prob = 1.0

    def __init__(self, recipe: Recipe, image_shape: ImageShape, classes: int) -> None:
        self.recipe, self.classes = recipe, classes
        if recipe.reads_strips:
            image_shape, self.classes = (HEIGHT, STRIP_WIDTH), classes + 1
        images = frame_shape(image_shape)
        self.layers = [Layer("images", images, 0, 0)]
        self.convolutions: list[str] = []
        self.units: list[str] = []
        self.last_size: Size = 0
        logits = NETWORKS[recipe.network].build(self, images, recipe)
        columns = [STRIP_WIDTH // COLUMN_WIDTH] if recipe.reads_strips else []
        require_logits(recipe, logits == (*columns, self.classes))

    @property
    def parameters(self) -> int:
        """The number of trained values in the whole network."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def summary(self) -> str:
        """The network in a few words, such as "conv 5x5 32 pooled, 64 pooled; dense 1024"."""
        parts = [
            f"{kind} {', '.join(words)}"
            for kind, words in (("conv", self.convolutions), ("dense", self.units))
            if words
        ]
        if not parts:
            return "images x W + b"
        if self.recipe.activation != "relu":
            parts.append(str(self.recipe.activation))
        if self.recipe.batch_normalization:
            parts.append("batch norm")
        return "; ".join(parts)

    def conv2d(
        self,
        inputs: Shape,
        size: Size,
        channels: int,
        name: str,
        *,
        stride: Size = 1,
        padding: str = "SAME",
        pool: bool | tuple[int, int] = False,
    ) -> Shape:
        """Raises UsageError for inputs smaller than the filter."""
        sizes, strides, pools = pair(size), pair(stride), pool_size(pool)
        for what, numbers in (("size", sizes), ("channels", (channels,)), ("stride", strides)):
            for number in numbers:
                whole_number(f"{what} of layer {name}", number, lowest=1)
        if len(inputs) != 3:
            raise UsageError(f"layer {name} must come before layers.flatten")
        *frame, depth = inputs
        if padding not in ("SAME", "VALID"):
            raise UsageError(f"padding of layer {name} must be SAME or VALID, not {padding!r}")
        if padding == "VALID":
            frame = [side - size + 1 for side, size in zip(frame, sizes, strict=True)]
            if min(frame) < 1:
                raise self._too_small()
        frame = _divide(frame, strides)
        weights = math.prod(sizes) * depth * channels
        multiply_adds = math.prod(frame) * weights
        frame = _divide(frame, pools)
        words = [_by(sizes)] * (size != self.last_size) + [f"{channels}"]
        words += [f"stride {stride}"] * (isinstance(stride, int) and stride > 1)
        words += ["pooled"] * (max(pools) > 1) + [_by(pools)] * (pools[0] != pools[1])
        self.convolutions.append(" ".join(words))
        self.last_size = size
        # A bias, or batch normalization's offset, for each channel.
        return self._add(name, (*frame, channels), weights + channels, multiply_adds)

    def dense(self, inputs: Shape, units: int, name: str) -> Shape:
        """[features] -> [units]."""
        self.units.append(str(units))
        return self._dense(inputs, units, name)

    def crop(self, inputs: Shape, margin: int, name: str) -> Shape:
        """[height, width, c] -> [height - 2 * margin, width - 2 * margin, c]. Raises UsageError for
        inputs of which nothing would be left.
        """
        *frame, depth = inputs
        if min(frame) <= 2 * margin:
            raise self._too_small()
        return self._add(name, (*(side - 2 * margin for side in frame), depth), 0, 0)

    def standardize(self, inputs: Shape, name: str) -> Shape:
        """The same shape."""
        return self._add(name, inputs, 0, 0)

    def max_pool(self, inputs: Shape, size: int, stride: int, name: str) -> Shape:
        """[height, width, c] -> [ceil(height / stride), ceil(width / stride), c]."""
        *frame, depth = inputs
        if self.convolutions:
            self.convolutions[-1] += f" pooled {_by(pair(size))}"
        return self._add(name, (*_divide(frame, pair(stride)), depth), 0, 0)

    def local_response_normalization(self, inputs: Shape, name: str) -> Shape:
        """The same shape."""
        return self._add(name, inputs, 0, 0)

    def dropout(self, inputs: Shape, keep_prob: float, name: str) -> Shape:
        """The same shape."""
        return self._add(name, inputs, 0, 0)

    def flatten(self, inputs: Shape) -> Shape:
        """[...] -> [features]."""
        return (math.prod(inputs),)

    def columns(self, inputs: Shape) -> Shape:
        """[1, width, c] -> [width, c]."""
        if len(inputs) != 3 or inputs[0] != 1:
            raise UsageError(f"layers.columns takes a height of 1, not {inputs}")
        return inputs[1:]

    def logits(self, inputs: Shape, bias: float | None = None) -> Shape:
        """[features] -> [classes], or [width, features] -> [width, classes]."""
        return self._dense(inputs, self.classes, "output")

    def _dense(self, inputs: Shape, units: int, name: str) -> Shape:
        whole_number(f"units of layer {name}", units, lowest=1)
        *columns, features = inputs
        if len(columns) > self.recipe.reads_strips:
            raise UsageError(f"the inputs of layer {name} must go through layers.flatten first")
        multiply_adds = math.prod(columns) * features * units
        return self._add(name, (*columns, units), (features + 1) * units, multiply_adds)

    def _too_small(self) -> UsageError:
        height, width, _ = self.layers[0].output_shape
        return UsageError(f"images of {height}x{width} are too small for {self.recipe.model}")

    def _add(self, name: str, output_shape: Shape, parameters: int, multiply_adds: int) -> Shape:
        if parameters and any(name == layer.name and layer.parameters for layer in self.layers):
            raise UsageError(f"network {self.recipe.network} has two layers named {name!r}")
        self.layers.append(Layer(name, output_shape, parameters, multiply_adds))
        return output_shape


def _divide(frame: Sequence[int], steps: tuple[int, int]) -> list[int]:
    return [math.ceil(side / step) for side, step in zip(frame, steps, strict=True)]


def _by(size: tuple[int, int]) -> str:
    """Return height and width as text, such as "5x5"."""
    return f"{size[0]}x{size[1]}"


def require_logits(recipe: Recipe, fits: bool) -> None:
    """Raise UsageError unless what the recipe's network returns `fits`."""
    if not fits:
        raise UsageError(f"network {recipe.network} must return what layers.logits returns")


def outline(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = MNIST_CLASSES
) -> Outline:
    """Return the outline of the recipe's network for images of `image_shape`, or for a strip if it
    reads strips.

    Raises UsageError for images that are too small for the network.
    """
    return Outline(recipe, image_shape, classes)
