"""A network as a table: what each layer gives, what it learns, how much it multiplies."""

import math
from typing import NamedTuple

import tensorflow as tf

from mnist_graph.graph import Network

tf1 = tf.compat.v1


class Layer(NamedTuple):
    name: str
    """The scope of the graph in which it stands."""
    output_shape: tuple[int, ...]
    """Of one image."""
    parameters: int
    """Numbers that are learned."""
    multiply_adds: int
    """Of the matrix products and convolutions, for one image."""


def describe(network: Network) -> list[Layer]:
    """The network's layers, from the images to the logits."""
    operations: dict[str, list[tf.Operation]] = {}
    for operation in _between(network.images.op, network.logits.op):
        operations.setdefault(operation.name.split("/")[0], []).append(operation)
    with network.graph.as_default():
        variables = tf1.trainable_variables()
    layers = [Layer("images", tuple(network.graph.get_tensor_by_name("frame:0").shape[1:]), 0, 0)]
    for name, of_layer in operations.items():
        own = [variable for variable in variables if variable.op.name.startswith(f"{name}/")]
        if len(of_layer) > 1:  # a single one only gives another shape
            layers.append(
                Layer(
                    name=name,
                    output_shape=tuple(of_layer[-1].outputs[0].shape[1:]),
                    parameters=sum(variable.shape.num_elements() for variable in own),
                    multiply_adds=sum(map(_multiply_adds, of_layer)),
                )
            )
    return layers


def _between(start: tf.Operation, end: tf.Operation) -> list[tf.Operation]:
    """The operations through which `end` depends on `start`, as they were made."""
    graph = start.graph
    behind, before = {start}, {end}
    for operation in graph.get_operations():
        if any(each.op in behind for each in operation.inputs):
            behind.add(operation)
    for operation in reversed(graph.get_operations()):
        if operation in before:
            before.update(each.op for each in operation.inputs)
    on_the_way = (behind & before) - {start, end}
    return [operation for operation in graph.get_operations() if operation in on_the_way]


def _multiply_adds(operation: tf.Operation) -> int:
    if operation.type not in ("Conv2D", "MatMul"):
        return 0
    output = math.prod(operation.outputs[0].shape[1:])
    return output * math.prod(operation.inputs[1].shape[:-1])
