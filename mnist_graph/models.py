"""The tutorials' networks: functions from images to logits.

Each takes `images`, float32 [n, height, width, 1] in [0, 1]; the number of `classes`;
`keep_prob`, a float32 scalar; and the `recipe` with its other sizes. Each gives logits,
float32 [n, classes].
"""

import tensorflow as tf

from mnist_graph.layers import ACTIVATIONS, conv2d, dense, dropout, flatten, max_pool_2x2
from mnist_graph.recipes import Recipe


def softmax(images: tf.Tensor, classes: int, keep_prob: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Softmax regression: images x W + b, both from zeros ("MNIST for ML Beginners")."""
    return dense(flatten(images), classes, "softmax", recipe.weights, bias=0.0)


def mlp(images: tf.Tensor, classes: int, keep_prob: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Hidden layers one upon the other, 784-512-256-128-10 unless `recipe.hidden` says
    otherwise, and dropout behind the last ("How To Build a Neural Network to Recognize
    Handwritten Digits with TensorFlow", Ellie Birbeck, with its activations put in).
    """
    return _dense_layers(flatten(images), classes, keep_prob, recipe)


def cnn(images: tf.Tensor, classes: int, keep_prob: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Two 5x5 convolutions, 32 and 64 channels, each with a 2x2 max pool, then a dense
    layer of 1024 with dropout ("Deep MNIST for Experts").
    """
    activation = ACTIVATIONS[recipe.activation]
    layer = max_pool_2x2(activation(conv2d(images, 5, 32, "conv1", recipe.weights, recipe.bias)))
    layer = max_pool_2x2(activation(conv2d(layer, 5, 64, "conv2", recipe.weights, recipe.bias)))
    return _dense_layers(flatten(layer), classes, keep_prob, recipe)


def _dense_layers(
    layer: tf.Tensor, classes: int, keep_prob: tf.Tensor, recipe: Recipe
) -> tf.Tensor:
    """`recipe.hidden` and the logits on top of `layer`, [n, features] -> [n, classes]."""
    last = len(recipe.hidden)
    for number, units in enumerate(recipe.hidden, start=1):
        layer = dense(layer, units, f"dense{number}", recipe.weights, recipe.bias)
        layer = ACTIVATIONS[recipe.activation](layer)
        if number == last or recipe.dropout == "each":
            layer = dropout(layer, keep_prob, f"dropout{number}")
    return dense(layer, classes, "logits", recipe.weights, recipe.bias)
