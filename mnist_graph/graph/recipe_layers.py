"""The layers of a recipe as TensorFlow operations; see `network.Layers`."""

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.graph import layers
from mnist_graph.graph.fused import conv_relu_pool
from mnist_graph.graph.layers import ACTIVATIONS
from mnist_graph.graph.network import Size
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.share import Share


class RecipeLayers:
    """Hidden layers with the initial weights, precision, batch normalization and activation of
    `recipe`, and an output layer of `classes` logits.

    With `is_training`, batch normalization uses the batch's own mean and variance, else their
    moving averages. A `share` of the batch is trained as the whole batch would be.
    """

    def __init__(
        self,
        recipe: Recipe,
        classes: int,
        keep_prob: tf.Tensor,
        is_training: bool,
        share: Share | None = None,
    ) -> None:
        self.recipe, self.classes, self.share = recipe, classes, share
        self.keep_prob, self.is_training = keep_prob, is_training
        self.dtype = tf.bfloat16 if recipe.precision == "bfloat16" else tf.float32
        # With weight decay, a gradient is more than the product of a layer's factors.
        self.exchanging = None if recipe.weight_decay else share
        # Batch normalization has an offset, which makes a bias redundant.
        self.bias = None if recipe.batch_normalization else recipe.bias

    def conv2d(
        self,
        inputs: tf.Tensor,
        size: Size,
        channels: int,
        name: str,
        *,
        stride: Size = 1,
        padding: str = "SAME",
        pool: bool | tuple[int, int] = False,
    ) -> tf.Tensor:
        """See `layers.conv2d`; `fused.conv_relu_pool` replaces it where it is faster."""
        recipe = self.recipe
        if (
            pool is True
            and isinstance(size, int)
            and (stride, padding) == (1, "SAME")
            and (recipe.activation, recipe.batch_normalization) == ("relu", False)
            and self.dtype == tf.bfloat16
        ):
            return conv_relu_pool(
                inputs, size, channels, name, weights=recipe.weights, bias=recipe.bias
            )
        outputs = layers.conv2d(
            inputs,
            size,
            channels,
            name,
            stride=stride,
            padding=padding,
            pool=pool,
            weights=recipe.weights,
            bias=self.bias,
            dtype=self.dtype,
        )
        return self._activate(outputs, name)

    def dense(self, inputs: tf.Tensor, units: int, name: str) -> tf.Tensor:
        """See `layers.dense`."""
        outputs = layers.dense(
            inputs,
            units,
            name,
            weights=self.recipe.weights,
            bias=self.bias,
            dtype=self.dtype,
            share=self.exchanging,
        )
        return self._activate(outputs, name)

    def _activate(self, inputs: tf.Tensor, name: str) -> tf.Tensor:
        recipe = self.recipe
        if recipe.batch_normalization:
            if not recipe.reads_strips:
                # Frames of strips are large: in bfloat16 their normalization takes half the time.
                # The networks of images keep the bits that they had before there were strips.
                inputs = tf.cast(inputs, tf.float32)
            inputs = layers.batch_normalization(
                inputs, self.is_training, name, recipe.moving_decay, self.share
            )
            if recipe.activation == "tanh":
                # TensorFlow 2.21 fuses the two, but has no kernel for it on some processors.
                inputs = tf.ensure_shape(inputs, inputs.shape)
        with layers.scope(name):
            outputs = ACTIVATIONS[recipe.activation or "linear"](inputs)
        tf1.add_to_collection(tf1.GraphKeys.ACTIVATIONS, outputs)
        return outputs

    def crop(self, inputs: tf.Tensor, margin: int, name: str) -> tf.Tensor:
        """See `layers.crop`."""
        with layers.scope(name):
            return layers.crop(inputs, margin)

    def standardize(self, inputs: tf.Tensor, name: str) -> tf.Tensor:
        """See `layers.standardize`."""
        with layers.scope(name):
            return layers.standardize(inputs)

    def max_pool(self, inputs: tf.Tensor, size: int, stride: int, name: str) -> tf.Tensor:
        """See `layers.max_pool`."""
        with layers.scope(name):
            return layers.max_pool(inputs, size, size, stride)

    def local_response_normalization(self, inputs: tf.Tensor, name: str) -> tf.Tensor:
        """See `layers.local_response_normalization`."""
        with layers.scope(name):
            return layers.local_response_normalization(inputs)

    def dropout(self, inputs: tf.Tensor, keep_prob: tf.Tensor, name: str) -> tf.Tensor:
        """See `layers.dropout`."""
        return layers.dropout(inputs, keep_prob, name, self.share)

    def flatten(self, inputs: tf.Tensor) -> tf.Tensor:
        """See `layers.flatten`."""
        return layers.flatten(inputs)

    def columns(self, inputs: tf.Tensor) -> tf.Tensor:
        """See `network.Layers`."""
        return tf.squeeze(inputs, axis=1, name="columns")

    def logits(self, inputs: tf.Tensor, bias: float | None = None) -> tf.Tensor:
        """Add the output layer, in float32: [..., features] -> [..., classes]."""
        initial = self.recipe.bias if bias is None else bias
        return layers.dense(
            inputs,
            self.classes,
            "output",
            weights=self.recipe.weights,
            bias=initial,
            share=self.exchanging,
        )
