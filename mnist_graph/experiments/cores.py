"""How many trainings at a time are fastest, and which cores each of them gets."""

import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from mnist_graph.data.arguments import whole_number

RUN_BYTES = 1_500_000_000
"""Memory that one training may need: mlp took 0.9 GB, cnn-fast 1.0 GB (benchmarks.sweep)."""
MOST = 256
"""The most trainings at a time."""


def share_cores(at_a_time: int | None, runs: int, device: str) -> list[list[int] | None]:
    """Return the cores of each of `at_a_time` trainings (None: all cores).

    By default there are as many as there are cores, each on one of its own, since that trains the
    most runs per minute (benchmarks/results/sweep.md): one training leaves cores idle between and
    within its steps. There are fewer if there are fewer `runs`, or if memory would not suffice;
    and a single one on a GPU, which is not measured. Raises UsageError if `at_a_time` is out of
    range.
    """
    cores = _usable_cores()
    if at_a_time is None:
        fitting = min(len(cores), MOST, _available_bytes() // RUN_BYTES)
        at_a_time = 1 if _may_use_gpu(device) else max(1, fitting)
    at_a_time = max(1, min(whole_number("at_a_time", at_a_time, 1, MOST), runs))
    if at_a_time == 1 or not cores:
        return [None] * at_a_time
    if at_a_time > len(cores):
        return [[cores[number % len(cores)]] for number in range(at_a_time)]
    bounds = [number * len(cores) // at_a_time for number in range(at_a_time + 1)]
    return [cores[start:stop] for start, stop in pairwise(bounds)]


def _usable_cores() -> list[int]:
    """The cores that this process may use; none where they cannot be chosen."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return []  # pragma: no cover - not on Linux


def _may_use_gpu(device: str) -> bool:
    return device == "gpu" or (device == "auto" and Path("/dev/nvidia0").exists())


def _available_bytes() -> int:
    """The memory that is free or can be freed, and at most what a container may use."""
    found = [2**62]
    with suppress(OSError, ValueError, KeyError):  # not on Linux
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kilobytes = dict(line.split(":", 1) for line in lines)["MemAvailable"].split()[0]
        found.append(1024 * int(kilobytes))
    with suppress(OSError, ValueError):  # missing, or "max": no limit
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(found)
