"""Where a graph runs, and in which precision."""

import os
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

from mnist_graph.errors import MnistGraphError

tf1 = tf.compat.v1


class Device(NamedTuple):
    """What `--device` and `--precision` have come to on this machine."""

    kind: str
    """cpu or gpu."""
    name: str
    precision: str
    """float32 or bfloat16."""

    def __str__(self) -> str:
        return f"{self.name}, {self.precision}"


def choose_device(device: str = "auto", precision: str = "float32") -> Device:
    """The device for `device` (auto, cpu, gpu) and `precision` (auto, float32, bfloat16).

    Raises MnistGraphError for a GPU that is not there, or bfloat16 where it is not native.
    """
    gpus = [] if device == "cpu" else tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise MnistGraphError(
            "TensorFlow finds no GPU; install its CUDA build with "
            "pip install 'tensorflow[and-cuda]' and an NVIDIA driver, or leave --device at auto"
        )
    native = not gpus and cpu_multiplies_bfloat16()
    if precision == "bfloat16" and not native:
        where = "on a GPU" if gpus else "on this CPU (it has neither AMX nor AVX-512 BF16)"
        raise MnistGraphError(f"bfloat16 is not computed {where}; use --precision auto")
    chosen = "bfloat16" if native and precision != "float32" else "float32"
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return Device("gpu", f"GPU ({details.get('device_name', gpus[0].name)})", chosen)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Device("cpu", f"CPU ({cores} core{'s' * (cores != 1)})", chosen)


def cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions that multiply bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def open_session(graph: tf.Graph, device: Device) -> tf1.Session:
    """A session of its own for `graph`; its GPU memory grows with the need.

    In bfloat16 TensorFlow's own graph rewriter computes the matrix products and the
    convolutions in it, and what lies between them; variables, softmax, loss and the
    optimiser stay float32.
    """
    config = tf1.ConfigProto()
    if device.kind == "cpu":
        config.device_count["GPU"] = 0
    config.gpu_options.allow_growth = True
    if device.precision == "bfloat16":
        rewrite = config.graph_options.rewrite_options
        rewrite.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
    return tf1.Session(graph=graph, config=config)
