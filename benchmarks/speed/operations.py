"""The matrix products and convolutions of a training step, each alone, in TensorFlow and PyTorch.

A step computes, for each layer, its outputs, the gradient of its weights and, except in the first
layer, that of its inputs.
"""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.contenders import SHAPES
from mnist_graph import recipes

FORWARD, WEIGHTS, INPUTS = "forward", "weights' gradient", "inputs' gradient"
SECONDS = 0.05
"""Length of a timed call; several operations fill it, so that calling costs nothing."""
CALLS = 5
"""The fastest counts: a limit is what is possible."""
Timer = Callable[["Operation", str, int], float]
"""Returns the seconds of an operation in a precision, with some threads."""


class Operation(NamedTuple):
    """A matrix product or a convolution."""

    direction: str
    rows: int
    """Images in the batch."""
    side: int
    """Height and width of the images that a convolution takes and gives; 1 for a product."""
    shape: tuple[int, ...]
    """Of the weights: [inputs, outputs], or [height, width, inputs, outputs]."""

    @property
    def name(self) -> str:
        sizes = " x ".join(map(str, self.shape))
        place = f" on {self.side} x {self.side}" if len(self.shape) == 4 else ""
        return f"{self.rows} x {sizes}{place}, {self.direction}"

    @property
    def flops(self) -> int:
        """Multiplications and additions, those with the padding of a convolution included."""
        return 2 * self.rows * self.side**2 * math.prod(self.shape)


def list_operations(model: str) -> list[Operation]:
    """Return the operations of a training step of softmax, mlp or cnn."""
    rows, side, found = recipes[model].batch_size, 28, []
    for place, shape in enumerate(SHAPES[model]):
        is_convolution = len(shape) == 4
        for direction in (FORWARD, WEIGHTS, *([INPUTS] if place else [])):
            found.append(Operation(direction, rows, side if is_convolution else 1, shape))
        side //= 2  # pooling
    return found


def time_tensorflow(operation: Operation, precision: str, threads: int) -> float:
    """Time it in a loop inside a session, without anything that optimizes the loop away."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default(), tf1.Session(config=config) as session:

        def variable(shape: tuple[int, ...]) -> Any:
            return tf1.Variable(tf.cast(tf.random.normal(shape), precision))

        compute = _in_tensorflow(tf, operation, variable)
        times = tf1.placeholder(tf.int32, [])

        def body(number: Any) -> Any:
            with tf.control_dependencies([compute()]):
                return number + 1

        loop = tf.while_loop(lambda n: n < times, body, [0], parallel_iterations=1)
        session.run(tf1.global_variables_initializer())
        return _time_repeated(session.make_callable(loop, [times]))


def _in_tensorflow(tf: Any, operation: Operation, variable: Callable) -> Callable[[], Any]:
    rows, side, shape = operation[1:]
    weights = variable(shape)
    if len(shape) == 2:
        x, y = variable((rows, shape[0])), variable((rows, shape[1]))
        return {
            FORWARD: lambda: tf.matmul(x, weights),
            WEIGHTS: lambda: tf.matmul(x, y, transpose_a=True),
            INPUTS: lambda: tf.matmul(y, weights, transpose_b=True),
        }[operation.direction]
    x, y = variable((rows, side, side, shape[2])), variable((rows, side, side, shape[3]))
    settings = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    raw = tf.raw_ops
    return {
        FORWARD: lambda: tf.nn.conv2d(x, weights, **settings),
        WEIGHTS: lambda: raw.Conv2DBackpropFilter(
            input=x, filter_sizes=shape, out_backprop=y, **settings
        ),
        INPUTS: lambda: raw.Conv2DBackpropInput(
            input_sizes=x.shape, filter=weights, out_backprop=y, **settings
        ),
    }[operation.direction]


def time_pytorch(operation: Operation, precision: str, threads: int) -> float:
    """Time it eagerly, with images and weights in channels-last order."""
    import torch

    torch.set_num_threads(threads)
    compute = _in_pytorch(torch, operation, getattr(torch, precision))

    def repeat(times: int) -> None:
        for _ in range(times):
            compute()

    with torch.inference_mode():
        return _time_repeated(repeat)


def _in_pytorch(torch: Any, operation: Operation, dtype: Any) -> Callable[[], Any]:
    rows, side, shape = operation[1:]
    if len(shape) == 2:
        sizes = (rows, shape[0]), (rows, shape[1]), shape
        x, y, weights = (torch.randn(size, dtype=dtype) for size in sizes)
        return {
            FORWARD: lambda: x @ weights,
            WEIGHTS: lambda: x.T @ y,
            INPUTS: lambda: y @ weights.T,
        }[operation.direction]
    height, width, inputs, outputs = shape
    sizes = (
        (rows, inputs, side, side),
        (rows, outputs, side, side),
        (outputs, inputs, height, width),
    )
    x, y, weights = (
        torch.randn(size, dtype=dtype).to(memory_format=torch.channels_last) for size in sizes
    )
    padding, gradients = height // 2, torch.nn.grad
    return {
        FORWARD: lambda: torch.nn.functional.conv2d(x, weights, padding=padding),
        WEIGHTS: lambda: gradients.conv2d_weight(x, weights.shape, y, padding=padding),
        INPUTS: lambda: gradients.conv2d_input(x.shape, weights, y, padding=padding),
    }[operation.direction]


def _time_repeated(repeat: Callable[[int], Any]) -> float:
    """Return the seconds of one operation, of which `repeat` computes a number."""
    repeat(1)
    times = 1
    while True:
        start = time.perf_counter()
        repeat(times)
        if (seconds := time.perf_counter() - start) >= SECONDS:
            break
        times = min(100 * times, 1 + round(1.2 * times * SECONDS / seconds))
    fastest = seconds
    for _ in range(CALLS - 1):
        start = time.perf_counter()
        repeat(times)
        fastest = min(fastest, time.perf_counter() - start)
    return fastest / times
