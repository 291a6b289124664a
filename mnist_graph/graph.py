"""The whole computation as one graph: placeholders, network, loss, training, evaluation."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

from mnist_graph import models
from mnist_graph.errors import UsageError
from mnist_graph.layers import scope
from mnist_graph.models import Inputs
from mnist_graph.recipe import Recipe
from mnist_graph.schedules import learning_rate

tf1 = tf.compat.v1

MAX_PARAMETERS = 50_000_000
"""Adam keeps three numbers for each, and a step makes a fourth: 800 MB."""


@dataclass(frozen=True)
class Network:
    """A `tf.Graph` that reads and judges images: what is fed to it and fetched from it, each
    under its own name.
    """

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
    """float32 [n, classes]: the softmax of the logits divided by the recipe's temperature."""
    loss: tf.Tensor
    """float32 []."""
    accuracy: tf.Tensor
    """float32 []: the share of `images` whose largest logit is that of their label."""
    correct: tf.Tensor
    """int32 []: their number."""
    global_step: tf.Variable
    """int64 []: the iterations that are done."""
    saver: tf1.train.Saver


@dataclass(frozen=True)
class Graph(Network):
    """A `Network` that is trained."""

    steps: tf.Tensor
    """int32 []: 1 where it is not fed. `train_step` divides what it is fed into so many batches
    of one size and takes a step on each, in turn.
    """
    learning_rate: tf.Tensor
    """float32 []."""
    losses: tf.Tensor
    """float32 [steps]: the loss of each step's batch as it was trained on, with dropout, before
    the step; fetching them takes the steps, in place of `train_step`, from `pixels` only, and
    faster: scaled a batch at a time, where `images` are made of all of them first. Run one or
    the other: both would take the steps twice.
    """
    train_step: tf.Operation
    use_averages: tf.Operation
    """Gives the weights their moving averages, where the recipe keeps these; run it before
    the network is judged for good, on variables that are not trained on.
    """
    initialize: tf.Operation


def build_graph(
    recipe: Recipe,
    image_shape: tuple[int, int] = (28, 28),
    classes: int = 10,
    batch_size: int | None = None,
) -> Graph:
    """The graph of `recipe` for images of `image_shape`, height by width, of that many classes.

    `recipe.precision` says in what its hidden layers multiply: float32 or bfloat16. What
    auto means is for `sessions.choose_device` to say; here it is float32. Where `batch_size`
    is given, `train_step` takes batches of that size only, and a little faster.

    The tensors are called in the graph as they are called here ("images:0", "logits:0", ...);
    each layer is a scope ("conv1/weights"), and so are "loss" and "train".
    Raises UsageError for a network of more than 50 million parameters.
    """
    with tf.Graph().as_default():
        network = _network(recipe, image_shape, classes)
        averages = _moving_averages(recipe, network["global_step"])
        steps = tf1.placeholder_with_default(1, [], name="steps")
        with tf.name_scope("train"):
            step = _step(recipe, classes, network["keep_prob"], network["global_step"], averages)
            train = partial(in_turn, _apart(step), steps=steps, batch_size=batch_size)
            losses = train(network["pixels"][..., tf.newaxis], network["labels"])
            framed = tf.reshape(network["images"], [-1, *image_shape, 1])
            train_step = train(framed, network["labels"])
            weights = tf1.trainable_variables() if recipe.average_weights else []
            assignments = [weight.assign(averages.average(weight)) for weight in weights]
        return Graph(
            **network,
            steps=steps,
            learning_rate=learning_rate(recipe, network["global_step"]),
            losses=tf.identity(losses, name="losses"),
            train_step=tf.group(train_step, name="train_step"),
            use_averages=tf.group(*assignments, name="use_averages"),
            initialize=tf1.global_variables_initializer(),
            saver=tf1.train.Saver(max_to_keep=None),
        )


def build_network(
    recipe: Recipe, image_shape: tuple[int, int] = (28, 28), classes: int = 10
) -> Network:
    """The same without what trains it. Its `saver` restores a training's checkpoints, to the
    moving averages of the weights where the recipe keeps these.
    """
    with tf.Graph().as_default():
        network = _network(recipe, image_shape, classes)
        averages = _moving_averages(recipe, network["global_step"])
        weights = tf1.trainable_variables() if recipe.average_weights else []
        kept = averages.variables_to_restore(weights) if weights else None
        return Network(**network, saver=tf1.train.Saver(kept))


def _network(recipe: Recipe, image_shape: tuple[int, int], classes: int) -> dict[str, Any]:
    """What a `Network` has, but for its saver, in the default graph."""
    tf1.set_random_seed(recipe.seed)
    with tf1.variable_scope("", use_resource=True):  # after disable_v2_behavior it is not
        global_step = tf1.train.get_or_create_global_step()
    size = math.prod(image_shape)
    pixels = tf1.placeholder(tf.uint8, [None, *image_shape], name="pixels")
    with scope("scale"):
        scaled = tf.reshape(_scale(pixels), [-1, size])
    images = tf1.placeholder_with_default(scaled, [None, size], name="images")
    labels = tf1.placeholder(tf.int32, [None], name="labels")
    keep_prob = tf1.placeholder_with_default(tf.ones([]), [], name="keep_prob")

    framed = tf.reshape(images, [-1, *image_shape, 1], name="frame")
    logits = inference(Inputs(framed, keep_prob, False), recipe, classes)
    _check_size()
    accuracy, correct = evaluation(logits, labels)
    with scope("probabilities"):
        calibrated = logits / recipe.temperature
    return {
        "graph": tf1.get_default_graph(),
        "pixels": pixels,
        "images": images,
        "labels": labels,
        "keep_prob": keep_prob,
        "logits": logits,
        "probabilities": tf.nn.softmax(calibrated, name="probabilities"),
        "loss": loss(logits, labels, recipe.loss),
        "accuracy": accuracy,
        "correct": correct,
        "global_step": global_step,
    }


def _scale(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(pixels, tf.float32) / 255


def _moving_averages(
    recipe: Recipe, global_step: tf.Variable
) -> tf1.train.ExponentialMovingAverage:
    return tf1.train.ExponentialMovingAverage(recipe.moving_decay, num_updates=global_step)


def _step(
    recipe: Recipe,
    classes: int,
    keep_prob: tf.Tensor,
    global_step: tf.Variable,
    averages: tf1.train.ExponentialMovingAverage,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """What takes a step on a batch, images [n, height, width, 1] and labels [n], and gives its
    loss before.
    """

    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf1.variable_scope(tf1.get_variable_scope(), reuse=True):
            logits = inference(Inputs(images, keep_prob, True), recipe, classes)
        cross_entropy = loss(logits, labels, recipe.loss)
        objective = loss(logits, labels, recipe.loss, recipe.label_smoothing, "objective")
        with tf.control_dependencies([training(objective, global_step, recipe, averages)]):
            return tf.identity(cross_entropy)

    return step


def _check_size() -> None:
    """Refuse what would not fit into memory, before any is taken."""
    parameters = sum(variable.shape.num_elements() for variable in tf1.trainable_variables())
    if parameters > MAX_PARAMETERS:
        raise UsageError(
            f"the network would have {parameters:,} parameters, and at most {MAX_PARAMETERS:,} "
            "are trained here; try a smaller --hidden"
        )


def inference(inputs: Inputs, recipe: Recipe, classes: int) -> tf.Tensor:
    """The recipe's network: what is fed -> logits, float32 [n, classes]."""
    return tf.identity(getattr(models, recipe.network)(inputs, recipe, classes), name="logits")


def loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    reduction: str,
    label_smoothing: float = 0.0,
    name: str = "loss",
) -> tf.Tensor:
    """The cross-entropy of logits [n, classes] and labels [n]; its mean or sum over the batch.

    Computed from the logits by TensorFlow's fused op: the logarithm of a softmax that has
    underflowed to 0 would be infinite, and the loss of the old listings NaN.
    `label_smoothing` takes that share of each label and spreads it over all classes.
    """
    with scope(name):
        cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        if label_smoothing:
            to_all = tf.reduce_mean(-tf.nn.log_softmax(logits), axis=1)
            cross_entropy = (1 - label_smoothing) * cross_entropy + label_smoothing * to_all
    reduce = tf.reduce_mean if reduction == "mean" else tf.reduce_sum
    return reduce(cross_entropy, name=name)


def training(
    objective: tf.Tensor,
    global_step: tf.Variable,
    recipe: Recipe,
    averages: tf1.train.ExponentialMovingAverage,
) -> tf.Operation:
    """One step of the recipe's optimiser down the gradient, which counts itself in
    `global_step`, and of the weights' moving `averages`, where the recipe keeps these.
    """
    rate = learning_rate(recipe, global_step)
    if recipe.optimizer == "adam":
        optimizer = tf1.train.AdamOptimizer(rate, recipe.beta1, recipe.beta2)
    else:
        optimizer = tf1.train.GradientDescentOptimizer(rate)
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        # Gated, as by default, a layer's gradients wait for one another, and for that of the
        # images, which nothing needs. Ungated, a weight may still be read when it is to be
        # changed: TensorFlow then changes a copy, and what is read stays as it was.
        step = optimizer.minimize(
            objective, global_step=global_step, gate_gradients=optimizer.GATE_NONE
        )
    if not recipe.average_weights:
        return step
    with tf.control_dependencies([step]):
        return averages.apply(tf1.trainable_variables())


def _apart(step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Callable:
    """`step` as a function of the graph, made once for all who call it.

    TensorFlow finds the fast kernel of a max pool's gradient for certain only where no loop is
    in sight; else now and then a slow one, and a step takes a third longer.
    """
    operations = tf1.get_default_graph().get_operations()
    pools = any(operation.type == "MaxPool" for operation in operations)
    return tf.function(step, autograph=False, experimental_attributes={"_noinline": pools})


def in_turn(
    step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    images: tf.Tensor,
    labels: tf.Tensor,
    steps: tf.Tensor,
    batch_size: int | None,
) -> tf.Tensor:
    """What `step` gives for each of `steps` equal parts of images, or pixels, [steps * n, ...]
    and labels [steps * n], one after the other: float32 [steps].

    They are taken within the graph, as the way from Python into it takes longer than a small
    network's step.
    """
    size = -1 if batch_size is None else batch_size
    images = tf.reshape(images, [steps, size, *images.shape[1:]])
    labels = tf.reshape(labels, [steps, size])

    def body(number: tf.Tensor, results: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        batch = images[number]
        if batch.dtype == tf.uint8:
            batch = _scale(batch)
        result = step(batch, labels[number])
        with tf.control_dependencies([result]):
            return number + 1, results.write(number, result)

    _, results = tf.while_loop(
        lambda number, _: number < steps,
        body,
        [0, tf.TensorArray(tf.float32, steps)],
        parallel_iterations=1,
    )
    return results.stack()


def evaluation(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The share (float32 []) and number (int32 []) of logits [n, classes] that are right."""
    with scope("accuracy"):
        hits = tf.equal(tf.argmax(logits, 1, output_type=tf.int32), labels)
        counted, shared = tf.cast(hits, tf.int32), tf.cast(hits, tf.float32)
    correct = tf.reduce_sum(counted, name="correct")
    return tf.reduce_mean(shared, name="accuracy"), correct
