"""The graph of a trained network for predicting alone, as a SavedModel.

It has placeholders for images and nothing else: no labels, no `keep_prob`, no optimizer; the
weights are the averaged ones where the recipe averages them. Its two signatures share them:

    serving_default    images, float32 [n, height * width * channels] in [0, 1]
    pixels             pixels, uint8 [n, height, width], or [n, height, width, 3] in colour

Both give classes, int32 [n], and probabilities, float32 [n, classes], the softmax of the logits
divided by the recipe's temperature. For strips, rows of digits, the inputs are float32 or uint8
[n, 32, width], both signatures also take widths, int32 [n], the widths of the strips before they
were padded, and the outputs are those of each column: int32 [n, columns] and float32
[n, columns, classes + 1]. Columns after a strip's width are blank.
"""

import math
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.scaling import scale
from mnist_graph.data.shapes import ImageShape
from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.graph.build import inference
from mnist_graph.graph.inputs import as_frames
from mnist_graph.graph.layers import scope
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, PIXELS_SIGNATURE
from mnist_graph.runs.predictor import TrainedNetwork, assign

Tensors = dict[str, tf.Tensor]


def write_saved_model(network: TrainedNetwork, folder: Path) -> None:
    """Write `network` to the new `folder`: saved_model.pb and variables/.

    Raises OSError or a tf.errors.OpError if it cannot be written.
    """
    run = network.run
    with tf.Graph().as_default(), tf1.Session() as session:
        signatures = build_signatures(network.recipe, run.image_shape, run.classes)
        assign(session, network.variables())
        builder = tf1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            [tf1.saved_model.tag_constants.SERVING],
            signature_def_map=_define(signatures),
        )
        builder.save()


def _define(signatures: dict[str, tuple[Tensors, Tensors]]) -> Any:
    """Return the signatures as protocol buffers, by name."""
    # Not by tf1.saved_model.predict_signature_def, which says that it is deprecated.
    definitions = tf1.MetaGraphDef().signature_def
    for name, tensors in signatures.items():
        definition = definitions[name]
        definition.method_name = tf1.saved_model.signature_constants.PREDICT_METHOD_NAME
        for infos, group in zip((definition.inputs, definition.outputs), tensors, strict=True):
            for key, tensor in group.items():
                infos[key].name = tensor.name
                infos[key].dtype = tensor.dtype.as_datatype_enum
                infos[key].tensor_shape.CopyFrom(tensor.shape.as_proto())
    return definitions


def build_signatures(
    recipe: Recipe, image_shape: ImageShape, classes: int
) -> dict[str, tuple[Tensors, Tensors]]:
    """Build the network in the default graph; return inputs and outputs of each signature."""
    shape = [None, HEIGHT, None] if recipe.reads_strips else [None, *image_shape]
    pixels = tf1.placeholder(tf.uint8, shape, name="pixels")
    flat = shape if recipe.reads_strips else [None, math.prod(image_shape)]
    images = tf1.placeholder(tf.float32, flat, name="images")
    with scope("scale"):
        scaled = scale(tf.cast(pixels, tf.float32))
    signatures: dict[str, tuple[Tensors, Tensors]] = {}
    widths = {"widths": tf1.placeholder(tf.int32, [None], name="widths")}
    more = widths if recipe.reads_strips else {}
    for name, fed, values in (
        (DEFAULT_SIGNATURE, {"images": images}, images),
        (PIXELS_SIGNATURE, {"pixels": pixels}, scaled),
    ):
        inputs = {**fed, **more}
        frames = as_frames(values, pixels)
        with tf1.variable_scope("", reuse=bool(signatures), use_resource=True):
            logits = inference(frames, recipe, classes + recipe.reads_strips, keep_prob=1.0)
        probabilities = tf.nn.softmax(logits / recipe.temperature)
        if recipe.reads_strips:
            probabilities = _blank_after(probabilities, inputs["widths"])
        best = tf.argmax(probabilities, -1, output_type=tf.int32)
        signatures[name] = inputs, {"classes": best, "probabilities": probabilities}
    return signatures


def _blank_after(probabilities: tf.Tensor, widths: tf.Tensor) -> tf.Tensor:
    """Make all columns after the `widths`, int32 [n] in pixels, blank with probability 1."""
    # By expand_dims, since LiteRT has no slice with a new axis at the end.
    starts = COLUMN_WIDTH * tf.range(tf.shape(probabilities)[1])
    is_within = starts < tf.expand_dims(widths, 1)
    within = tf.expand_dims(tf.cast(is_within, tf.float32), 2)
    blank = tf.one_hot(probabilities.shape[-1] - 1, probabilities.shape[-1])
    return probabilities * within + blank * (1 - within)
