"""Starting with the weights of a finished run instead of random ones."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf1

from mnist_graph.data.datasets import DataSets
from mnist_graph.graph.build import Graph
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.run import Run
from mnist_graph.runs.start import has_same_classes, require_same_network

OUTPUT = "output/"
"""How the names of the output layer's variables begin."""


def load_weights(
    start: Run, recipe: Recipe, data: DataSets, device: str = "auto"
) -> dict[str, np.ndarray]:
    """Return the variables that a run of `recipe` on `data` takes over from the finished run
    `start`, float32 by name: its weights, or their moving averages if it has them, and batch
    normalization's averages. Without the output layer if the data has other classes.

    Raises UsageError if it is another network, and MnistGraphError if the weights are damaged.
    """
    from mnist_graph.runs.strip_predictor import read_variables  # OpenCV, which MNIST does not need

    require_same_network(recipe, data.image_shape, start)
    values = read_variables(start, device)
    if has_same_classes(start, data.classes, data.class_names):
        return values
    return {name: value for name, value in values.items() if not name.startswith(OUTPUT)}


def assign_weights(session: Any, graph: Graph, values: dict[str, np.ndarray]) -> None:
    """Set these variables of an initialized graph, by name; moving averages of weights start at the
    weights.
    """
    with graph.graph.as_default():
        variables = {variable.op.name: variable for variable in tf1.global_variables()}
    pairs = [(variables[name], value) for name, value in values.items()]
    averages = ((graph.averages.average(variable), value) for variable, value in pairs)
    pairs += [(average, value) for average, value in averages if average is not None]
    assignments = [variable.initializer for variable, _ in pairs]
    feed = {op.inputs[1]: value for op, (_, value) in zip(assignments, pairs, strict=True)}
    session.run(assignments, feed)
