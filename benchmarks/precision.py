"""Measure whether bfloat16 costs accuracy: train cnn in both precisions with the same seeds.

    python -m benchmarks.precision [--seeds 5] [--keep DIR]

The runs are saved in DIR. Finished runs found there are reused, interrupted ones resumed.
Writes benchmarks/results/precision.json and .md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import fmean, stdev

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT

PRECISIONS = ("float32", "bfloat16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seeds", type=int, default=5, help="seeds per precision (default: %(default)s)"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=ROOT / "runs" / "precision",
        metavar="DIR",
        help="folder of the runs (default: runs/precision)",
    )
    options = parser.parse_args()
    seeds = range(options.seeds)
    accuracies = {
        precision: [_train_or_load(options.keep.resolve(), precision, seed) for seed in seeds]
        for precision in PRECISIONS
    }
    results = {"machine": machine.describe(), "accuracies": accuracies}
    (RESULTS / "precision.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "precision.md").write_text(_format_report(results))


def _train_or_load(folder: Path, precision: str, seed: int) -> float:
    """Return the test accuracy of a run, training or resuming it first if it is unfinished."""
    run = folder / f"cnn-{precision}-{seed}"
    if not (run / "result.json").exists():
        command = [sys.executable, "main.py", "--model", "cnn", "--quiet", "--run-dir", run]
        command += ["--precision", precision, "--seed", str(seed)]
        subprocess.run([*command, *(["--resume"] if run.exists() else [])], cwd=ROOT, check=True)
    accuracy = json.loads((run / "result.json").read_text())["test_accuracy"]
    print(f"{precision}, seed {seed}: test accuracy {accuracy}", flush=True)
    return accuracy


def _format_report(results: dict) -> str:
    accuracies = results["accuracies"]
    rows = [
        f"| {seed} | {' | '.join(f'{accuracy:.4f}' for accuracy in pair)} |"
        for seed, pair in enumerate(zip(*accuracies.values(), strict=True))
    ]
    summary = (f"{fmean(column):.4f} ({stdev(column):.4f})" for column in accuracies.values())
    return "\n".join(
        [
            "# Accuracy in float32 and bfloat16",
            "",
            "Test accuracy of cnn after 20,000 iterations, on",
            f"{machine.summarize(results['machine'])}.",
            "Reproduce: `python -m benchmarks.precision`.",
            "",
            f"| seed | {' | '.join(accuracies)} |",
            "| --- | --- | --- |",
            *rows,
            f"| mean (standard deviation) | {' | '.join(summary)} |",
            "",
        ]
    )


if __name__ == "__main__":
    main()
