"""Call one function of a contender in this process and print what it returns as JSON.

python -m benchmarks.speed.child MODULE FUNCTION '{"argument": value, ...}'
"""

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.reproduce import ROOT


class ChildError(Exception):
    """The process ended with an error; the message is its last line."""


def call_in_process(module: str, function: str, arguments: dict[str, Any]) -> Any:
    """Call benchmarks.`module`.`function`(**arguments) in a process of its own; return its result,
    of which named tuples are dictionaries. Raises ChildError.
    """
    words = [module, function, json.dumps(arguments)]
    command = [sys.executable, "-m", "benchmarks.speed.child", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ChildError(lines[-1] if lines else f"exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def main(module: str, function: str, arguments: str) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    result = getattr(importlib.import_module(f"benchmarks.{module}"), function)(
        **json.loads(arguments)
    )
    print("\n" + json.dumps(result._asdict() if hasattr(result, "_asdict") else result))


if __name__ == "__main__":
    main(*sys.argv[1:])
