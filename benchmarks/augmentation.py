"""Does augmentation slow the training? Iterations per second with and without it.

    python -m benchmarks.augmentation [--rounds 5] [--iterations 150]

Trains cnn-best both ways in turn, and writes benchmarks/results/augmentation.md and .json.
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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=150)
    options = parser.parse_args()
    distorted = recipes[MODEL].override(iterations=options.iterations)
    variants = {"without": distorted.override(augmentation=None), "with": distorted}
    data = read_data_sets(validation_size=distorted.validation_size)
    speeds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(options.rounds):
        for name, recipe in variants.items():
            speeds[name].append(_iterations_per_second(recipe, data))
            print(name, speeds[name][-1], flush=True)
    results = {"machine": machine.describe(), "iterations": options.iterations, "speeds": speeds}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "augmentation.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "augmentation.md").write_text(_markdown(results))


def _iterations_per_second(recipe: Recipe, data: object) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, data, runs_dir=folder, log_every=recipe.iterations)
        return run.result.iterations_per_second


def _markdown(results: dict) -> str:
    speeds = results["speeds"]
    ratio = median(a / b for a, b in zip(speeds["with"], speeds["without"], strict=True))
    rows = [
        f"| {name} | {median(values):.2f} | {min(values):.2f} to {max(values):.2f} |"
        for name, values in speeds.items()
    ]
    return "\n".join(
        [
            "# Augmentation beside training",
            "",
            f"Iterations per second of {MODEL}, {len(speeds['with'])} rounds in turn of "
            f"{results['iterations']} iterations, on {machine.sentence(results['machine'])}.",
            "Again: `python -m benchmarks.augmentation`.",
            "",
            "| augmentation | median | min to max |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"With / without, round by round, median: **{ratio:.3f}**.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
