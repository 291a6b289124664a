"""The interface between the training loop and what runs along with it."""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from mnist_graph.errors import MnistGraphWarning
from mnist_graph.runs.run import Metrics, Run

if TYPE_CHECKING:
    from mnist_graph.data.batches import Batch
    from mnist_graph.data.datasets import DataSets
    from mnist_graph.graph.build import Graph
    from mnist_graph.graph.sessions import Device


class Predictions(NamedTuple):
    """How the network classified the test images, or read the test strips."""

    iteration: int
    """The last completed iteration."""
    loss: float
    """As the recipe's: the mean cross-entropy, or, where it sums, the mean times batch_size."""
    accuracy: float
    pixels: np.ndarray
    """uint8 [n, *image_shape]."""
    labels: np.ndarray
    """int32 [n]; of strips [n, longest], padded with -1."""
    predictions: np.ndarray
    """int32 [n]; of strips [n, columns], padded with -1."""


class TrainingState(Protocol):
    """What a hook may use of the training it goes along with."""

    run: Run
    graph: "Graph"
    session: Any
    """The open `tf.compat.v1.Session`."""
    data: "DataSets"
    device: "Device"
    iteration: int
    """The number of completed iterations."""

    @property
    def batch(self) -> "Batch | None":
        """The batch last trained on; None before the first."""

    @property
    def is_last(self) -> bool:
        """Whether all iterations are completed."""

    def evaluate_batch(self) -> tuple[float, float]:
        """Return loss and accuracy of `batch` at keep_prob 1, each rounded to six digits.
        Raises MnistGraphError if the loss is NaN or infinite.
        """

    def test(self) -> Predictions:
        """Evaluate the test images, and tell the hooks."""

    def save(self) -> None:
        """Write a checkpoint. Raises MnistGraphError if that fails."""


class Hook:
    """Something that runs along with training. Every method does nothing by default."""

    patience = math.inf
    """How long the hook can wait for the next call of `pulse`, in seconds, about."""
    stops: Sequence[int] = ()
    """Iterations after each of which `after_iteration` has to be called; set by `begin`."""
    paused = False
    """While True, the loop waits and keeps calling `pulse`."""

    def begin(self, training: TrainingState) -> None:
        """Called before the loop. `training` can be used in all later calls.

        A hook whose `begin` raises has to clean up by itself: its `end` is not called.
        """

    def evaluated(self, metrics: Metrics) -> None:
        """Called after the batch just trained on has been evaluated."""

    def tested(self, test: Predictions) -> None:
        """Called after the test images have been evaluated: at the end, and when a hook has
        called `training.test()`.
        """

    def after_iteration(self, iteration: int) -> None:
        """Called when `iteration` and those before it are completed; several iterations may
        pass between two calls. Raise Stop to end training here, with a checkpoint.
        """

    def pulse(self) -> None:
        """Called about ten times a second or more often, whatever the loop is doing. May raise
        Stop.
        """

    def end(self) -> None:
        """Called after the loop and the test, however they ended."""


class Stop(Exception):  # noqa: N818 - not an error
    """Raised by a hook to stop training, and raised again by the loop once a checkpoint has
    been saved.
    """

    run: Run
    iteration: int
    """The last completed iteration."""


class TimeBudget:
    """Limits an occasional task to a share of the time: it is due again once the time since its
    last execution is long enough.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.next = -math.inf

    @property
    def due(self) -> bool:
        """Whether the task may be executed now."""
        return time.perf_counter() >= self.next

    def took(self, seconds: float) -> None:
        """Record that the task has just been executed and took this long."""
        self.next = time.perf_counter() + seconds * (1 / self.share - 1)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Execute the task inside this context to record its duration."""
        start = time.perf_counter()
        yield
        self.took(time.perf_counter() - start)


def warn(message: str) -> None:
    """Issue an MnistGraphWarning on behalf of the hook that calls this."""
    warnings.warn(message, MnistGraphWarning, stacklevel=3)
