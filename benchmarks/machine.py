"""What a figure was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str]:
    """The processor, memory and software of this machine."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "numpy": version("numpy"),
    }


def sentence(machine: dict[str, str]) -> str:
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} of memory; "
        f"Python {machine['python']}, TensorFlow {machine['tensorflow']}, "
        f"NumPy {machine['numpy']}"
    )


def _memory() -> str:
    kilobytes = (_field("/proc/meminfo", "MemTotal") or "").removesuffix(" kB")
    return f"{int(kilobytes) / 2**20:.0f} GiB" if kilobytes.isdigit() else "unknown size"


def _field(path: str, name: str) -> str | None:
    """The first value of `name` in a file of "name : value" lines."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)
