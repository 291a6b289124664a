"""One digit, read by a network as it was at each of its snapshots."""

import asyncio
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.build import build_network
from mnist_graph.graph.sessions import choose_device, open_session
from mnist_graph.runs.predictor import make_assign
from mnist_graph.runs.run import Run
from mnist_graph.runs.snapshots import list_snapshots, load_snapshot

MAX_OPEN = 3
"""Runs whose graphs are kept open: the last ones used."""

Json = dict[str, Any]


class SnapshotNetwork:
    """The network of a `run`, finished or not, which takes the weights of any snapshot."""

    def __init__(self, run: Run, device: str) -> None:
        self.run = run
        chosen, recipe = choose_device(run.recipe.override(precision="float32"), device)
        network = build_network(recipe, run.image_shape, run.classes)
        self.session = open_session(network.graph, chosen)
        self._assign = make_assign(self.session)
        self._predict = self.session.make_callable(network.probabilities, [network.pixels])

    def read(self, pixels: np.ndarray) -> list[Json]:
        """Return the probabilities of the classes at each snapshot for one image, uint8 [height,
        width]. Raises MnistGraphError if a snapshot is damaged.
        """
        found = []
        for iteration, path in list_snapshots(self.run).items():
            try:
                self._assign(load_snapshot(path))
            except ValueError as error:
                raise MnistGraphError(f"{path} has the weights of another network") from error
            (probabilities,) = self._predict(pixels[np.newaxis])
            found.append({"iteration": iteration, "probabilities": probabilities.tolist()})
        return found


class SnapshotNetworks:
    """The networks of the runs that were asked for last."""

    def __init__(self, device: str = "auto") -> None:
        self.device = device
        self._open: list[SnapshotNetwork] = []
        self._lock = asyncio.Lock()

    async def read(self, run: Run, pixels: np.ndarray) -> list[Json]:
        """Return what `SnapshotNetwork.read` does, one request at a time. Raises MnistGraphError
        if a snapshot is damaged.
        """
        async with self._lock:
            return await asyncio.to_thread(self._read, run, pixels)

    def _read(self, run: Run, pixels: np.ndarray) -> list[Json]:
        network = next((each for each in self._open if each.run == run), None)
        if network is None:
            network = SnapshotNetwork(run, self.device)
        self._open = [network, *(each for each in self._open if each is not network)]
        for old in self._open[MAX_OPEN:]:
            old.session.close()
        del self._open[MAX_OPEN:]
        return network.read(pixels)
