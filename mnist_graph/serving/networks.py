"""The networks that are served, each opened when it is first used."""

import threading
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mnist_graph.graph.outline import outline
from mnist_graph.graph.recipes import recipes
from mnist_graph.reading.classifier import Classifier
from mnist_graph.reading.reader import Reader
from mnist_graph.runs.find import list_runs
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import is_shipped, shipped_reader
from mnist_graph.serving.batching import Batcher

Opened: TypeAlias = Reader | Classifier


class Served:
    """A finished run that is served. Safe in any thread."""

    def __init__(self, run: Run, device: str = "auto") -> None:
        self.run, self.device = run, device
        self.name = run.recipe.model
        self.reads_strips = run.recipe.reads_strips
        number = run.directory.name
        self.version = int(number) if number.isdigit() and not is_shipped(run) else 1
        """The number of the run, as TensorFlow Serving numbers versions."""
        self.batcher = Batcher(self._predict)
        self._network: Opened | None = None
        self._lock = threading.Lock()

    @property
    def network(self) -> Opened:
        """The network, opened when it is first asked for. Raises MnistGraphError if the run is
        damaged.
        """
        with self._lock:
            if self._network is None:
                kind = Reader if self.reads_strips else Classifier
                self._network = kind(self.run, self.device)
            return self._network

    @cached_property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return outline(self.run.recipe, self.run.image_shape, self.run.classes).parameters

    @cached_property
    def accuracy(self) -> float:
        """On the test images, or the share of test strips read whole and right."""
        result = self.run.result
        assert result is not None  # only finished runs are served
        return result.test_accuracy

    def _predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return probabilities: of images, floats or uint8, or of strips of one width, uint8."""
        network = self.network
        if isinstance(network, Reader):
            return network.predict_columns(inputs)
        return network.predict(inputs)


def find_served(runs_dir: str | Path, device: str = "auto") -> list[Served]:
    """Return the reader in the package and the newest finished run of every other recipe in
    `runs_dir` that classifies digits as MNIST has them.
    """
    found = (
        next(filter(_can_be_served, list_runs(runs_dir, name)), None)
        for name, recipe in recipes.items()
        if not recipe.reads_strips
    )
    runs = [shipped_reader(), *(run for run in found if run is not None)]
    return [Served(run, device) for run in runs]


def add_served(served: dict[str, Served], run: Run, device: str = "auto") -> None:
    """Serve a finished `run` from now on, in place of an older one of its recipe, unless it is of
    other images than MNIST's.
    """
    if _can_be_served(run):
        served[run.recipe.model] = Served(run, device)


def _can_be_served(run: Run) -> bool:
    if run.reads_whole:
        return False
    return run.result is not None and (run.image_shape, run.classes) == ((28, 28), 10)
