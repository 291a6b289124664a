"""Measure how much --watch slows down training, and how fast its window responds to keys.

    python -m benchmarks.watch [--rounds 5] [--keys 20]

Trains cnn with and without --watch in turn, on a virtual display; this needs Xvfb (Debian's
xvfb) and requirements-dev.txt. Writes benchmarks/results/watch.json and .md.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT
from tests.virtual_screen import Screen, screen

FLAGS = ("--model", "cnn", "--quiet", "--device", "cpu")
ITERATIONS = 1500
"""Iterations of each training whose speed is measured."""
SETTLE_SECONDS = 0.04
"""A redraw counts as complete after this many seconds without a change in the window. Screenshots
are at least 0.01 s apart, so these are up to four of them."""
SLOW_RESPONSE_SECONDS = 0.2
"""Slower responses to a key are counted in the report."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="trainings with --watch, and as many without (default: %(default)s)",
    )
    parser.add_argument("--keys", type=int, default=20, help="keys to press (default: %(default)s)")
    options = parser.parse_args()
    results: dict = {"machine": machine.describe(), "without": [], "with": []}
    with tempfile.TemporaryDirectory() as folder, screen() as display:
        for number in range(options.rounds):
            for name, flags in (("without", []), ("with", ["--watch"])):
                run = Path(folder) / f"{name}{number}"
                results[name].append(_measure_speed(display, run, *flags))
                print(f"{name} --watch: {results[name][-1]} iterations per second", flush=True)
        results["answers"] = _measure_responses(display, Path(folder) / "keys", options.keys)
    (RESULTS / "watch.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "watch.md").write_text(_format_report(results))


def _measure_speed(display: Screen, run: Path, *flags: str) -> float:
    """Train once, close the window if there is one, and return the iterations per second."""
    with _start_training(display, run, ITERATIONS, *flags) as process:
        while not (run / "result.json").exists():
            time.sleep(0.1)
            assert process.poll() in (None, 0)
        for window in display.list_windows():
            display.close(window)
        process.wait()
        return json.loads((run / "result.json").read_text())["iterations_per_second"]


@contextmanager
def _start_training(
    display: Screen, run: Path, iterations: int, *flags: str
) -> Iterator[subprocess.Popen]:
    """Start a training on `display`; terminate it when the context ends."""
    command = [sys.executable, "main.py", *FLAGS, "--iterations", str(iterations)]
    process = subprocess.Popen(
        [*command, "--run-dir", run, *flags],
        cwd=ROOT,
        env={**os.environ, "DISPLAY": display.name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _measure_responses(display: Screen, run: Path, keys: int) -> list[float]:
    """Press random view keys while cnn trains; return the response time to each, in seconds."""
    rng = random.Random(0)
    responses = []
    with _start_training(display, run, 100_000, "--watch"):  # outlasts all the keys
        window = display.wait_for_window()
        time.sleep(15)  # until training is well under way
        previous = "0"
        for _ in range(keys):
            key = rng.choice([key for key in "1234567890" if key != previous])
            responses.append(_time_response(display, window, key))
            print(f"key {key}: {responses[-1]:.3f} s", flush=True)
            previous = key
            time.sleep(rng.uniform(0.5, 1.5))
    return responses


def _time_response(display: Screen, window: object, key: str) -> float:
    """Press a key; return the seconds until the last change of the redraw that follows."""
    before = _capture_sample(display)
    start = changed = time.perf_counter()
    display.press(window, key)
    while changed == start or time.perf_counter() - changed < SETTLE_SECONDS:
        time.sleep(0.01)
        after = _capture_sample(display)
        if not np.array_equal(after, before):
            before, changed = after, time.perf_counter()
        if time.perf_counter() - start > 5:
            raise TimeoutError(f"no response to key {key} within 5 seconds")
    return changed - start


def _capture_sample(display: Screen) -> np.ndarray:
    """Capture four rows of pixels, which together cross all six panels."""
    return np.concatenate([display.capture(0, y, 1280, 1) for y in (150, 300, 500, 600)])


def _format_report(results: dict) -> str:
    pairs = zip(results["with"], results["without"], strict=True)
    costs = [1 - watched / unwatched for watched, unwatched in pairs]
    responses = results["answers"]
    slow = sum(response > SLOW_RESPONSE_SECONDS for response in responses)
    lines = [
        "# Cost of --watch",
        "",
        f"cnn, {ITERATIONS:,} iterations, alternating between runs with and without `--watch`, on",
        f"{machine.summarize(results['machine'])}; a window of 1280x720 on Xvfb.",
        "Reproduce: `python -m benchmarks.watch`.",
        "",
        "| `--watch` | iterations per second, median | min to max |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {median(results[name]):.1f} | {min(results[name]):.1f} to "
            f"{max(results[name]):.1f} |"
            for name in ("without", "with")
        ),
        "",
        f"Round by round, `--watch` costs {median(costs):.1%} of the speed (median; "
        f"{min(costs):.1%} to {max(costs):.1%}, {len(costs)} rounds).",
        "",
        f"The window is redrawn {1000 * median(responses):.0f} ms after a key press (median; "
        f"{1000 * min(responses):.0f} to {1000 * max(responses):.0f}, {len(responses)} keys, "
        f"{slow} of them slower than {1000 * SLOW_RESPONSE_SECONDS:.0f} ms).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
