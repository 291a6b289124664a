"""Train every recipe and set its test accuracy beside the published one.

    python -m benchmarks.reproduce                       what is not measured yet
    python -m benchmarks.reproduce --recipes cnn-fast --seeds 5

Each run is the command line's own, in a process of its own, with seeds 0, 1, 2, ...; the
results go to benchmarks/results/reproduce.json, to which later calls add, and reproduce.md.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import machine
from mnist_graph import recipes

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
LONG = 120
"""Seconds: what takes longer is trained with one seed unless --seeds says otherwise."""
SEEDS = 3

NOTES: dict[str, str] = {}
"""Why a published figure is not met, or what else must be known of a row."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--recipes", nargs="+", choices=list(recipes), metavar="NAME")
    parser.add_argument("--seeds", type=int, metavar="N", help="3; 1 for over two minutes")
    parser.add_argument("--again", action="store_true", help="measure anew what is measured")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "reproduce.json"
    results = json.loads(path.read_text()) if path.exists() else {"recipes": {}}
    results["machine"] = machine.describe()
    for name in options.recipes or recipes:
        runs = [] if options.again else results["recipes"].get(name, [])
        for run in _missing_runs(name, runs, options.seeds):
            print(f"{name} {run}", flush=True)
            runs.append(run)
            results["recipes"][name] = runs
            path.write_text(json.dumps(results, indent=2) + "\n")
    (options.results / "reproduce.md").write_text(_markdown(results))


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


def _missing_runs(name: str, runs: list[dict], seeds: int | None) -> Iterator[dict[str, Any]]:
    """The runs of recipe `name` that are still to be had, one seed after the other."""
    seed = len(runs)
    while True:
        short = not runs or runs[0]["wall_seconds"] < LONG
        if seed >= (seeds or (SEEDS if short else 1)):
            return
        yield _measure(name, seed)
        seed += 1


def _measure(name: str, seed: int) -> dict[str, Any]:
    """One run from the command to its end: accuracy, and seconds of three kinds."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "run"
        command = [sys.executable, "main.py", "--model", name, "--seed", str(seed), "--quiet"]
        before = _cpu_seconds()
        start = time.perf_counter()
        subprocess.run([*command, "--run-dir", directory], cwd=ROOT, check=True)
        wall = time.perf_counter() - start
        result = json.loads((directory / "result.json").read_text())
    return {
        "seed": seed,
        "test_accuracy": result["test_accuracy"],
        "training_seconds": result["seconds"],
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(_cpu_seconds() - before, 2),
    }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _markdown(results: dict[str, Any]) -> str:
    lines = [
        "# Published accuracies, and ours",
        "",
        "On the 10,000 test images, trained as `python main.py --model NAME --seed 0`, 1, 2, ...",
        "does. Wall and CPU seconds are of the whole command, start-up, test and all; the mean",
        f"over the seeds. On {machine.sentence(results['machine'])}.",
        "Again: `python -m benchmarks.reproduce --again`.",
        "",
        "| recipe | published | ours, mean | min to max | seeds | wall s | CPU s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    measured = [name for name in recipes if name in results["recipes"]]
    lines += [_row(name, results["recipes"][name]) for name in measured]
    notes = [f"- {name}: {NOTES[name]}" for name in measured if name in NOTES]
    return "\n".join([*lines, "", *notes]).rstrip() + "\n"


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    def values(key: str) -> list[float]:
        return [run[key] for run in runs]

    def mean(key: str, form: Callable[[float], str]) -> str:
        return form(fmean(values(key)))

    accuracies = values("test_accuracy")
    cells = (
        name,
        recipes[name].published or "-",
        f"**{fmean(accuracies):.4f}**",
        f"{min(accuracies):.4f} to {max(accuracies):.4f}" if len(runs) > 1 else "",
        str(len(runs)),
        mean("wall_seconds", "{:,.1f}".format),
        mean("cpu_seconds", "{:,.1f}".format),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
