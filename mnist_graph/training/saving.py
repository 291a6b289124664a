"""Hooks that save the run: its history and its checkpoints."""

import time

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.run import Metrics
from mnist_graph.training.hooks import Hook, TrainingState, warn


class WriteHistory(Hook):
    """Writes history.csv; retries failed writes."""

    def begin(self, training: TrainingState) -> None:
        self.rows = training.run.appender("history", training.iteration)

    def evaluated(self, metrics: Metrics) -> None:
        self.rows.add(metrics)


class SaveCheckpoints(Hook):
    """Saves a checkpoint every `every` seconds; warns and retries where one cannot be written."""

    def __init__(self, every: float) -> None:
        self.every = self.patience = every

    def begin(self, training: TrainingState) -> None:
        self.training = training
        self.saved = time.perf_counter()

    def after_iteration(self, iteration: int) -> None:
        if time.perf_counter() - self.saved < self.every:
            return
        self.training.evaluate_batch()  # raises if the weights are not worth saving
        try:
            self.training.save()
        except MnistGraphError as error:
            warn(f"{error}; trying again in {self.every:g} seconds")
        self.saved = time.perf_counter()
