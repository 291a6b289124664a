"""The hook that reports accuracies while a trial is trained, and stops it when told to."""

from collections.abc import Sequence
from typing import Any, Protocol

from mnist_graph.training.hooks import Hook, Stop, TrainingState


class Line(Protocol):
    """What the hook needs of `worker.Line`."""

    def send(self, message: dict[str, Any]) -> None: ...
    def receive(self) -> dict[str, Any] | None: ...
    def is_closed(self) -> bool: ...


class Reports(Hook):
    """Tests after each of `iterations` and sends the accuracy down the line; stops training if the
    answer is to, or if the line is closed.
    """

    def __init__(self, line: Line, iterations: Sequence[int]) -> None:
        self.line, self.stops = line, iterations

    def begin(self, training: TrainingState) -> None:
        self.training = training

    def after_iteration(self, iteration: int) -> None:
        if iteration in self.stops:
            self.line.send({"iteration": iteration, "accuracy": self.training.test().accuracy})
            answer = self.line.receive()
            if answer is None or not answer["continues"]:
                raise Stop

    def pulse(self) -> None:
        if self.line.is_closed():
            raise Stop
