"""Outlines against the real graphs."""

import math

import pytest
import tensorflow as tf
from helpers import IMAGE_MODELS, run_python

from mnist_graph import build_graph, recipes
from mnist_graph.errors import UsageError
from mnist_graph.graph.outline import Layer, outline

tf1 = tf.compat.v1

OPERATION_OF = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "linear": "Identity"}
"""The operation that each activation adds to the graph."""
WITHOUT_PARAMETERS = ("dropout", "crop", "standardize", "pool", "norm")
"""What the names of layers without an activation start with."""
MNIST, ODD, COLOUR = ((28, 28), 10), ((21, 13), 3), ((32, 24, 3), 5)
"""Image sizes and numbers of classes."""
ONE_OF_EACH_NETWORK = {recipes[name].network: name for name in IMAGE_MODELS}.values()


@pytest.mark.parametrize(
    ("name", "image_shape", "classes"),
    [(name, *MNIST) for name in IMAGE_MODELS]
    + [(name, *other) for name in ONE_OF_EACH_NETWORK for other in (ODD, COLOUR)],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_outline_has_the_parameters_and_shapes_of_the_graph(name, image_shape, classes):
    recipe = recipes[name]
    graph = build_graph(recipe, image_shape, classes).graph
    layers = outline(recipe, image_shape, classes).layers
    trained = [layer for layer in layers if layer.parameters]
    assert {layer.name: layer.parameters for layer in trained} == count_parameters(graph)
    shapes = {layer.name: layer.output_shape for layer in layers}
    assert shapes.pop("images") == (*image_shape, 1)[:3]
    assert shapes.pop("output") == (classes,) == shape_of(graph, "logits")
    for scope, shape in shapes.items():
        if scope.startswith(WITHOUT_PARAMETERS):
            assert shape == shape_of_last(graph, scope)
        else:
            assert shape == shape_of(graph, f"{scope}/{OPERATION_OF[recipe.activation]}")


def test_outline_of_a_reader_has_the_parameters_and_shapes_of_the_graph():
    recipe = recipes["reader"]
    graph = build_graph(recipe).graph
    layers = outline(recipe).layers
    assert {each.name: each.parameters for each in layers if each.parameters} == count_parameters(
        graph
    )
    for each in layers[1:]:
        operation = {"output": "logits", "dropout9": "conv9/Relu"}.get(
            each.name, f"{each.name}/Relu"
        )
        *height, _, channels = shape_of(graph, operation)  # the width is open
        assert (*height, channels) == (*each.output_shape[:-2], each.output_shape[-1])
    assert layers[0].output_shape == (32, 128, 1)
    assert layers[-1].output_shape == (32, 11)


def count_parameters(graph):
    """Return the number of trained values in each scope."""
    counts = {}
    with graph.as_default():
        for variable in tf1.trainable_variables():
            scope = variable.op.name.split("/")[0]
            counts[scope] = counts.get(scope, 0) + math.prod(variable.shape)
    return counts


def shape_of(graph, operation):
    """Return the shape of the operation's output, without the dimension of the batch."""
    return tuple(graph.get_operation_by_name(operation).outputs[0].shape[1:])


def shape_of_last(graph, scope):
    *_, last = (op for op in graph.get_operations() if op.name.startswith(f"{scope}/"))
    return tuple(last.outputs[0].shape[1:])


def test_outline_of_cnn_counts_multiply_adds():
    layers = outline(recipes["cnn"]).layers
    assert layers == [
        Layer("images", (28, 28, 1), 0, 0),
        Layer("conv1", (14, 14, 32), 5 * 5 * 32 + 32, 28 * 28 * 5 * 5 * 32),
        Layer("conv2", (7, 7, 64), 5 * 5 * 32 * 64 + 64, 14 * 14 * 5 * 5 * 32 * 64),
        Layer("dense1", (1024,), 7 * 7 * 64 * 1024 + 1024, 7 * 7 * 64 * 1024),
        Layer("dropout1", (1024,), 0, 0),
        Layer("output", (10,), 1024 * 10 + 10, 1024 * 10),
    ]


def test_outline_counts_multiply_adds_of_strides_without_padding():
    by_name = {layer.name: layer.multiply_adds for layer in outline(recipes["mnist-99"]).layers}
    assert by_name["conv1"] == 12 * 12 * 5 * 5 * 24
    assert by_name["conv2"] == 10 * 10 * 3 * 3 * 24 * 32


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("softmax", "images x W + b"),
        ("mlp", "dense 512, 256, 128"),
        ("mlp-linear", "dense 512, 256, 128; linear"),
        ("mlp5-sigmoid", "dense 200, 100, 60, 30; sigmoid"),
        ("cnn", "conv 5x5 32 pooled, 64 pooled; dense 1024"),
        ("mnist-99", "conv 5x5 24 stride 2, 3x3 32 pooled; dense 128"),
        (
            "conv3-batchnorm",
            "conv 6x6 24, 5x5 48 stride 2, 4x4 64 stride 2; dense 200; batch norm",
        ),
        (
            "cnn-best",
            "conv 5x5 32 pooled, 3x3 64, 64 pooled, 128, 128 pooled; batch norm",
        ),
        ("cifar10", "conv 5x5 64 pooled 3x3, 64 pooled 3x3; dense 384, 192"),
        (
            "reader",
            "conv 5x5 32 stride 2, 3x3 64, 64 pooled, 128, 128 pooled 2x1, 192, 192 pooled 2x1, "
            "224, 2x3 224, 1x5 224, 256; batch norm",
        ),
    ],
)
def test_summary_describes_the_network(name, summary):
    assert outline(recipes[name]).summary == summary


def test_outline_refuses_images_smaller_than_the_filters():
    outline(recipes["mnist-99"], (9, 9))
    with pytest.raises(UsageError, match=r"^images of 8x28 are too small for mnist-99$"):
        outline(recipes["mnist-99"], (8, 28))


WITHOUT_TENSORFLOW = """
import sys
from mnist_graph import recipes
from mnist_graph.graph.outline import outline
for recipe in recipes.values():
    print(recipe.model, outline(recipe).parameters)
assert not {"numpy", "tensorflow"} & set(sys.modules)
"""


def test_outline_works_without_tensorflow():
    outcome = run_python(WITHOUT_TENSORFLOW)
    assert outcome.code == 0, outcome.err
    assert "softmax 7850\n" in outcome.out
    assert outcome.out.count("\n") == len(recipes)
