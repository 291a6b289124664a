"""What the machine itself can do: arithmetic, memory, and a session call that computes nothing."""

import math
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from benchmarks.contenders import SHAPES
from benchmarks.speed.operations import (
    FORWARD,
    Operation,
    Timer,
    list_operations,
    time_pytorch,
    time_tensorflow,
)
from mnist_graph import recipes

PRECISIONS = ("float32", "bfloat16")
"""Those that are measured, where the processor has the second."""
SQUARE = 2048
"""Side of the large matrix product: the arithmetic that the machine reaches at best."""
LARGE_BYTES = 2**29
"""Of the arrays that are much larger than any cache."""
BYTES = 4
"""Of a float32; weights and the optimizer's state are float32 in every precision."""
STATE = {"adam": 3, "gradient-descent": 1}
"""Arrays of the size of the weights that an optimizer reads and writes in each step."""
EMPTY_CALLS = 2000
LIBRARIES: dict[str, tuple[str, Timer]] = {
    "TensorFlow": ("tensorflow", time_tensorflow),
    "PyTorch": ("torch", time_pytorch),
}


def measure_limits(models: Sequence[str]) -> dict[str, Any]:
    """Measure everything for steps of these models; see `report` for what is shown of it.

    For each operation the fastest of all libraries counts, and of one thread for each core or for
    all cores: two operations that run at the same time may use a core each.
    """
    square = Operation(FORWARD, SQUARE, 1, (SQUARE, SQUARE))
    limits: dict[str, Any] = {"square": time_operation(square), "models": {}}
    limits["bandwidth"] = measure_bandwidth(LARGE_BYTES)
    limits["session_call_ms"] = measure_empty_call()
    for model in models:
        operations = [time_operation(each) for each in list_operations(model)]
        state = STATE[recipes[model].optimizer] * BYTES * count_parameters(model)
        bandwidth = measure_bandwidth(state)
        update = 1000 * 2 * state / bandwidth
        arithmetic = {
            precision: sum(each[precision]["milliseconds"] for each in operations)
            for precision in list_precisions()
        }
        limits["models"][model] = {
            "operations": operations,
            "state_bytes": state,
            "bandwidth": bandwidth,
            "update_ms": update,
            "arithmetic_ms": arithmetic,
            "least_ms": {key: value + update for key, value in arithmetic.items()},
        }
    return limits


def list_precisions() -> tuple[str, ...]:
    """Return the precisions that the processor itself computes in."""
    from mnist_graph.graph.sessions import cpu_supports_bfloat16  # imports TensorFlow

    return PRECISIONS if cpu_supports_bfloat16() else PRECISIONS[:1]


def count_parameters(model: str) -> int:
    """Return the number of weights and biases."""
    return sum(math.prod(shape) + shape[-1] for shape in SHAPES[model])


def time_operation(operation: Operation) -> dict[str, Any]:
    """Return its name, its flops and, for each precision, the best: milliseconds, library and
    threads.
    """
    cores = os.cpu_count() or 1
    found: dict[str, Any] = {"name": operation.name, "flops": operation.flops}
    for precision in list_precisions():
        found[precision] = min(
            (
                {
                    # With one thread, each core computes one of these at the same time.
                    "milliseconds": 1000 * timer(operation, precision, threads) * threads / cores,
                    "library": library,
                    "threads": threads,
                }
                for library, (package, timer) in LIBRARIES.items()
                if find_spec(package)
                for threads in sorted({1, cores})
            ),
            key=lambda each: each["milliseconds"],
        )
    return found


def measure_bandwidth(size: int, seconds: float = 0.2) -> float:
    """Return the bytes a second that are read and written when all cores copy between arrays that
    take `size` bytes together. Copies repeat for this number of `seconds`; the best of three.
    """
    cores = os.cpu_count() or 1
    length = max(1, size // 2 // cores)
    pairs = [(np.ones(length, np.uint8), np.ones(length, np.uint8)) for _ in range(cores)]

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> float:
        """Return the bytes a second of one core."""
        source, target = pair
        copies, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds or not copies:
            np.copyto(target, source)
            copies += 1
        return 2 * length * copies / passed

    with ThreadPoolExecutor(cores) as threads:
        return max(sum(threads.map(copy, pairs)) for _ in range(3))


def measure_empty_call() -> float:
    """Return the median milliseconds of a session call that does nothing."""
    import tensorflow as tf

    times = []
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        call = session.make_callable(tf.no_op())
        for _ in range(EMPTY_CALLS):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return 1000 * median(times)
