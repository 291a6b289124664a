"""Trains one recipe after the other, in a process of its own that `workers` starts.

A line of JSON is read from standard input for each training, and one is written to standard output
when it has ended. Where standard input ends, because the other process closes it or dies, training
stops with a checkpoint.

    out  {"ready": true}                          once, when TensorFlow has been imported
    in   {"directory": ..., "recipe": {...}, "held_out": [0, 5000], "reports": [199, 399]}
    out  {"iteration": 199, "accuracy": 0.91}     after each iteration of "reports", and waits for
    in   {"continues": true}                      what to do
    out  {"error": null, "stopped": false}        the end
"""

import io
import json
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_graph.errors import MnistGraphError

if TYPE_CHECKING:
    from mnist_graph.data.datasets import DataSets

POINTS = 60
"""How many evaluations of a batch the curves of a run have, about."""
WAIT_SECONDS = 30.0
"""How long another process may need to leave a run: a worker whose parent was killed saves a
checkpoint first."""
SCREEN = 2
"""The file descriptor of standard error."""

Json = dict[str, Any]


class Line:
    """The line to the process that has started this one."""

    def __init__(self) -> None:
        # What anything else prints must not get in between.
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(SCREEN, sys.stdout.fileno())
        # Unbuffered, so that `is_closed` sees what has not been read.
        self._in: io.RawIOBase = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)

    def send(self, message: Json) -> None:
        """Write a message. Nothing happens if nobody is there to read it."""
        with suppress(BrokenPipeError):
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()

    def receive(self) -> Json | None:
        """Wait for the next message; None at the end."""
        line = self._in.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def is_closed(self) -> bool:
        """Whether the other process has closed the line or has died, while no message is due."""
        return bool(select.select([self._in], [], [], 0)[0])


def main(import_tensorflow: Callable[[], None]) -> None:
    """Train what standard input asks for, until it ends; see the module. The words of the process
    are JSON: data (what read_data_sets takes), device and cores (null: all).
    """
    settings = json.loads(sys.argv[1])
    if settings["cores"] is not None:  # before any package counts them
        os.sched_setaffinity(0, settings["cores"])
    line = Line()
    import_tensorflow()
    from mnist_graph.data.datasets import read_data_sets

    line.send({"ready": True})
    everything = None
    while (job := line.receive()) is not None:
        error, stopped = None, False
        try:
            if everything is None:
                everything = read_data_sets(**settings["data"], validation_size=0)
            stopped = _train(job, everything, settings["device"], line)
        except MnistGraphError as failure:
            error = str(failure)
        except MemoryError:
            error = "out of memory"
        line.send({"error": error, "stopped": stopped})


def _train(job: Json, everything: "DataSets", device: str, line: Line) -> bool:
    """Train or resume one run; return whether it was stopped before its end."""
    from mnist_graph.data.held_out import hold_out
    from mnist_graph.experiments.reports import Reports
    from mnist_graph.graph.recipe import Recipe
    from mnist_graph.runs.locks import locked
    from mnist_graph.training.hooks import Stop
    from mnist_graph.training.train import resume, train

    directory, recipe = Path(job["directory"]), Recipe.from_json(job["recipe"])
    data = hold_out(everything, range(*job["held_out"]), recipe.validation_size)
    settings: Json = {
        "device": device,
        "log_every": max(1, recipe.iterations // POINTS),
        "hooks": [Reports(line, job["reports"])],
    }
    try:
        if (directory / "recipe.json").exists():
            with locked(directory, "trained", WAIT_SECONDS):
                pass
            resume(directory, data, **settings)
        else:
            train(recipe, data, directory, **settings)
    except Stop:
        return True
    return False
