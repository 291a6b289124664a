"""The placeholders for images of one digit, and for strips."""

import math

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.scaling import scale
from mnist_graph.data.shapes import ImageShape, frame_shape
from mnist_graph.data.strips.size import HEIGHT
from mnist_graph.graph.layers import scope


def image_placeholders(image_shape: ImageShape) -> tuple[tf.Tensor, tf.Tensor]:
    """Return pixels, uint8 [n, *image_shape], and images, float32 [n, height * width * channels]
    in [0, 1], which follow from the pixels unless they are fed.
    """
    size = math.prod(image_shape)
    pixels = tf1.placeholder(tf.uint8, [None, *image_shape], name="pixels")
    with scope("scale"):
        scaled = tf.reshape(scale(tf.cast(pixels, tf.float32)), [-1, size])
    return pixels, tf1.placeholder_with_default(scaled, [None, size], name="images")


def strip_placeholders() -> tuple[tf.Tensor, tf.Tensor]:
    """Return the same for strips of any width: uint8 and float32 [n, 32, width]."""
    shape = [None, HEIGHT, None]
    pixels = tf1.placeholder(tf.uint8, shape, name="pixels")
    with scope("scale"):
        scaled = scale(tf.cast(pixels, tf.float32))
    return pixels, tf1.placeholder_with_default(scaled, shape, name="images")


def as_frames(images: tf.Tensor, pixels: tf.Tensor, name: str | None = None) -> tf.Tensor:
    """Return `images` as a network takes them: float32 [n, height, width, channels]."""
    if images.shape.rank == 3:
        return tf.expand_dims(images, -1, name=name)
    return tf.reshape(images, [-1, *frame_shape(tuple(pixels.shape[1:]))], name=name)
