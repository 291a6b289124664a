"""Where a graph runs, and in which precision."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from mnist_graph.errors import MnistGraphError

tf1 = tf.compat.v1

# Else the threads of the process's first session serve all. TensorFlow looks at it only once.
os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")


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
    native = _gpu_multiplies_bfloat16(gpus[0]) if gpus else _cpu_multiplies_bfloat16()
    if precision == "bfloat16" and not native:
        what = "GPU (compute capability 8)" if gpus else "CPU (AMX or AVX-512 BF16)"
        raise MnistGraphError(f"bfloat16 needs a newer {what}; use --precision auto")
    chosen = "bfloat16" if native and precision != "float32" else "float32"
    if gpus:  # pragma: no cover - needs a GPU
        details = tf.config.experimental.get_device_details(gpus[0])
        return Device("gpu", f"GPU ({details.get('device_name', gpus[0].name)})", chosen)
    cores = _cores()
    return Device("cpu", f"CPU ({cores} core{'s' * (cores != 1)})", chosen)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _gpu_multiplies_bfloat16(gpu: Any) -> bool:  # pragma: no cover - needs a GPU
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0)) >= (8, 0)


def _cpu_multiplies_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # pragma: no cover - on systems that are not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def open_session(graph: tf.Graph, device: Device, network: str = "") -> tf1.Session:
    """A session of its own for `graph`; its GPU memory grows with the need. On a CPU it shares
    the cores as it is best for training a recipe of that `network`.
    """
    config = tf1.ConfigProto()
    if device.kind == "cpu":  # pragma: no branch - the other needs a GPU
        config.device_count["GPU"] = 0
        if network in ("softmax", "mlp"):
            # Small products: to divide each among all cores costs more than it gains, beside
            # another above all, as a layer's two gradients are.
            config.intra_op_parallelism_threads = max(1, _cores() // 2)
        if network == "softmax":  # of one layer: nothing in it can be side by side
            config.inter_op_parallelism_threads = 1
            config.use_per_session_threads = True
    config.gpu_options.allow_growth = True
    return tf1.Session(graph=graph, config=config)
