"""Runs a module of this package, or of another, in a Python process of its own.

Converters need one: TensorFlow's leaks memory when it is called twice. So do the checks: a runtime
that is loaded next to another one proves less.
"""

import re
import subprocess
import sys
from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.children import child_environment

MOST_CHARACTERS = 300
"""The longest reason that is passed on."""


def run_module(module: str, *arguments: str | Path, task: str) -> None:
    """Run `python -m module arguments`, silently. Raises MnistGraphError with the reason that it
    gave if it fails; `task` says what it was for.
    """
    environment = {
        **child_environment(),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",  # what a GPU rounds otherwise would differ
    }
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        raise MnistGraphError(f"{task} failed: {_reason(done.stderr.decode(errors='replace'))}")


def _reason(output: str) -> str:
    """Return the line of a process's output that says why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    # TensorFlow's converter prints the whole graph after the line that counts.
    said = [line for line in lines if re.search(r"(Error|Exception): | error: ", line)]
    return (said or lines or ["the process died"])[-1][:MOST_CHARACTERS]
