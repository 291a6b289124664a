"""The machine a benchmark ran on: its processor, memory and software versions."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str]:
    """Describe the processor, memory and software of this machine."""
    return {
        "processor": _read_field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": _read_memory_size(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "numpy": version("numpy"),
    }


def summarize(machine: dict[str, str]) -> str:
    """Turn a description from `describe` into a phrase for a report."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} of memory; "
        f"Python {machine['python']}, TensorFlow {machine['tensorflow']}, "
        f"NumPy {machine['numpy']}"
    )


def _read_memory_size() -> str:
    kilobytes = (_read_field("/proc/meminfo", "MemTotal") or "").removesuffix(" kB")
    return f"{int(kilobytes) / 2**20:.0f} GiB" if kilobytes.isdigit() else "unknown size"


def _read_field(path: str, name: str) -> str | None:
    """Return the first value of `name` in a file of "name : value" lines."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)
