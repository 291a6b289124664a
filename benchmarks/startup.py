"""Measure how long commands take to start, and how much memory training takes.

    python -m benchmarks.startup [--rounds 5]

The baselines are a plain import of TensorFlow and, for memory, a session that has computed
something. Commands and baselines take turns. Writes benchmarks/results/startup.json and .md.
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

IMPORT_TENSORFLOW = "import sys; sys.modules['matplotlib'] = None; import tensorflow as tf\n"
"""The baseline import. Blocks matplotlib, which Keras would import where it is installed: main.py
blocks it too, so the comparison would be unfair otherwise."""
IMPORT_COMMAND = [sys.executable, "-c", f"{IMPORT_TENSORFLOW}print('done', flush=True)"]
BARE_SESSION = f"""{IMPORT_TENSORFLOW}
with tf.Graph().as_default() as graph:
    one = tf.constant(1)
with tf.compat.v1.Session(graph=graph) as session:
    session.run(one)
"""
MAIN = [sys.executable, str(ROOT / "main.py")]
LIGHT_COMMANDS = {
    "--help": [*MAIN, "--help"],
    "--list-models": [*MAIN, "--list-models"],
    "a mistyped flag": [*MAIN, "--modle", "mlp"],
}
"""Commands that finish without importing TensorFlow."""
TRAINING_COMMANDS = {
    f"--model {name}": [*MAIN, "--model", name] for name in ("softmax", "mlp", "cnn")
}
"""Commands that are timed up to their first line of output."""
ITERATIONS = {"mlp": 300, "cnn": 100}
"""Iterations of the trainings whose memory is measured. A few are enough: memory peaks when a
checkpoint is saved and when the test set is evaluated, however long the training is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="measurements per command (default: %(default)s)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train = [*MAIN, "--model", "mlp", "--iterations", "50", "--run-dir", "run"]
        _time_command(train, folder)
        picture = ["--predict", str(ROOT / "test_img.png")]
        predict = {"--predict of one picture": [*train, *picture]}
        seconds = _measure_in_rounds(
            {"import tensorflow": IMPORT_COMMAND, **TRAINING_COMMANDS},
            options.rounds,
            lambda command: _time_command(command, folder, to_first_line=True),
        )
        seconds |= _measure_in_rounds(
            LIGHT_COMMANDS | predict,
            options.rounds,
            lambda command: _time_command(command, folder),
        )
        trainings = {
            f"--model {name}": [*MAIN, "--model", name, "--iterations", str(count), "--quiet"]
            for name, count in ITERATIONS.items()
        }
        memory = _measure_in_rounds(
            {"a session": [sys.executable, "-c", BARE_SESSION], **trainings},
            options.rounds,
            lambda command: _measure_peak_memory(command, folder),
        )
    results = {"machine": machine.describe(), "seconds": seconds, "megabytes": memory}
    (RESULTS / "startup.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "startup.md").write_text(_format_report(results))


def _measure_in_rounds(
    commands: dict[str, list[str]], rounds: int, measure: Callable[[list[str]], float]
) -> dict[str, list[float]]:
    """Measure every command once per round; return the measurements by command."""
    measured: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            measured[name].append(round(measure(command), 3))
            print(name, measured[name][-1], flush=True)
    return measured


def _time_command(command: list[str], folder: str, to_first_line: bool = False) -> float:
    """Return the seconds until a command exits, or until its first line of output."""
    start = time.perf_counter()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, **streams) as process:
        if to_first_line:
            process.stdout.readline()
            seconds = time.perf_counter() - start
            process.kill()
            return seconds
        process.communicate()
        return time.perf_counter() - start


def _measure_peak_memory(command: list[str], folder: str) -> float:
    """Return the peak resident memory of a command, in MB of 10**6 bytes."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=Path(folder), **streams)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # tells Popen that wait4 has already collected the process
    return usage.ru_maxrss * 1024 / 1e6


def _format_report(results: dict) -> str:
    seconds, memory = results["seconds"], results["megabytes"]
    import_seconds = median(seconds["import tensorflow"])
    session_memory = median(memory["a session"])
    lines = [
        "# Start-up and memory",
        "",
        f"Medians of {len(next(iter(memory.values())))} rounds (minimum to maximum), on "
        f"{machine.summarize(results['machine'])}.",
        f"Importing TensorFlow takes {import_seconds:.2f} s; a process with a bare session takes "
        f"{session_memory:.0f} MB.",
        "Reproduce: `python -m benchmarks.startup`.",
        "",
        "| | seconds | on top of importing TensorFlow |",
        "| --- | --- | --- |",
    ]
    for name, values in seconds.items():
        label = f"`{name}` to its first line" if name in TRAINING_COMMANDS else name
        extra = "" if name in LIGHT_COMMANDS else f"{median(values) - import_seconds:+.2f}"
        spread = f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        lines.append(f"| {label} | {spread} | {extra} |")
    lines += ["", "| | peak MB | on top of a bare session |", "| --- | --- | --- |"]
    for name, values in memory.items():
        spread = f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
        lines.append(f"| {name} | {spread} | {median(values) - session_memory:+.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
