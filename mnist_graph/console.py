"""What a training shows on a terminal, and how a terminal stops it."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from tqdm import tqdm

from mnist_graph.hooks import Hook, Stop
from mnist_graph.runs import Evaluation
from mnist_graph.training import Training


class Announce(Hook):
    """Says that the training begins, once nothing is in its way any more."""

    def __init__(self, say: Callable[[], None]) -> None:
        self.say = say

    def begin(self, training: Training) -> None:
        self.say()


class PrintLines(Hook):
    """Prints each evaluation to standard output, in the tutorials' words."""

    def evaluated(self, evaluation: Evaluation) -> None:
        iteration, loss, accuracy = evaluation
        tqdm.write(f"Iteration {iteration:<6}| Loss = {loss:<15}| Accuracy = {accuracy}")
        sys.stdout.flush()


class ProgressBar(Hook):
    """Iterations per second and time left, on standard error where that is a terminal."""

    def begin(self, training: Training) -> None:
        recipe = training.run.recipe
        self.bar = tqdm(
            desc=recipe.model,
            total=recipe.iterations,
            initial=training.iteration,
            unit=" iterations",
            disable=None,  # tqdm's word for "unless it is a terminal"
            leave=False,
            file=sys.stderr,
        )

    def after_iteration(self, iteration: int) -> None:
        self.bar.update(iteration + 1 - self.bar.n)

    def end(self) -> None:
        self.bar.close()


class StopOnSignal(Hook):
    """Ends the training at the next pulse when Ctrl-C or SIGTERM comes; a second leaves at
    once.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)
    received: int | None = None

    def begin(self, training: Training) -> None:
        self.before = {number: signal.signal(number, self._receive) for number in self.SIGNALS}

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    def pulse(self) -> None:
        if self.received is not None:
            raise Stop

    def end(self) -> None:
        if self.received is None:
            for number, handler in self.before.items():
                signal.signal(number, handler)
