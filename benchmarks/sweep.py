"""How many trainings at a time are fastest: a sweep of some seeds, in several ways.

    python -m benchmarks.sweep [--rounds 3] [--runs 4]

The ways are one training at a time on all cores, one per core, and two per core. They take turns.
The time is that of the whole sweep: starting processes, reading data, testing. The memory is that
of the largest process. mnist_graph/experiments/cores.py follows from it. Writes
benchmarks/results/sweep.json and .md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT

RECIPES = {"softmax": 1000, "mlp": 1000, "cnn-fast": 100}
"""The iterations of each recipe: its own, or fewer."""
ONE_SWEEP = """
import resource
import sys
from mnist_graph import recipes, sweep
model, iterations, runs, at_a_time, folder = sys.argv[1:]
recipe = recipes[model].override(iterations=int(iterations))
seeds = list(range(int(runs)))
found = sweep(recipe, {"seed": seeds}, at_a_time=int(at_a_time), device="cpu", sweeps_dir=folder)
assert len(found.results) == len(seeds) and not found.failures
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""In a process of its own, so that the memory of its children is counted apart, in kB."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds, in turn (default: 3)")
    parser.add_argument("--runs", type=int, default=4, help="runs of each sweep (default: 4)")
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="folder of sweep.json and sweep.md (default: benchmarks/results)",
    )
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    measured: dict[str, dict[str, list[dict[str, float]]]] = {}
    for _ in range(options.rounds):
        for model in RECIPES:
            for at_a_time in (1, cores, 2 * cores):
                once = _measure(model, options.runs, at_a_time)
                print(f"{model:<10}{at_a_time} at a time: {once}", flush=True)
                measured.setdefault(model, {}).setdefault(str(at_a_time), []).append(once)
    results = {
        "machine": machine.describe(),
        "cores": cores,
        "runs": options.runs,
        "measured": measured,
    }
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "sweep.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.results / "sweep.md").write_text(_format_report(results))


def _measure(model: str, runs: int, at_a_time: int) -> dict[str, float]:
    """Train some seeds in a process of its own; return the seconds, the load before and the
    memory of the largest process in GB.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        words = [model, str(RECIPES[model]), str(runs), str(at_a_time), folder]
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", ONE_SWEEP, *words],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds = time.perf_counter() - start
    gigabytes = int(done.stdout) * 1024 / 1e9
    return {"seconds": round(seconds, 2), "gigabytes": round(gigabytes, 2), "load": round(load, 2)}


def _format_report(results: dict[str, Any]) -> str:
    cores, runs = results["cores"], results["runs"]
    ways = {"1": "one at a time", str(cores): "one per core", str(2 * cores): "two per core"}
    lines = [
        "# How many trainings at a time",
        "",
        f"Seconds that `sweep` takes for {runs} runs, with the start of its processes (median, and",
        "all rounds), and the memory of the largest of them. Measured on",
        f"{machine.summarize(results['machine'])}.",
        "Reproduce: `python -m benchmarks.sweep`.",
        "",
        f"| recipe, iterations | {' | '.join(ways.values())} | GB per process |",
        f"| --- |{' --- |' * (len(ways) + 1)}",
    ]
    for model, by_way in results["measured"].items():
        cells = [f"{model}, {RECIPES[model]:,}"]
        for way in ways:
            seconds = sorted(once["seconds"] for once in by_way[way])
            each = ", ".join(f"{value:.1f}" for value in seconds)
            cells.append(f"**{median(seconds):.1f}** ({each})")
        most = max(once["gigabytes"] for rounds in by_way.values() for once in rounds)
        lines.append(f"| {' | '.join([*cells, f'{most:.1f}'])} |")
    loads = [once["load"] for by in results["measured"].values() for r in by.values() for once in r]
    lines += ["", f"The load of the machine before each was {min(loads):.1f} to {max(loads):.1f}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
