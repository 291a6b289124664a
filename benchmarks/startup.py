"""How long a command takes to begin, and how much memory a training takes.

    python -m benchmarks.startup [--rounds 5]

The commands take turns with a plain import of TensorFlow (and, for memory, a session that
has computed something). Writes benchmarks/results/startup.json and .md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT

BARE = "import sys; sys.modules['matplotlib'] = None; import tensorflow as tf\n"
"""Without matplotlib, which Keras would import where it is installed: our command spares it, and
would otherwise be judged by more than TensorFlow's own import."""
IMPORT = [sys.executable, "-c", f"{BARE}print('done', flush=True)"]
SESSION = f"""{BARE}
with tf.Graph().as_default() as graph:
    one = tf.constant(1)
with tf.compat.v1.Session(graph=graph) as session:
    session.run(one)
"""
MAIN = [sys.executable, str(ROOT / "main.py")]
AT_ONCE = {
    "--help": [*MAIN, "--help"],
    "--list-models": [*MAIN, "--list-models"],
    "a mistyped flag": [*MAIN, "--modle", "mlp"],
}
FIRST_LINE = {f"--model {name}": [*MAIN, "--model", name] for name in ("softmax", "mlp", "cnn")}
ITERATIONS = {"mlp": 300, "cnn": 100}
"""Memory is at its height long before a training ends: with the checkpoint and the test."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trained = [*MAIN, "--model", "mlp", "--iterations", "50", "--run-dir", "run"]
        _seconds(trained, folder)
        picture = ["--predict", str(ROOT / "test_img.png")]
        predict = {"--predict of one picture": [*trained, *picture]}
        seconds = _in_turn(
            {"import tensorflow": IMPORT, **FIRST_LINE},
            options.rounds,
            lambda command: _seconds(command, folder, to_first_line=True),
        )
        seconds |= _in_turn(
            AT_ONCE | predict, options.rounds, lambda command: _seconds(command, folder)
        )
        trainings = {
            f"--model {name}": [*MAIN, "--model", name, "--iterations", str(count), "--quiet"]
            for name, count in ITERATIONS.items()
        }
        bare = [sys.executable, "-c", SESSION]
        memory = _in_turn({"a session": bare, **trainings}, options.rounds, _peak_in(folder))
    results = {"machine": machine.describe(), "seconds": seconds, "megabytes": memory}
    (RESULTS / "startup.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "startup.md").write_text(_markdown(results))


def _in_turn(
    commands: dict[str, list[str]], rounds: int, measure: Callable[[list[str]], float]
) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            measured[name].append(round(measure(command), 3))
            print(name, measured[name][-1], flush=True)
    return measured


def _seconds(command: list[str], folder: str, to_first_line: bool = False) -> float:
    """From the command to its end, or to its first line on standard output."""
    begun = time.perf_counter()
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, **quiet) as process:
        if to_first_line:
            process.stdout.readline()
            seconds = time.perf_counter() - begun
            process.kill()
            return seconds
        process.communicate()
        return time.perf_counter() - begun


def _peak_in(folder: str) -> Callable[[list[str]], float]:
    """What measures a command's largest resident memory, in MB of 10**6 bytes."""

    def peak(command: list[str]) -> float:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=Path(folder), **quiet)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it has been waited for
        return usage.ru_maxrss * 1024 / 1e6

    return peak


def _markdown(results: dict) -> str:
    seconds, memory = results["seconds"], results["megabytes"]
    imported, session = (
        median(r[n]) for r, n in ((seconds, "import tensorflow"), (memory, "a session"))
    )
    lines = [
        "# Start-up and memory",
        "",
        f"Medians of {len(next(iter(memory.values())))} rounds, with their spread, on "
        f"{machine.sentence(results['machine'])}.",
        "Again: `python -m benchmarks.startup`. Importing TensorFlow takes "
        f"{imported:.2f} s, and with a session {session:.0f} MB.",
        "",
        "| | seconds | beyond TensorFlow's import |",
        "| --- | --- | --- |",
    ]
    for name, values in seconds.items():
        what = f"`{name}` to its first line" if name in FIRST_LINE else name
        beyond = "" if name in AT_ONCE else f"{median(values) - imported:+.2f}"
        lines.append(
            f"| {what} | {median(values):.2f} ({min(values):.2f} to {max(values):.2f}) | {beyond} |"
        )
    lines += ["", "| | MB at most | beyond the session |", "| --- | --- | --- |"]
    for name, values in memory.items():
        spread = f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
        lines.append(f"| {name} | {spread} | {median(values) - session:+.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
