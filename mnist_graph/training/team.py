"""The interface between the training loop and other processes that train the same network."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from mnist_graph.graph.build import Graph
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.sessions import Device, open_session
from mnist_graph.graph.share import Share


class Team:
    """All processes that train together, led by this one. By default it is alone."""

    def assign(self, recipe: Recipe) -> Share | None:
        """Tell all processes which recipe is trained; return this one's share of every batch, None
        if it takes all of it. Raises UsageError if the batch is too small for all processes.
        """
        return None

    def open_session(
        self, graph: tf.Graph, device: Device, network: str
    ) -> AbstractContextManager[Any]:
        """Open the session in which this process trains."""
        return open_session(graph, device, network)

    def begin(self, session: Any, graph: Graph) -> None:
        """Called once the variables have their initial values or those of a checkpoint: gives them
        to all processes.
        """

    def announce(self, ranges: Iterable[range]) -> Iterable[range]:
        """Tell the others about each range of iterations before it is trained."""
        return ranges

    def running(self) -> AbstractContextManager[None]:
        """Return a context for a call of the session that needs all processes. Raises
        MnistGraphError if another one has failed.
        """
        return nullcontext()

    def require_equal(self, iteration: int) -> None:
        """Raise MnistGraphError unless all processes have the same variables after `iteration`
        iterations.
        """
