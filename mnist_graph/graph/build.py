"""The computation graph of a recipe, in the four functions of TensorFlow 1's own mnist.py:

    logits = inference(images, ...)                    the network
    objective = loss(cross_entropy(logits, labels))    what training minimizes
    train_step = training(objective, ...)              one step of the optimizer
    predictions, accuracy, correct = evaluation(logits, labels)

For strips, rows of digits, the same functions read every column (see ctc.py): logits are then
[n, columns, classes], the last class is the blank, and labels are [n, longest].

`build_graph` calls them in this order. Training as the tutorials do is then a loop of

    session.run(graph.train_step, {graph.images: ..., graph.labels: ..., graph.keep_prob: 0.5})
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.arguments import require, whole_number, wrong_type
from mnist_graph.data.shapes import COLOURS, ImageShape
from mnist_graph.errors import UsageError
from mnist_graph.graph.ctc import are_equal, ctc_loss, greedy_decode
from mnist_graph.graph.inputs import as_frames, image_placeholders, strip_placeholders
from mnist_graph.graph.layers import decayed_weights, scope
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.outline import (
    MNIST_CLASSES,
    MNIST_SHAPE,
    outline,
    require_logits,
)
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.recipe_layers import RecipeLayers
from mnist_graph.graph.schedules import learning_rate
from mnist_graph.graph.share import Share

MAX_PARAMETERS = 50_000_000
"""Adam keeps three float32 values per parameter and a step makes a fourth: 800 MB."""


def inference(
    images: tf.Tensor,
    recipe: Recipe,
    classes: int,
    keep_prob: tf.Tensor,
    is_training: bool = False,
    share: Share | None = None,
) -> tf.Tensor:
    """Build the recipe's network.

    Args:
        images: float32 [n, height, width, channels] in [0, 1].
        classes: the number of classes, for strips with the blank.
        keep_prob: float32 [], the share of units that dropout keeps.
        is_training: whether batch normalization uses the batch's own statistics.
        share: which rows of a batch the images are, if several processes train together.

    Returns:
        logits, float32 [n, classes]; for strips [n, columns, classes].
    """
    layers = RecipeLayers(recipe, classes, keep_prob, is_training, share)
    logits = NETWORKS[recipe.network].build(layers, images, recipe)
    fits = isinstance(logits, tf.Tensor) and logits.dtype == tf.float32
    shape = [None, None, classes] if recipe.reads_strips else [None, classes]
    require_logits(recipe, fits and logits.shape.is_compatible_with(shape))
    return tf.identity(logits, name="logits")


def loss(
    cross_entropies: tf.Tensor,
    reduction: str = "mean",
    name: str = "loss",
    share: Share | None = None,
) -> tf.Tensor:
    """Reduce the cross-entropies of a batch, float32 [n], to their "mean" or "sum". With a `share`
    of the batch, return its part of that: the parts of all processes add up to it.
    """
    if share is not None:
        total = tf.reduce_sum(cross_entropies, name=name)
        return total / share.batch_size if reduction == "mean" else total
    reduce = tf.reduce_mean if reduction == "mean" else tf.reduce_sum
    return reduce(cross_entropies, name=name)


def class_numbers(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Return the labels as class numbers, int32 [n].

    Args:
        labels: int32, class numbers [n] or one-hot rows [n, classes]. Running the graph on other
            rows raises tf.errors.InvalidArgumentError.
    """

    def from_rows() -> tf.Tensor:
        numbers = tf.argmax(labels, -1, output_type=tf.int32)
        expected = tf.one_hot(numbers, classes, dtype=tf.int32)
        equal = tf.raw_ops.Equal(x=labels, y=expected, incompatible_shape_error=False)
        said = f"labels must be class numbers [n] or one-hot rows [n, {classes}]; shape and values:"
        check = tf1.Assert(tf.reduce_all(equal), [said, tf.shape(labels), labels])
        with tf.control_dependencies([check]):
            return tf.identity(numbers)

    with scope("class_numbers"):
        numbers = tf1.cond(tf.rank(labels) > 1, from_rows, lambda: tf.identity(labels))
    return tf.ensure_shape(numbers, [None], name="class_numbers")


def cross_entropy(
    logits: tf.Tensor, labels: tf.Tensor, label_smoothing: float = 0.0, name: str = "loss"
) -> tf.Tensor:
    """Return the cross-entropy of each image, float32 [n]; for strips `ctc_loss`.

    TensorFlow computes it from the logits in one operation: the logarithm of a softmax that
    underflowed to 0 would be infinite, and made the loss of old listings NaN.

    Args:
        logits: float32 [n, classes], or of strips [n, columns, classes].
        labels: int32 [n], or of strips [n, longest].
        label_smoothing: the share of each label that is spread over all classes; not for strips.
    """
    if _are_of_strips(logits):
        return ctc_loss(logits, labels, name)
    with scope(name):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        if label_smoothing:
            uniform = tf.reduce_mean(-tf.nn.log_softmax(logits), axis=1)
            losses = (1 - label_smoothing) * losses + label_smoothing * uniform
    return losses


def training(
    objective: tf.Tensor,
    global_step: tf.Variable,
    recipe: Recipe,
    optimizer: tf1.train.Optimizer,
    averages: tf1.train.ExponentialMovingAverage,
    gate_gradients: int = tf1.train.Optimizer.GATE_OP,
    add_up: Callable[[list[tf.Tensor], list[str]], list[tf.Tensor]] | None = None,
) -> tf.Operation:
    """Return the operation that takes one step of the optimizer and increments `global_step`.

    It first updates batch normalization's moving averages, and last the `averages` of the
    weights, where the recipe has them. `add_up`, if given, turns the gradients of a share, those
    of the weights of these names, into the gradients of the whole batch.
    """
    updates = tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        if add_up is None:
            train_step = optimizer.minimize(
                objective, global_step=global_step, gate_gradients=gate_gradients, name="train"
            )
        else:
            pairs = optimizer.compute_gradients(objective, gate_gradients=gate_gradients)
            gradients, weights = zip(*pairs, strict=True)
            added = add_up(list(gradients), [weight.name for weight in weights])
            pairs = list(zip(added, weights, strict=True))
            train_step = optimizer.apply_gradients(pairs, global_step=global_step, name="train")
    if not recipe.average_weights:
        return train_step
    with tf.control_dependencies([train_step]):
        return averages.apply(tf1.trainable_variables())


def evaluation(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the predictions, in the form of the labels, and the share (float32 []) and the number
    (int32 []) of those that are correct.

    Args:
        logits: float32 [n, classes], or of strips [n, columns, classes].
        labels: int32 [n], or of strips [n, longest].
    """
    if _are_of_strips(logits):
        predictions = greedy_decode(logits)
        hits = are_equal(predictions, labels)
    else:
        predictions = tf.argmax(logits, 1, output_type=tf.int32, name="predictions")
        hits = tf.equal(predictions, labels)
    with scope("accuracy"):
        counted, shared = tf.cast(hits, tf.int32), tf.cast(hits, tf.float32)
    correct = tf.reduce_sum(counted, name="correct")
    return predictions, tf.reduce_mean(shared, name="accuracy"), correct


def _are_of_strips(logits: tf.Tensor) -> bool:
    return logits.shape.rank == 3


@dataclass(frozen=True)
class Network:
    """A `tf.Graph` that predicts, and the tensors to feed and fetch.

    Each tensor has the name of its field: "images:0", "logits:0", ... For a recipe of strips,
    n counts strips, and each has a label, logits and probabilities for the whole row:

        pixels uint8 [n, 32, width], images float32 [n, 32, width]; empty paper fills a batch
        labels, class_numbers int32 [n, longest], predictions int32 [n, width / 4], padded with -1
        logits, probabilities float32 [n, width / 4, classes + 1]
        cross_entropies float32 [n]: the CTC losses
        accuracy, correct: of strips whose predictions are all right, and none is missing
    """

    graph: tf.Graph
    pixels: tf.Tensor
    """uint8 [n, height, width], or in colour [n, height, width, 3]: images as in the files. The
    `images` follow from them.
    """
    images: tf.Tensor
    """float32 [n, height * width * channels] in [0, 1]; can be fed instead of `pixels`."""
    labels: tf.Tensor
    """int32: class numbers [n] or one-hot rows [n, classes]; feed integers or floats. Running the
    graph on labels of another form, soft ones for example, raises tf.errors.InvalidArgumentError.
    A class number out of range does so too on a CPU, and makes the loss NaN on a GPU.
    """
    class_numbers: tf.Tensor
    """int32 [n]: the labels as class numbers."""
    keep_prob: tf.Tensor
    """float32 []; default: 1."""
    logits: tf.Tensor
    """float32 [n, classes]."""
    probabilities: tf.Tensor
    """float32 [n, classes]: the softmax of the logits divided by the recipe's temperature."""
    predictions: tf.Tensor
    """int32 [n]: the class of the largest logit."""
    cross_entropies: tf.Tensor
    """float32 [n], one per image."""
    loss: tf.Tensor
    """float32 []: their mean or sum."""
    accuracy: tf.Tensor
    """float32 []: the share of images whose largest logit is that of their label."""
    correct: tf.Tensor
    """int32 []: the number of these images."""
    global_step: tf.Variable
    """int64 []: the number of completed iterations."""
    saver: tf1.train.Saver


@dataclass(frozen=True)
class Graph(Network):
    """A `Network` that can be trained."""

    learning_rate: tf.Tensor
    """float32 []: the rate of the next step."""
    optimizer: tf1.train.Optimizer
    averages: tf1.train.ExponentialMovingAverage
    """The moving averages of the weights, if the recipe has them."""
    train_step: tf.Operation
    """Takes one step on the fed batch."""
    use_averages: tf.Operation
    """Sets the weights to their moving averages, if the recipe has them. Run it once, after
    training.
    """
    initialize: tf.Operation


def build_graph(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = MNIST_CLASSES
) -> Graph:
    """Build the graph of `recipe` for images of `image_shape`, (height, width) or, in colour,
    (height, width, 3); for strips of any width if it reads strips.

    `recipe.precision` is the precision of the hidden layers' products, float32 or bfloat16;
    auto means float32 here (`sessions.choose_device` decides by the hardware). Each layer is a
    scope ("conv1/weights"), and so are "loss" and "train".

    Raises UsageError for images that are too small for the network, for networks of more than 50
    million parameters or that do not return logits, and for arguments of other types.
    """
    with tf.Graph().as_default() as graph:
        network = _build_network(recipe, image_shape, classes)
        optimizer, averages = _create_optimizer(recipe, network), _moving_averages(recipe, network)
        train_step = _train_step(recipe, network, optimizer, averages)
        weights = tf1.trainable_variables() if recipe.average_weights else []
        with scope("train"):
            assignments = [weight.assign(averages.average(weight)) for weight in weights]
        return Graph(
            **network,
            graph=graph,
            learning_rate=learning_rate(recipe, network["global_step"]),
            optimizer=optimizer,
            averages=averages,
            train_step=tf.group(train_step, name="train_step"),
            use_averages=tf.group(*assignments, name="use_averages"),
            initialize=tf1.global_variables_initializer(),
            saver=tf1.train.Saver(max_to_keep=None),
        )


def build_network(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = MNIST_CLASSES
) -> Network:
    """Build the same graph without training.

    Its `saver` restores the checkpoints of a training run; the weights get their moving
    averages, if the recipe has them. Raises UsageError as `build_graph` does.
    """
    with tf.Graph().as_default() as graph:
        network = _build_network(recipe, image_shape, classes)
        weights = tf1.trainable_variables() if recipe.average_weights else []
        averages = _moving_averages(recipe, network)
        renamed = averages.variables_to_restore(weights) if weights else None
        return Network(**network, graph=graph, saver=tf1.train.Saver(renamed))


def _build_network(recipe: Recipe, image_shape: ImageShape, classes: int) -> dict[str, tf.Tensor]:
    """Build placeholders, inference, loss and evaluation in the default graph; return the
    tensors of a `Network` by name.
    """
    image_shape, classes = _checked_size(recipe, image_shape, classes)
    tf1.set_random_seed(recipe.seed)
    with tf1.variable_scope("", use_resource=True):  # not the default after disable_v2_behavior
        global_step = tf1.train.get_or_create_global_step()
    if recipe.reads_strips:
        pixels, images = strip_placeholders()
        classes += 1  # the blank
    else:
        pixels, images = image_placeholders(image_shape)
    labels = tf1.placeholder(tf.int32, name="labels")
    keep_prob = tf1.placeholder_with_default(tf.ones([]), [], name="keep_prob")

    logits = inference(as_frames(images, pixels, "frame"), recipe, classes, keep_prob)
    if recipe.reads_strips:
        numbers = tf.ensure_shape(labels, [None, None], name="class_numbers")
    else:
        numbers = class_numbers(labels, classes)
    cross_entropies = cross_entropy(logits, numbers)
    predictions, accuracy, correct = evaluation(logits, numbers)
    with scope("probabilities"):
        calibrated = logits / recipe.temperature
    return {
        "pixels": pixels,
        "images": images,
        "labels": labels,
        "class_numbers": numbers,
        "keep_prob": keep_prob,
        "logits": logits,
        "probabilities": tf.nn.softmax(calibrated, name="probabilities"),
        "predictions": predictions,
        "cross_entropies": cross_entropies,
        "loss": loss(cross_entropies, recipe.loss),
        "accuracy": accuracy,
        "correct": correct,
        "global_step": global_step,
    }


def _checked_size(recipe: Recipe, image_shape: ImageShape, classes: int) -> tuple[ImageShape, int]:
    """Return `image_shape` and `classes` as Python's own numbers. Raises UsageError for a network
    that would not fit into memory, before allocating any, and for arguments of other types.
    """
    require("recipe", recipe, Recipe, 'a Recipe such as recipes["mlp"]')
    try:
        shape = tuple(whole_number("image_shape", side, lowest=1) for side in image_shape)
        if len(shape) != 2 and shape[2:] != (COLOURS,):
            raise ValueError
    except (TypeError, ValueError):
        what = "(height, width) or (height, width, 3)"
        raise wrong_type("image_shape", what, image_shape) from None
    image_shape, classes = shape, whole_number("classes", classes, lowest=1)
    parameters = outline(recipe, image_shape, classes).parameters
    if parameters > MAX_PARAMETERS:
        raise UsageError(
            f"the network would have {parameters:,} parameters, and the limit is "
            f"{MAX_PARAMETERS:,}; try a smaller --hidden"
        )
    return image_shape, classes


def _train_step(
    recipe: Recipe,
    network: dict[str, Any],
    optimizer: tf1.train.Optimizer,
    averages: tf1.train.ExponentialMovingAverage,
) -> tf.Operation:
    """Build one step on the fed batch."""
    logits, objective = network["logits"], network["loss"]
    if recipe.batch_normalization:
        # In training it normalizes by the batch, so the same variables get other operations.
        frames = as_frames(network["images"], network["pixels"])
        logits = training_logits(frames, recipe, logits.shape[-1], network["keep_prob"])
    if recipe.batch_normalization or recipe.label_smoothing or recipe.weight_decay:
        objective = training_objective(logits, network["class_numbers"], recipe)
    return training(objective, network["global_step"], recipe, optimizer, averages)


def training_logits(
    images: tf.Tensor,
    recipe: Recipe,
    classes: int,
    keep_prob: tf.Tensor,
    share: Share | None = None,
) -> tf.Tensor:
    """Build `inference` in training mode on the variables that exist already."""
    with tf1.variable_scope(tf1.get_variable_scope(), reuse=True):
        return inference(images, recipe, classes, keep_prob, is_training=True, share=share)


def training_objective(
    logits: tf.Tensor, labels: tf.Tensor, recipe: Recipe, share: Share | None = None
) -> tf.Tensor:
    """Return the loss with the recipe's label smoothing and weight decay; see `loss`."""
    smoothed = cross_entropy(logits, labels, recipe.label_smoothing, "objective")
    objective = loss(smoothed, recipe.loss, "objective", share)
    if not recipe.weight_decay:
        return objective
    with scope("weight_decay"):
        squares = tf.add_n([tf.nn.l2_loss(weights) for weights in decayed_weights()])
        part = 1 if share is None else share.size / share.batch_size
        return objective + recipe.weight_decay * part * squares


def _create_optimizer(recipe: Recipe, network: dict[str, Any]) -> tf1.train.Optimizer:
    """Create the recipe's optimizer. It evaluates the schedule anew for every `minimize`."""

    def rate() -> tf.Tensor:
        return learning_rate(recipe, network["global_step"])

    if recipe.optimizer == "adam":
        return tf1.train.AdamOptimizer(rate, recipe.beta1, recipe.beta2)
    return tf1.train.GradientDescentOptimizer(rate)


def _moving_averages(recipe: Recipe, network: dict[str, Any]) -> tf1.train.ExponentialMovingAverage:
    global_step = network["global_step"]
    return tf1.train.ExponentialMovingAverage(recipe.moving_decay, num_updates=global_step)
