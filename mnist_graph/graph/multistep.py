"""Several training steps per session call: faster for small networks, and the same bits.

A call from Python into TensorFlow takes longer than a step of a small network. So the training
loop feeds the batches of several iterations at once, and a `tf.while_loop` takes one step after the
other inside the graph, scaling each batch when its turn comes. In float32 a step of softmax takes
0.12 ms instead of the 0.40 ms of the tutorials' loop, mlp 2.25 instead of 3.36, cnn 23.2 instead of
24.2 (docs/speed.md); `python -m benchmarks.multistep` compares the two ways on this graph alone.

The plain `Graph.train_step` trains the same network to the same weights; only with strided
convolutions (conv2, conv3) and overlapping pools (cifar10) does TensorFlow round differently on
processors with AVX-512.
Nothing else depends on this file.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.scaling import scale
from mnist_graph.graph.build import (
    Graph,
    cross_entropy,
    loss,
    training,
    training_logits,
    training_objective,
)
from mnist_graph.graph.layers import scope
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.share import Share

Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Takes a step on images [n, height, width, channels] and labels [n]; returns the loss before."""


class MultiStep(NamedTuple):
    """What to feed and fetch to take several steps."""

    pixels: tf.Tensor
    """uint8 [steps * batch_size, *image_shape]; of a share, its rows of each batch."""
    labels: tf.Tensor
    """int32 [steps * batch_size]; of a share, its rows of each batch."""
    keep_prob: tf.Tensor
    """float32 []."""
    steps: tf.Tensor
    """int32 []: the number of batches that are fed; with `takes_one` only one can be fed."""
    losses: tf.Tensor
    """float32 [steps]: each batch's loss, with dropout, before its step. Fetching it takes the
    steps.
    """
    takes_one: bool
    """Whether only one step can be taken per call."""


def add_multistep(graph: Graph, recipe: Recipe, share: Share | None = None) -> MultiStep:
    """Add the operations to `graph` that take several steps on batches of recipe.batch_size, or on
    a `share` of them.
    """
    with graph.graph.as_default():
        steps = tf1.placeholder_with_default(1, [], name="steps")
        with scope("train"):
            step, pixels = _single_step(graph, recipe, share), graph.pixels
            if pixels.shape.rank == 3:  # grey
                pixels = pixels[..., tf.newaxis]
            # Strips take one step at a time: it is long, and each width is another. So do shares
            # with pooling: TensorFlow does not sum over processes in functions that stand alone.
            takes_one = recipe.reads_strips or (share is not None and _has_pool())
            if share is None or not takes_one:
                step = _as_function(step)
            if takes_one:
                labels = graph.labels if recipe.reads_strips else tf.reshape(graph.labels, [-1])
                losses = step(scale(tf.cast(pixels, tf.float32)), labels)[tf.newaxis]
            else:
                size = recipe.batch_size if share is None else share.size
                losses = _take_steps(step, pixels, graph.labels, steps, size)
        losses = tf.identity(losses, name="losses")
    return MultiStep(graph.pixels, graph.labels, graph.keep_prob, steps, losses, takes_one)


def _single_step(graph: Graph, recipe: Recipe, share: Share | None) -> Step:
    """Return a function that builds the operations of one step."""
    classes = graph.logits.shape[-1]

    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        # The updates that the plain train_step made are not part of this one.
        tf1.get_default_graph().clear_collection(tf1.GraphKeys.UPDATE_OPS)
        logits = training_logits(images, recipe, classes, graph.keep_prob, share)
        before = loss(cross_entropy(logits, labels), recipe.loss, share=share)
        objective = training_objective(logits, labels, recipe, share)

        def add_up(gradients: list[tf.Tensor], names: list[str]) -> list[tf.Tensor]:
            nonlocal before
            assert share is not None
            *gradients, before = share.add_up(gradients, names, before)
            return gradients

        # With the default gating, all gradients of a layer wait for one another, even for that
        # of the images, which nothing needs. Without it, a weight may be updated while it is
        # still read; TensorFlow then updates a copy, so that the results are the same.
        train_step = training(
            objective,
            graph.global_step,
            recipe,
            graph.optimizer,
            graph.averages,
            gate_gradients=tf1.train.Optimizer.GATE_NONE,
            add_up=None if share is None else add_up,
        )
        with tf.control_dependencies([train_step]):
            return tf.identity(before)

    return step


def _as_function(step: Step) -> Step:
    """Make `step` a function of the graph.

    TensorFlow reliably chooses the fast kernel for the gradient of a max pool only outside of
    loops, so a step with pooling is not inlined into the loop; otherwise some processes take a
    third longer.
    """
    return tf.function(step, autograph=False, experimental_attributes={"_noinline": _has_pool()})


def _has_pool() -> bool:
    operations = tf1.get_default_graph().get_operations()
    return any(operation.type == "MaxPool" for operation in operations)


def _take_steps(
    step: Step, pixels: tf.Tensor, labels: tf.Tensor, steps: tf.Tensor, batch_size: int
) -> tf.Tensor:
    """Apply `step` to each batch of pixels [steps * batch_size, ...] in turn: float32 [steps]."""
    pixels = tf.reshape(pixels, [steps, batch_size, *pixels.shape[1:]])
    labels = tf.reshape(labels, [steps, batch_size])

    def body(number: tf.Tensor, losses: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        batch = scale(tf.cast(pixels[number], tf.float32))
        before = step(batch, labels[number])
        with tf.control_dependencies([before]):
            return number + 1, losses.write(number, before)

    _, losses = tf.while_loop(
        lambda number, _: number < steps,
        body,
        [0, tf.TensorArray(tf.float32, steps)],
        parallel_iterations=1,
    )
    return losses.stack()
