"""Accuracy for time: test accuracy against the seconds of training, from mnist-99 to cnn-best.

    python -m benchmarks.curve                              measure what is missing, hours
    python -m benchmarks.curve --again                      and what is of another commit
    python -m benchmarks.curve --recipes mnist-99 cnn-best:1875 --seeds 2

NAME:N is a recipe with N iterations instead of its own. Runs the command line once per recipe and
seed, each time in a process of its own, on an idle machine. Results are added to
benchmarks/results/curve.json one by one: the same command continues. curve.md and
docs/accuracy-for-time.png show all of them, with points that others published.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.checkout import find_commit, is_exact
from benchmarks.curve_report import LEAST_SEEDS, draw, format_report
from benchmarks.idle import add_patience, read_cpu_time, share_of_others, wait_until_idle
from benchmarks.reproduce import RESULTS, ROOT, train_and_measure
from mnist_graph import recipes

RECIPES = ("mnist-99", "cnn-fast", "cnn5-fast", "cnn5-fast:9375", "cnn-best")
"""From the fastest recipe to the most accurate one; cnn5-fast also for 20 epochs instead of 3.5."""


def main() -> None:
    options = parse_options()
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "curve.json"
    found = json.loads(path.read_text()) if path.exists() else {"points": {}}
    found["machine"] = machine.describe()
    commit = find_commit()
    wait = partial(wait_until_idle, patience=options.patience)
    for seed in range(options.seeds):  # all recipes first, so that a stopped curve is whole
        for recipe in options.recipes:
            runs = found["points"].setdefault(recipe, [])
            if not is_missing(runs, seed, commit, options.again):
                continue
            run = {"commit": commit, **measure(recipe, seed, wait)}
            print(recipe, run, flush=True)
            others = [each for each in runs if each["seed"] != seed]
            found["points"][recipe] = sorted([*others, run], key=lambda each: each["seed"])
            path.write_text(json.dumps(found, indent=2) + "\n")
    (options.results / "curve.md").write_text(format_report(found))
    draw(found, options.picture)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--recipes",
        nargs="+",
        type=checked_recipe,
        default=RECIPES,
        metavar="NAME[:N]",
        help=f"recipes, with or without iterations (default: {' '.join(RECIPES)})",
    )
    add("--seeds", type=int, default=LEAST_SEEDS, help="seeds per recipe (default: %(default)s)")
    add("--again", action="store_true", help="measure again what is of another commit")
    add_patience(parser)
    add("--results", type=Path, default=RESULTS, metavar="DIR", help="folder of curve.json and .md")
    add(
        "--picture",
        type=Path,
        default=ROOT / "docs" / "accuracy-for-time.png",
        metavar="FILE",
        help="the picture (default: docs/accuracy-for-time.png)",
    )
    return parser.parse_args()


def checked_recipe(text: str) -> str:
    """Return `text`, NAME or NAME:N. Raises argparse.ArgumentTypeError for anything else."""
    name, colon, iterations = text.partition(":")
    if name not in recipes:
        raise argparse.ArgumentTypeError(f"there is no recipe {name!r}")
    if colon and not (iterations.isdecimal() and int(iterations)):
        raise argparse.ArgumentTypeError(f"{iterations!r} is not a number of iterations")
    return text


def is_missing(runs: list[dict[str, Any]], seed: int, commit: str, again: bool) -> bool:
    """Return whether no run has this `seed`, or, if `again`, none of this `commit` has it."""
    return not any(
        run["seed"] == seed and (not again or (run["commit"] == commit and is_exact(commit)))
        for run in runs
    )


def measure(recipe: str, seed: int, wait: Any = wait_until_idle) -> dict[str, Any]:
    """Train once when the machine is idle; return what benchmarks.reproduce measures, and how busy
    the machine was before ("busy_before") and with other processes during it ("others").
    """
    name, _, iterations = recipe.partition(":")
    words = ["--iterations", iterations] if iterations else []
    busy, before = wait(), read_cpu_time()
    run = train_and_measure(name, seed, words=words)
    others = share_of_others(before, read_cpu_time(), run["cpu_seconds"])
    return {**run, "busy_before": round(busy, 4), "others": round(others, 4)}


if __name__ == "__main__":
    main()
