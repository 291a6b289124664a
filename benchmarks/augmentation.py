"""Measure whether augmentation slows down training, in iterations per second.

    python -m benchmarks.augmentation [--rounds 5] [--iterations 150]

Trains cnn-best with and without augmentation, alternating between the two. Writes
benchmarks/results/augmentation.md and .json.
"""

import argparse
import json
import os
import tempfile
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import machine
from benchmarks.reproduce import RESULTS
from mnist_graph import Recipe, read_data_sets, recipes, train

MODEL = "cnn-best"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="trainings of each kind (default: %(default)s)"
    )
    parser.add_argument(
        "--iterations", type=int, default=150, help="length of a training (default: %(default)s)"
    )
    options = parser.parse_args()
    augmented = recipes[MODEL].override(iterations=options.iterations)
    variants = {"without": augmented.override(augmentation=None), "with": augmented}
    data = read_data_sets(validation_size=augmented.validation_size)
    speeds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(options.rounds):
        for name, recipe in variants.items():
            speeds[name].append(_measure_speed(recipe, data))
            print(f"{name}: {speeds[name][-1]} iterations per second", flush=True)
    results = {"machine": machine.describe(), "iterations": options.iterations, "speeds": speeds}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "augmentation.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "augmentation.md").write_text(_format_report(results))


def _measure_speed(recipe: Recipe, data: object) -> float:
    """Train once and return the iterations per second."""
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, data, runs_dir=folder, log_every=recipe.iterations)
        return run.result.iterations_per_second


def _format_report(results: dict) -> str:
    speeds = results["speeds"]
    ratio = median(a / b for a, b in zip(speeds["with"], speeds["without"], strict=True))
    rows = [
        f"| {name} | {median(values):.2f} | {min(values):.2f} to {max(values):.2f} |"
        for name, values in speeds.items()
    ]
    return "\n".join(
        [
            "# Cost of augmentation",
            "",
            f"Iterations per second of {MODEL} with and without augmentation, alternating, over "
            f"{len(speeds['with'])} rounds of {results['iterations']} iterations, on "
            f"{machine.summarize(results['machine'])}.",
            "Reproduce: `python -m benchmarks.augmentation`.",
            "",
            "| augmentation | median | min to max |",
            "| --- | --- | --- |",
            *rows,
            "",
            "Speed with augmentation relative to without, median over the rounds: "
            f"**{ratio:.3f}**.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
