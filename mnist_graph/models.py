"""The tutorials' networks: functions from what is fed to logits.

Each takes its `Inputs`, the `recipe` with its sizes, and the number of `classes`, and gives
logits, float32 [n, classes].
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from mnist_graph import layers
from mnist_graph.errors import UsageError
from mnist_graph.fused import conv_relu_pool
from mnist_graph.layers import ACTIVATIONS, batch_normalization, dropout, flatten
from mnist_graph.recipe import Recipe


class Inputs(NamedTuple):
    """What a network is fed."""

    images: tf.Tensor
    """float32 [n, height, width, 1] in [0, 1]."""
    keep_prob: tf.Tensor
    """float32 []: the share of units that dropout keeps."""
    is_training: bool
    """Whether batch normalisation goes by the batch or by what it has learned."""


def softmax(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """Softmax regression: images x W + b, both from zeros ("MNIST for ML Beginners")."""
    return layers.dense(flatten(inputs.images), classes, "output", weights=recipe.weights, bias=0.0)


def mlp(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """`recipe.hidden` layers one upon the other: 784-512-256-128-10 with dropout behind the
    last ("How To Build a Neural Network to Recognize Handwritten Digits with TensorFlow",
    Ellie Birbeck), or 784-200-100-60-30-10 (Martin Görner).
    """
    return _dense_layers(flatten(inputs.images), inputs, recipe, classes)


def cnn(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """Two 5x5 convolutions, 32 and 64 channels, each with a 2x2 max pool, then a dense
    layer of 1024 with dropout ("Deep MNIST for Experts").
    """
    layer = _conv_and_pool(inputs.images, 5, 32, "conv1", inputs, recipe)
    layer = _conv_and_pool(layer, 5, 64, "conv2", inputs, recipe)
    return _dense_layers(flatten(layer), inputs, recipe, classes)


def conv2(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """Two convolutions that stay inside the frame, then the dense layers. A stride of 2 makes
    the first a quarter of the work; a 2x2 max pool is behind the second.

    Raises UsageError for images that are smaller than the filters.
    """
    conv2d, _, finish = _layers(inputs, recipe)
    (size1, size2), (channels1, channels2) = recipe.filter_sizes, recipe.channels
    _, height, width, _ = inputs.images.shape.as_list()
    if min(height, width) < size1 + 2 * (size2 - 1):
        raise UsageError(f"images of {height}x{width} are too small for {recipe.model}")
    layer = conv2d(inputs.images, size1, channels1, "conv1", stride=2, padding="VALID")
    layer = finish(layer, "conv1")
    layer = conv2d(layer, size2, channels2, "conv2", padding="VALID", pool=True)
    layer = finish(layer, "conv2")
    return _dense_layers(flatten(layer), inputs, recipe, classes)


def conv3(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """Three convolutions, the last two of stride 2 in place of pooling, then a dense layer
    of 200 ("TensorFlow and deep learning, without a PhD", Martin Görner).
    """
    conv2d, _, finish = _layers(inputs, recipe)
    layer = inputs.images
    sizes = zip(recipe.filter_sizes, recipe.channels, (1, 2, 2), strict=True)
    for number, (size, channels, stride) in enumerate(sizes, start=1):
        name = f"conv{number}"
        layer = finish(conv2d(layer, size, channels, name, stride=stride), name)
    return _dense_layers(flatten(layer), inputs, recipe, classes)


def cnn5(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """Five convolutions: 5x5 with 32 channels; two of 3x3 with 64; two of 3x3 with 128. A
    2x2 max pool behind the first, third and fifth; dropout behind the last two pools, half
    as much behind the earlier.
    """
    conv2d, _, finish = _layers(inputs, recipe)
    layer = finish(conv2d(inputs.images, 5, 32, "conv1", pool=True), "conv1")
    layer = finish(conv2d(layer, 3, 64, "conv2"), "conv2")
    layer = finish(conv2d(layer, 3, 64, "conv3", pool=True), "conv3")
    layer = dropout(layer, (1 + inputs.keep_prob) / 2, "dropout3")
    layer = finish(conv2d(layer, 3, 128, "conv4"), "conv4")
    layer = finish(conv2d(layer, 3, 128, "conv5", pool=True), "conv5")
    layer = flatten(dropout(layer, inputs.keep_prob, "dropout5"))
    return layers.dense(layer, classes, "output", weights=recipe.weights, bias=recipe.bias)


def _conv_and_pool(
    layer: tf.Tensor, size: int, channels: int, name: str, inputs: Inputs, recipe: Recipe
) -> tf.Tensor:
    """A convolution, the activation and a 2x2 max pool."""
    plain = recipe.activation == "relu" and not recipe.batch_normalization
    if plain and recipe.precision == "bfloat16":
        return conv_relu_pool(layer, size, channels, name, weights=recipe.weights, bias=recipe.bias)
    conv2d, _, finish = _layers(inputs, recipe)
    return finish(conv2d(layer, size, channels, name, pool=True), name)


def _dense_layers(layer: tf.Tensor, inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """`recipe.hidden` and the logits on top of `layer`, [n, features] -> [n, classes]."""
    _, dense, finish = _layers(inputs, recipe)
    last = len(recipe.hidden)
    for number, units in enumerate(recipe.hidden, start=1):
        name = f"dense{number}"
        layer = finish(dense(layer, units, name), name)
        if recipe.keep_prob is not None and (number == last or recipe.dropout == "each"):
            layer = dropout(layer, inputs.keep_prob, f"dropout{number}")
    return layers.dense(layer, classes, "output", weights=recipe.weights, bias=recipe.bias)


def _layers(inputs: Inputs, recipe: Recipe) -> tuple[Callable, Callable, Callable]:
    """conv2d and dense as `recipe` starts and multiplies them, and what finishes a layer:
    batch normalisation, where the recipe has it, and the activation.
    """
    settings = {
        "weights": recipe.weights,
        "bias": None if recipe.batch_normalization else recipe.bias,
        "dtype": tf.bfloat16 if recipe.precision == "bfloat16" else tf.float32,
    }

    def finish(layer: tf.Tensor, name: str) -> tf.Tensor:
        if recipe.batch_normalization:
            layer = batch_normalization(layer, inputs.is_training, name, recipe.moving_decay)
        with layers.scope(name):
            return ACTIVATIONS[recipe.activation](layer)

    return partial(layers.conv2d, **settings), partial(layers.dense, **settings), finish
