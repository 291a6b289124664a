"""The tutorials' networks, each a function from images [n, height, width, channels] to
logits [n, classes].

`layers` provides the layers with the recipe's settings (see `network.py`); `recipe` has the sizes.
"""

from typing import Any

from mnist_graph.graph.network import Layers, Tensor, network
from mnist_graph.graph.recipe import Recipe

DENSE = (
    *("hidden", "activation", "bias", "keep_prob", "dropout", "batch_normalization"),
    "weight_decay",
)


@network()
def softmax(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Softmax regression, images x W + b, with biases that start at 0 ("MNIST for ML
    Beginners").
    """
    return layers.logits(layers.flatten(images), bias=0.0)


@network(*DENSE)
def mlp(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """A stack of `recipe.hidden` dense layers: 784-512-256-128-10 with dropout after the last
    hidden layer ("How To Build a Neural Network to Recognize Handwritten Digits with
    TensorFlow", Ellie Birbeck), or 784-200-100-60-30-10 (Martin Görner).
    """
    return _dense_layers(layers, layers.flatten(images), recipe)


@network(*DENSE)
def cnn(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Two 5x5 convolutions with 32 and 64 channels, each with a 2x2 max pool, then a dense
    layer of 1024 with dropout ("Deep MNIST for Experts").
    """
    hidden = layers.conv2d(images, 5, 32, "conv1", pool=True)
    hidden = layers.conv2d(hidden, 5, 64, "conv2", pool=True)
    return _dense_layers(layers, layers.flatten(hidden), recipe)


@network(*DENSE, "channels", "filter_sizes", convolutions=2)
def conv2(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Two convolutions without padding, then the dense layers. Stride 2 makes the first one
    four times cheaper; a 2x2 max pool follows the second.
    """
    (size1, size2), (channels1, channels2) = _convolutions(recipe)
    hidden = layers.conv2d(images, size1, channels1, "conv1", stride=2, padding="VALID")
    hidden = layers.conv2d(hidden, size2, channels2, "conv2", padding="VALID", pool=True)
    return _dense_layers(layers, layers.flatten(hidden), recipe)


@network(*DENSE, "channels", "filter_sizes", convolutions=3)
def conv3(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Three convolutions, the last two with stride 2 instead of pooling, then a dense layer of
    200 ("TensorFlow and deep learning, without a PhD", Martin Görner).
    """
    (size1, size2, size3), (channels1, channels2, channels3) = _convolutions(recipe)
    hidden = layers.conv2d(images, size1, channels1, "conv1")
    hidden = layers.conv2d(hidden, size2, channels2, "conv2", stride=2)
    hidden = layers.conv2d(hidden, size3, channels3, "conv3", stride=2)
    return _dense_layers(layers, layers.flatten(hidden), recipe)


@network("activation", "bias", "keep_prob", "batch_normalization")
def cnn5(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Five convolutions: one 5x5 with 32 channels, two 3x3 with 64, two 3x3 with 128. A 2x2 max
    pool follows the first, third and fifth; dropout follows the last two pools, with half the
    drop rate at the earlier one.
    """
    hidden = layers.conv2d(images, 5, 32, "conv1", pool=True)
    hidden = layers.conv2d(hidden, 3, 64, "conv2")
    hidden = layers.conv2d(hidden, 3, 64, "conv3", pool=True)
    hidden = layers.dropout(hidden, (1 + layers.keep_prob) / 2, "dropout3")
    hidden = layers.conv2d(hidden, 3, 128, "conv4")
    hidden = layers.conv2d(hidden, 3, 128, "conv5", pool=True)
    hidden = layers.dropout(hidden, layers.keep_prob, "dropout5")
    return layers.logits(layers.flatten(hidden))


@network("activation", "bias", "keep_prob", "batch_normalization")
def cnn5_cropped(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """`cnn5` without the outermost two pixels: of MNIST's 28x28, whose digits fill 20x20 around
    their centre of mass, 24x24 are left, a quarter less to compute.
    """
    return cnn5(layers, layers.crop(images, 2, "crop"), recipe)


@network(*DENSE)
def cifar10(layers: Layers[Tensor], images: Tensor, recipe: Recipe) -> Tensor:
    """Two 5x5 convolutions with 64 channels, each with an overlapping max pool and local response
    normalization, then `recipe.hidden` (TensorFlow's tutorial "Convolutional Neural Networks",
    tutorials/image/cifar10, after Krizhevsky's cuda-convnet).

    The tutorial trains on random 24x24 crops of 32x32 images and tests on the centre. Here the
    network always sees the centre, and augmentation moves the image below it by up to 4 pixels,
    which is the same. The initial weights differ: they are the recipe's, for all layers.
    """
    hidden = layers.standardize(layers.crop(images, 4, "crop"), "standardize")
    hidden = layers.conv2d(hidden, 5, 64, "conv1")
    hidden = layers.max_pool(hidden, 3, 2, "pool1")
    hidden = layers.local_response_normalization(hidden, "norm1")
    hidden = layers.conv2d(hidden, 5, 64, "conv2")
    hidden = layers.local_response_normalization(hidden, "norm2")
    hidden = layers.max_pool(hidden, 3, 2, "pool2")
    return _dense_layers(layers, layers.flatten(hidden), recipe)


def _dense_layers(layers: Layers[Tensor], hidden: Tensor, recipe: Recipe) -> Tensor:
    """Add `recipe.hidden` and the logits: [n, features] -> [n, classes]."""
    units_of_layers = recipe.hidden or ()
    last = len(units_of_layers)
    for number, units in enumerate(units_of_layers, start=1):
        hidden = layers.dense(hidden, units, f"dense{number}")
        if recipe.keep_prob is not None and (number == last or recipe.dropout == "each"):
            hidden = layers.dropout(hidden, layers.keep_prob, f"dropout{number}")
    return layers.logits(hidden)


def _convolutions(recipe: Recipe) -> tuple[Any, Any]:
    """The recipe's filter sizes and channels."""
    return recipe.filter_sizes, recipe.channels
