"""Compare the best test accuracy seen during training with the final one.

    python -m benchmarks.best_seen mlp5-sigmoid mlp5-relu [--seeds 3]

Some tutorials report the best of many evaluations on the test set, which flatters a noisy
curve. This package never selects by test accuracy; this benchmark measures how much that
selection would gain. Writes benchmarks/results/best_seen.md.
"""

import argparse
import os
from statistics import fmean

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks import machine
from benchmarks.reproduce import RESULTS
from mnist_graph import build_graph, read_data_sets, recipes
from mnist_graph.data.batches import make_batch
from mnist_graph.data.datasets import DataSets
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.batches import batch_slices

EVALUATION_INTERVAL = 100
"""Iterations between two evaluations on the test set, as in the tutorials."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "recipes", nargs="+", choices=list(recipes), metavar="NAME", help="recipes to train"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="seeds per recipe (default: %(default)s)"
    )
    options = parser.parse_args()
    rows = []
    for name in options.recipes:
        data = read_data_sets(validation_size=recipes[name].validation_size)
        curves = [
            train_and_evaluate(recipes[name].override(seed=seed), data)
            for seed in range(options.seeds)
        ]
        best, last = fmean(map(max, curves)), fmean(curve[-1] for curve in curves)
        rows.append(f"| {name} | {recipes[name].published} | {best:.4f} | {last:.4f} |")
        print(rows[-1], flush=True)
    seeds = f"means over seeds 0 to {options.seeds - 1}" if options.seeds > 1 else "seed 0"
    head = [
        "# Best test accuracy during training and final test accuracy",
        "",
        f"Evaluated on the test set every {EVALUATION_INTERVAL} iterations; {seeds}, on "
        f"{machine.summarize(machine.describe())}.",
        f"Reproduce: `python -m benchmarks.best_seen {' '.join(options.recipes)} --seeds "
        f"{options.seeds}`.",
        "",
        "| recipe | published | best | last |",
        "| --- | --- | --- | --- |",
    ]
    (RESULTS / "best_seen.md").write_text("\n".join([*head, *rows, ""]))


def train_and_evaluate(recipe: Recipe, data: DataSets) -> list[float]:
    """Train once; return the test accuracy of every evaluation, in order."""
    graph = build_graph(recipe)
    accuracies = []
    with tf.compat.v1.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        feeds = [graph.pixels, graph.labels, graph.keep_prob]
        step = session.make_callable([graph.train_step], feeds)

        def predict(pixels: np.ndarray) -> np.ndarray:
            return session.run(graph.logits, {graph.pixels: pixels}).argmax(axis=1)

        for iteration in range(recipe.iterations):
            step(*make_batch(data.train, recipe, iteration), recipe.fed_keep_prob)
            if iteration % EVALUATION_INTERVAL == 0 or iteration == recipe.iterations - 1:
                correct = sum(
                    (predict(data.test.pixels[part]) == data.test.sparse_labels[part]).sum()
                    for part in batch_slices(data.test.num_examples)
                )
                accuracies.append(float(correct / data.test.num_examples))
    return accuracies


if __name__ == "__main__":
    main()
