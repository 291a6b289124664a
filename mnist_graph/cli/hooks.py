"""Hooks of a terminal: what training shows there, and how Ctrl-C stops it."""

import sys
from collections.abc import Callable

from tqdm import tqdm

from mnist_graph.cli.signals import Signals
from mnist_graph.runs.run import Metrics
from mnist_graph.training.hooks import Hook, Stop, TrainingState


class Announce(Hook):
    """Says what training begins, and on which device, once nothing can prevent it any more."""

    def __init__(self, task: str, say: Callable[[str], None]) -> None:
        self.task, self.say = task, say

    def begin(self, training: TrainingState) -> None:
        self.say(f"{self.task} on the {training.device}")


class PrintLines(Hook):
    """Prints each evaluation to standard output, in the tutorials' words. If that is impossible,
    stops training, so that a checkpoint is saved.
    """

    failure: OSError | None = None

    def evaluated(self, metrics: Metrics) -> None:
        iteration, loss, accuracy = metrics
        try:
            tqdm.write(f"Iteration {iteration:<6}| Loss = {loss:<15}| Accuracy = {accuracy}")
            sys.stdout.flush()
        except OSError as error:
            self.failure = error
            raise Stop from error


class ProgressBar(Hook):
    """Shows iterations per second and the remaining time, if standard error is a terminal."""

    def begin(self, training: TrainingState) -> None:
        recipe = training.run.recipe
        self.bar = tqdm(
            desc=recipe.model,
            total=recipe.iterations,
            initial=training.iteration,
            unit=" iterations",
            disable=None,  # tqdm's value for "unless it is a terminal"
            leave=False,
            file=sys.stderr,
        )

    def after_iteration(self, iteration: int) -> None:
        self.bar.update(iteration + 1 - self.bar.n)

    def end(self) -> None:
        self.bar.close()


class StopOnSignal(Signals, Hook):
    """Stops training at the next pulse after Ctrl-C, SIGTERM or SIGHUP."""

    def begin(self, training: TrainingState) -> None:
        self.catch()

    def pulse(self) -> None:
        if self.received is not None:
            raise Stop

    def end(self) -> None:
        if self.received is None:
            self.restore()
