"""What taking several steps per session call gains, next to the plain train_step.

    python -m benchmarks.multistep

Both train the same network to the same bits (tests/graph/test_multistep.py). The plain loop feeds
float32 images and runs `Graph.train_step` once per step; the other one is the training loop's.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks import machine
from benchmarks.reproduce import RESULTS
from mnist_graph import Recipe, build_graph, read_data_sets, recipes
from mnist_graph.data.batches import batches
from mnist_graph.data.datasets import DataSets
from mnist_graph.graph.build import Graph
from mnist_graph.graph.multistep import MultiStep, add_multistep
from mnist_graph.graph.sessions import choose_device, open_session
from mnist_graph.training.pace import Pace, most_steps

STEPS = {"softmax": 5000, "mlp": 1000, "mnist-99": 300, "cnn": 150}
"""Timed steps of each recipe: a few seconds each."""
WARM_UP = 0.2
"""Additional steps before the clock starts, as a share."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds, in turn (default: 5)")
    options = parser.parse_args()
    data = read_data_sets(validation_size=0)
    times: dict[str, dict[str, list[float]]] = {}
    for _ in range(options.rounds):
        for name in STEPS:
            recipe = recipes[name].override(precision="float32", validation_size=0)
            for way in (train_plainly, train_multistep):
                milliseconds = 1000 * time_steps(way, recipe, data)
                times.setdefault(name, {}).setdefault(way.__name__, []).append(milliseconds)
                print(f"{name:<10}{way.__name__:<17}{milliseconds:.3f} ms", flush=True)
    results = {"machine": machine.describe(), "milliseconds": times}
    (RESULTS / "multistep.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "multistep.md").write_text(_format_report(results, options.rounds))


class Contest(NamedTuple):
    """One network in one session, to be trained either way."""

    recipe: Recipe
    data: DataSets
    session: tf.compat.v1.Session
    graph: Graph
    multistep: MultiStep


def time_steps(way: Callable[[Contest, range], None], recipe: Recipe, data: DataSets) -> float:
    """Train in one `way` in a fresh session; return the seconds per step after the warm-up."""
    device, recipe = choose_device(recipe, "cpu")
    graph = build_graph(recipe)
    multistep = add_multistep(graph, recipe)
    steps = STEPS[recipe.model]
    with open_session(graph.graph, device, recipe.network) as session:
        session.run(graph.initialize)
        contest = Contest(recipe, data, session, graph, multistep)
        first = round(WARM_UP * steps)
        way(contest, range(first))
        start = time.perf_counter()
        way(contest, range(first, first + steps))
        return (time.perf_counter() - start) / steps


def train_plainly(contest: Contest, iterations: range) -> None:
    """Run the plain train_step once per step, fed through feed_dict."""
    recipe, data, session, graph, _ = contest
    for _ in iterations:
        images, labels = data.train.next_batch(recipe.batch_size)
        feed = {graph.images: images, graph.labels: labels}
        session.run(graph.train_step, {**feed, graph.keep_prob: recipe.fed_keep_prob})


def train_multistep(contest: Contest, iterations: range) -> None:
    """Take several steps per session call, as the training loop does."""
    recipe, data, session, _, steps = contest
    inputs = [steps.pixels, steps.labels, steps.keep_prob, steps.steps]
    take_steps = session.make_callable(steps.losses, inputs)
    pace = Pace(most_steps(recipe.batch_size * data.train.pixels[0].size), patience=1.0)
    ranges = pace.ranges(iterations.start, iterations.stop, log_every=100)
    for part, (pixels, labels) in batches(data.train, recipe, ranges):
        with pace.measured(len(part)):
            take_steps(pixels, labels, recipe.fed_keep_prob, len(part))


def _format_report(results: dict, rounds: int) -> str:
    rows = []
    for name, ways in results["milliseconds"].items():
        plain, several = ways["train_plainly"], ways["train_multistep"]
        ratios = sorted(b / a for a, b in zip(plain, several, strict=True))
        rows.append(
            f"| {name} | {median(plain):.3g} | {median(several):.3g} | **{median(ratios):.2f}** "
            f"| {ratios[0]:.2f} to {ratios[-1]:.2f} |"
        )
    return "\n".join(
        [
            "# Several steps per session call",
            "",
            f"Milliseconds per training step in float32, median of {rounds} rounds in turn, on",
            f"{machine.summarize(results['machine'])}.",
            "Reproduce: `python -m benchmarks.multistep`.",
            "",
            "| recipe | plain train_step | several steps per call | ratio | min to max |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
