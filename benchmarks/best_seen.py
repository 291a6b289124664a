"""The best test accuracy seen while training, beside the last.

    python -m benchmarks.best_seen mlp5-sigmoid mlp5-relu [--seeds 3]

Some tutorials state the best of many evaluations on the test images, which flatters a curve
that is noisy. This program never chooses by the test images; it measures here what that
choice is worth. Writes benchmarks/results/best_seen.md.
"""

import argparse
import os
from statistics import fmean

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks import machine
from benchmarks.reproduce import RESULTS
from mnist_graph import build_graph, read_data_sets, recipes
from mnist_graph.batches import make_batch
from mnist_graph.datasets import DataSets
from mnist_graph.recipe import Recipe
from mnist_graph.training import judge_images

EVERY = 100
"""Iterations from one look at the test images to the next, as in the tutorials."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+", choices=list(recipes), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    rows = []
    for name in options.recipes:
        data = read_data_sets(validation_size=recipes[name].validation_size)
        curves = [curve(recipes[name].override(seed=s), data) for s in range(options.seeds)]
        best, last = fmean(map(max, curves)), fmean(c[-1] for c in curves)
        rows.append(f"| {name} | {recipes[name].published} | {best:.4f} | {last:.4f} |")
        print(rows[-1], flush=True)
    seeds = f"seeds 0 to {options.seeds - 1}, means" if options.seeds > 1 else "seed 0"
    head = [
        "# The best seen while training, beside the last",
        "",
        f"Test accuracy every {EVERY} iterations; {seeds}, on "
        f"{machine.sentence(machine.describe())}.",
        f"Again: `python -m benchmarks.best_seen {' '.join(options.recipes)} --seeds "
        f"{options.seeds}`.",
        "",
        "| recipe | published | best | last |",
        "| --- | --- | --- | --- |",
    ]
    (RESULTS / "best_seen.md").write_text("\n".join([*head, *rows, ""]))


def curve(recipe: Recipe, data: DataSets) -> list[float]:
    """The test accuracies of one training, first to last."""
    graph = build_graph(recipe)
    accuracies = []
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        feeds = [graph.pixels, graph.labels, graph.keep_prob]
        step = session.make_callable([graph.train_step], feeds)
        for iteration in range(recipe.iterations):
            step(*make_batch(data.train, recipe, iteration), recipe.keep_prob or 1.0)
            if iteration % EVERY == 0 or iteration == recipe.iterations - 1:
                guesses = judge_images(session, graph, data.test).argmax(axis=1)
                accuracies.append(float((guesses == data.test.sparse_labels).mean()))
    return accuracies


if __name__ == "__main__":
    main()
