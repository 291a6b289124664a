"""The hook behind --snapshots: keeps what the network was at a few iterations."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf1

from mnist_graph.runs.digit_samples import save_sample
from mnist_graph.runs.files import cannot_write
from mnist_graph.runs.run import Metrics
from mnist_graph.runs.snapshots import choose_iterations, remove_snapshots, save_snapshot
from mnist_graph.training.hooks import Hook, TimeBudget, TrainingState, warn
from mnist_graph.training.panel_data import sample_batch

TEST_SHARE = 0.06
"""The share of the time that evaluating the test images may take."""
DIGITS_SHARE = 0.02
"""The share of the time that classifying and saving digits of the batch may take."""
MOVING = ("moving_mean", "moving_variance")
"""The variables of batch normalization that predictions need and that are not trained."""


class SaveSnapshots(Hook):
    """Saves snapshots of the network, digits of the last batch in batch.npz, and test.csv while
    training, so that a page can follow it. If writing fails, warns once; training continues.
    """

    def begin(self, training: TrainingState) -> None:
        self.training = training
        self.stops = choose_iterations(training.run.recipe.iterations)
        self.left = {stop for stop in self.stops if stop >= training.iteration}
        self.test_budget, self.digits_budget = TimeBudget(TEST_SHARE), TimeBudget(DIGITS_SHARE)
        self.failed = False
        self.variables = _network_variables(training)
        try:
            remove_snapshots(training.run, training.iteration)
        except OSError as error:
            self._give_up(error)

    def evaluated(self, metrics: Metrics) -> None:
        # After the last iteration the loop tests anyway.
        if self.test_budget.due and not self.training.is_last:
            with self.test_budget.measured():
                self.training.test()

    def after_iteration(self, iteration: int) -> None:
        if self.failed:
            return
        try:
            if iteration in self.left:
                self.left.remove(iteration)
                values: dict[str, np.ndarray] = self.training.session.run(self.variables)
                save_snapshot(self.training.run, iteration, values)
            if self.digits_budget.due:
                with self.digits_budget.measured():
                    path = self.training.run.directory / "batch.npz"
                    save_sample(path, sample_batch(self.training))
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.failed = True
        warn(f"{cannot_write(self.training.run.directory, error)}; no more snapshots are kept")


def _network_variables(training: TrainingState) -> dict[str, Any]:
    """Return what the finished network would have as variables, by name: the moving averages of
    the weights where the recipe has them.
    """
    graph = training.graph
    with graph.graph.as_default():
        weights = tf1.trainable_variables()
        moving = [v for v in tf1.global_variables() if v.op.name.rpartition("/")[2] in MOVING]
    averages = {v.op.name: graph.averages.average(v) for v in weights}
    kept = {name: average for name, average in averages.items() if average is not None}
    return {**{v.op.name: v for v in (*weights, *moving)}, **kept}
