"""The whole computation as one graph: placeholders, network, loss, training, evaluation."""

from typing import NamedTuple

import tensorflow as tf

from mnist_graph import models
from mnist_graph.recipes import Recipe
from mnist_graph.schedules import learning_rate

tf1 = tf.compat.v1


class Graph(NamedTuple):
    """A `tf.Graph` and what is fed to it and fetched from it, each under its own name."""

    graph: tf.Graph
    pixels: tf.Tensor
    """uint8 [n, height, width]: images as they lie in the files; `images` are made of them."""
    images: tf.Tensor
    """float32 [n, height * width] in [0, 1]; may be fed instead of `pixels`."""
    labels: tf.Tensor
    """int32 [n]."""
    keep_prob: tf.Tensor
    """float32 []: 1 where it is not fed."""
    logits: tf.Tensor
    """float32 [n, classes]."""
    probabilities: tf.Tensor
    """float32 [n, classes]."""
    loss: tf.Tensor
    """float32 []."""
    accuracy: tf.Tensor
    """float32 []: the share of `images` whose largest logit is that of their label."""
    correct: tf.Tensor
    """int32 []: their number."""
    global_step: tf.Variable
    """int64 []: the iterations that are done."""
    learning_rate: tf.Tensor
    """float32 []."""
    train_step: tf.Operation
    initialize: tf.Operation
    saver: tf1.train.Saver


def build_graph(
    recipe: Recipe, image_shape: tuple[int, int] = (28, 28), classes: int = 10
) -> Graph:
    """The graph of `recipe` for images of `image_shape`, height by width, of that many classes.

    The tensors are called in the graph as they are called here ("images:0", "logits:0", ...).
    """
    height, width = image_shape
    with tf.Graph().as_default() as graph:
        tf1.set_random_seed(recipe.seed)
        global_step = tf1.train.get_or_create_global_step()
        pixels = tf1.placeholder(tf.uint8, [None, height, width], name="pixels")
        scaled = tf.reshape(tf.cast(pixels, tf.float32) / 255, [-1, height * width])
        images = tf1.placeholder_with_default(scaled, [None, height * width], name="images")
        labels = tf1.placeholder(tf.int32, [None], name="labels")
        keep_prob = tf1.placeholder_with_default(tf.ones([]), [], name="keep_prob")

        logits = inference(images, image_shape, classes, keep_prob, recipe)
        cross_entropy = loss(logits, labels, recipe.loss)
        rate = learning_rate(recipe, global_step)
        accuracy, correct = evaluation(logits, labels)
        return Graph(
            graph=graph,
            pixels=pixels,
            images=images,
            labels=labels,
            keep_prob=keep_prob,
            logits=logits,
            probabilities=tf.nn.softmax(logits, name="probabilities"),
            loss=cross_entropy,
            accuracy=accuracy,
            correct=correct,
            global_step=global_step,
            learning_rate=rate,
            train_step=training(cross_entropy, rate, global_step, recipe),
            initialize=tf1.global_variables_initializer(),
            saver=tf1.train.Saver(max_to_keep=None),
        )


def inference(
    images: tf.Tensor,
    image_shape: tuple[int, int],
    classes: int,
    keep_prob: tf.Tensor,
    recipe: Recipe,
) -> tf.Tensor:
    """The recipe's network: float32 [n, height * width] -> logits, float32 [n, classes]."""
    network = getattr(models, recipe.network)
    framed = tf.reshape(images, [-1, *image_shape, 1])
    return tf.identity(network(framed, classes, keep_prob, recipe), name="logits")


def loss(logits: tf.Tensor, labels: tf.Tensor, reduction: str) -> tf.Tensor:
    """The cross-entropy of logits [n, classes] and labels [n]; its mean or sum over the batch.

    Computed from the logits by TensorFlow's fused op: the logarithm of a softmax that has
    underflowed to 0 would be infinite, and the loss of the old listings NaN.
    """
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    reduce = tf.reduce_mean if reduction == "mean" else tf.reduce_sum
    return reduce(cross_entropy, name="loss")


def training(
    cross_entropy: tf.Tensor, rate: tf.Tensor, global_step: tf.Variable, recipe: Recipe
) -> tf.Operation:
    """One step of the recipe's optimiser down the gradient; counts itself in `global_step`."""
    if recipe.optimizer == "adam":
        optimizer = tf1.train.AdamOptimizer(rate, recipe.beta1, recipe.beta2)
    else:
        optimizer = tf1.train.GradientDescentOptimizer(rate)
    return optimizer.minimize(cross_entropy, global_step=global_step, name="train_step")


def evaluation(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The share (float32 []) and number (int32 []) of logits [n, classes] that are right."""
    hits = tf.equal(tf.argmax(logits, 1, output_type=tf.int32), labels)
    correct = tf.reduce_sum(tf.cast(hits, tf.int32), name="correct")
    return tf.reduce_mean(tf.cast(hits, tf.float32), name="accuracy"), correct
