"""What watching costs a training, and how soon the window answers a key meanwhile.

    python -m benchmarks.watch [--rounds 5] [--keys 20]

cnn is trained with and without --watch, in turn, on a screen that Xvfb makes (Debian's xvfb,
and requirements-dev.txt). Writes benchmarks/results/watch.json and .md.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT
from benchmarks.screen import Screen, screen

WORDS = ("--model", "cnn", "--quiet", "--device", "cpu")
ITERATIONS = 1500
SETTLED = 0.04
"""Seconds without a change, behind which a key's answer is complete."""
BARS = {"cost": 0.15, "answer": 0.2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=20)
    options = parser.parse_args()
    results: dict = {"machine": machine.describe(), "without": [], "with": []}
    with tempfile.TemporaryDirectory() as folder, screen() as shown:
        for number in range(options.rounds):
            for name, watched in (("without", []), ("with", ["--watch"])):
                run = Path(folder) / f"{name}{number}"
                with _training(shown, run, ITERATIONS, *watched) as process:
                    while not (run / "result.json").exists():
                        time.sleep(0.1)
                        assert process.poll() in (None, 0)
                    for window in shown.windows():
                        shown.close(window)
                    process.wait()
                    speed = json.loads((run / "result.json").read_text())["iterations_per_second"]
                results[name].append(speed)
                print(name, speed, flush=True)
        results["answers"] = _answers(shown, Path(folder) / "keys", options.keys)
    (RESULTS / "watch.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "watch.md").write_text(_markdown(results))


def _training(shown: Screen, run: Path, iterations: int, *words: str) -> "_Ended":
    command = [sys.executable, "main.py", *WORDS, "--iterations", str(iterations)]
    return _Ended(
        subprocess.Popen(
            [*command, "--run-dir", run, *words],
            cwd=ROOT,
            env={**os.environ, "DISPLAY": shown.name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )


class _Ended:
    """A process that is ended where it is no longer needed."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait()


def _answers(shown: Screen, run: Path, keys: int) -> list[float]:
    """Seconds from a key to the last change of the picture that it makes, while cnn trains."""
    order = random.Random(0)
    answers = []
    with _training(shown, run, 100_000, "--watch"):
        window = shown.window()
        time.sleep(15)
        before = "0"
        for _ in range(keys):
            key = order.choice([key for key in "1234567890" if key != before])
            answers.append(_answer(shown, window, key))
            print(f"key {key}: {answers[-1]:.3f}", flush=True)
            before = key
            time.sleep(order.uniform(0.5, 1.5))
    return answers


def _answer(shown: Screen, window: object, key: str) -> float:
    last = _sample(shown)
    begun = changed = time.perf_counter()
    shown.key(window, key)
    while changed == begun or time.perf_counter() - changed < SETTLED:
        time.sleep(0.01)
        now = _sample(shown)
        if not np.array_equal(now, last):
            last, changed = now, time.perf_counter()
        if time.perf_counter() - begun > 5:
            raise TimeoutError(f"key {key} was not answered")
    return changed - begun


def _sample(shown: Screen) -> np.ndarray:
    """A row of the picture that runs through all panels of the lower row, and one above."""
    return np.concatenate([shown.picture(0, y, 1280, 1) for y in (150, 300, 500, 600)])


def _markdown(results: dict) -> str:
    pairs = zip(results["with"], results["without"], strict=True)
    cost = [1 - watched / alone for watched, alone in pairs]
    answers = results["answers"]
    slow = sum(answer > BARS["answer"] for answer in answers)
    lines = [
        "# Watching",
        "",
        f"cnn, {ITERATIONS:,} iterations, with and without `--watch` in turn, on",
        f"{machine.sentence(results['machine'])}; a window of 1280x720 on Xvfb.",
        "Again: `python -m benchmarks.watch`.",
        "",
        "| | iterations per second, median | min to max |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {median(results[name]):.1f} | {min(results[name]):.1f} to "
            f"{max(results[name]):.1f} |"
            for name in ("without", "with")
        ),
        "",
        f"Watching costs, round by round, {median(cost):.1%} of them ({min(cost):.1%} to "
        f"{max(cost):.1%}, {len(cost)} rounds).",
        "",
        f"A key is answered, the whole picture drawn anew, in {1000 * median(answers):.0f} ms "
        f"({1000 * min(answers):.0f} to {1000 * max(answers):.0f}, {len(answers)} keys, {slow} "
        f"above {1000 * BARS['answer']:.0f}).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
