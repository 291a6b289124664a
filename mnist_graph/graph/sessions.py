"""Where a graph runs and in which precision: the device and its session."""

import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.devices import check_device
from mnist_graph.graph.recipe import Recipe


class Device(NamedTuple):
    """The device and the precision chosen for a graph."""

    kind: str
    """cpu or gpu."""
    name: str
    precision: str
    """float32 or bfloat16."""

    def __str__(self) -> str:
        return f"{self.name}, {self.precision}"


def choose_device(recipe: Recipe, device: str = "auto") -> tuple[Device, Recipe]:
    """Choose the device for `device` (auto, cpu or gpu) and settle the recipe's precision.

    Returns the device, and the recipe with precision float32 or bfloat16. Raises UsageError
    for another `device`, and MnistGraphError if a GPU is requested and there is none, or if
    bfloat16 is requested and the hardware does not support it.
    """
    check_device(device)
    require_own_process()
    gpus = [] if device == "cpu" else tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise MnistGraphError(
            "TensorFlow finds no GPU; install its CUDA build with "
            "pip install 'tensorflow[and-cuda]' and an NVIDIA driver, or leave --device at auto"
        )
    native = _gpu_supports_bfloat16(gpus[0]) if gpus else cpu_supports_bfloat16()
    if recipe.precision == "bfloat16" and not native:
        what = "GPU (compute capability 8)" if gpus else "CPU (AMX or AVX-512 BF16)"
        raise MnistGraphError(f"bfloat16 needs a newer {what}; use --precision auto")
    precision = "bfloat16" if native and recipe.precision != "float32" else "float32"
    if gpus:  # pragma: no cover - needs a GPU
        details = tf.config.experimental.get_device_details(gpus[0])
        name = f"GPU ({details.get('device_name', gpus[0].name)})"
        chosen = Device("gpu", name, precision)
    else:
        cores = _count_cores()
        chosen = Device("cpu", f"CPU ({cores} core{'s' * (cores != 1)})", precision)
    return chosen, recipe.override(precision=precision)


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - not on Linux


def _gpu_supports_bfloat16(gpu: Any) -> bool:  # pragma: no cover - needs a GPU
    details = tf.config.experimental.get_device_details(gpu)
    return bool(details.get("compute_capability", (0, 0)) >= (8, 0))


def cpu_supports_bfloat16() -> bool:
    """Return whether the processor itself multiplies bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # pragma: no cover - not on Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def open_session(graph: tf.Graph, device: Device, network: str = "") -> tf1.Session:
    """Open a session for `graph` on `device`, configured for a recipe of that `network`."""
    return tf1.Session(graph=graph, config=session_config(device, network))


def session_config(device: Device, network: str, sharing: int = 1) -> tf1.ConfigProto:
    """Return the settings of a session on `device`. GPU memory grows as needed; on a CPU, threads
    are set to what trains a recipe of that `network` fastest. `sharing` is how many processes share
    the cores.
    """
    config = tf1.ConfigProto()
    if device.kind == "cpu":  # pragma: no branch - the other needs a GPU
        config.device_count["GPU"] = 0
        cores = max(1, _count_cores() // sharing)
        if sharing > 1:
            config.intra_op_parallelism_threads = config.inter_op_parallelism_threads = cores
        if network == "softmax":  # one layer: small operations, one after the other
            config.intra_op_parallelism_threads = max(1, cores // 2)
            config.inter_op_parallelism_threads = 1
            config.use_per_session_threads = True
    config.gpu_options.allow_growth = True
    return config


def require_own_process() -> None:
    """Raise MnistGraphError in a process that was forked from one with a session: TensorFlow's
    threads are not in it, and would be waited for without end.
    """
    if _honor_thread_settings() != os.getpid():
        raise MnistGraphError(
            "TensorFlow does not run in a process forked from one that has used it; start "
            'processes with multiprocessing.get_context("spawn")'
        )


@cache
def _honor_thread_settings() -> int:
    """Make TensorFlow honor each session's thread settings; by default the first session of the
    process sets them for all.

    TensorFlow reads the environment variable once, when it creates its first device. So a first
    session is opened here while the variable is set; then the environment is as before. Returns
    the number of the process.
    """
    name = "TF_OVERRIDE_GLOBAL_THREADPOOL"
    before = os.environ.get(name)
    os.environ[name] = before or "1"
    try:
        with tf.Graph().as_default():
            tf1.Session(config=tf1.ConfigProto(device_count={"GPU": 0})).close()
    finally:
        if before is None:
            del os.environ[name]
    return os.getpid()
