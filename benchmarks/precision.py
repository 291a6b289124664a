"""Does bfloat16 cost accuracy? cnn in both precisions, with the same seeds.

    python -m benchmarks.precision [--seeds 5] [--keep DIR]

The runs are kept in DIR, and those that are finished there are not trained again. Writes
benchmarks/results/precision.json and .md.
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
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path, default=ROOT / "runs" / "precision", metavar="DIR")
    options = parser.parse_args()
    seeds = range(options.seeds)
    accuracies = {
        precision: [_accuracy(options.keep.resolve(), precision, seed) for seed in seeds]
        for precision in PRECISIONS
    }
    results = {"machine": machine.describe(), "accuracies": accuracies}
    (RESULTS / "precision.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "precision.md").write_text(_markdown(results))


def _accuracy(folder: Path, precision: str, seed: int) -> float:
    """Of the run with this seed, which is trained, or gone on with, where it is not finished."""
    run = folder / f"cnn-{precision}-{seed}"
    if not (run / "result.json").exists():
        command = [sys.executable, "main.py", "--model", "cnn", "--quiet", "--run-dir", run]
        command += ["--precision", precision, "--seed", str(seed)]
        subprocess.run([*command, *(["--resume"] if run.exists() else [])], cwd=ROOT, check=True)
    accuracy = json.loads((run / "result.json").read_text())["test_accuracy"]
    print(precision, seed, accuracy, flush=True)
    return accuracy


def _markdown(results: dict) -> str:
    accuracies = results["accuracies"]
    rows = [
        f"| {seed} | {' | '.join(f'{accuracy:.4f}' for accuracy in each)} |"
        for seed, each in enumerate(zip(*accuracies.values(), strict=True))
    ]
    spread = (f"{fmean(each):.4f} ({stdev(each):.4f})" for each in accuracies.values())
    return "\n".join(
        [
            "# bfloat16 and accuracy",
            "",
            "Test accuracy of cnn after its 20,000 iterations, on",
            f"{machine.sentence(results['machine'])}. Again: `python -m benchmarks.precision`.",
            "",
            f"| seed | {' | '.join(accuracies)} |",
            "| --- | --- | --- |",
            *rows,
            f"| mean (standard deviation) | {' | '.join(spread)} |",
            "",
        ]
    )


if __name__ == "__main__":
    main()
