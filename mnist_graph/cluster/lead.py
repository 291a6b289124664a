"""What the first task does besides training: it leads the others.

It tells them the recipe, the iterations of each session call and when training ends; it compares
their variables at checkpoints, and decides what has failed.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

import tensorflow as tf

from mnist_graph.cluster.channel import Message
from mnist_graph.cluster.control import Control, Failed, Links
from mnist_graph.cluster.reach import find_unreachable
from mnist_graph.cluster.server import Server
from mnist_graph.cluster.variables import add_broadcast, digest, list_variables
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.build import Graph
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.sessions import Device
from mnist_graph.graph.share import Share
from mnist_graph.training.hooks import Hook, Stop
from mnist_graph.training.team import Team

STALL = 0.6
"""The share of the timeout after which it is found out why a session call does not end."""
PROBE = 0.2
"""The share of the timeout that finding out may take."""


class Lead(Control, Team):
    """The first task, with its connections to all others. As a context manager, it tells them how
    training has ended.
    """

    def __init__(self, links: Links) -> None:
        super().__init__(links)
        self.server: Server | None = None
        self.received: int | None = None
        """The signal that one of the others has received, if one has."""
        self._serving: set[int] = set()
        self._ready: set[int] = set()
        self._doing: dict[int, Any] = {}
        self._digests: dict[int, str] = {}
        self._unreachable: dict[int, list[int]] = {}
        self._called: float | None = None
        """When the current session call began, if there is one."""
        self._probed: float | None = None

    @property
    def hook(self) -> Hook:
        """The hook that stops training when another task has failed or received a signal."""
        return _StopTogether(self)

    def wait_until_all_serve(self) -> None:
        """Wait until the servers of all tasks have started. Raises MnistGraphError."""
        try:
            if self.wait_for(lambda: len(self._serving) == len(self.channels), self.timeout):
                self.send_all(serving=True)
                return
            late = next(rank for rank in self.channels if rank not in self._serving)
            self.fail(f"the server of {self.cluster.tasks[late]} has not started")
        except Failed:
            pass
        assert self.failure is not None
        raise self.failure

    def handle(self, rank: int, message: Message) -> None:
        for kind, value in message.items():
            if kind == "alive":
                self._doing[rank] = value
            elif kind == "serving":
                self._serving.add(rank)
            elif kind == "ready":
                self._ready.add(rank)
            elif kind == "signal":
                self.received = self.received or int(value)
            elif kind == "digest":
                self._digests[rank] = str(value)
            elif kind == "unreachable":
                self._unreachable[rank] = [int(other) for other in value]
            elif kind == "failed":
                self.fail(f"{self.cluster.tasks[rank]} has failed: {value}")

    def announce_failure(self, failure: MnistGraphError) -> None:
        self.send_all(end=failure.exit_code, text=str(failure))

    def assign(self, recipe: Recipe) -> Share:
        assert self.cluster.rank is not None
        share = Share(self.cluster.rank, len(self.cluster.tasks), recipe.batch_size)
        self.send_all(recipe=recipe.to_json())
        return share

    def open_session(
        self, graph: tf.Graph, device: Device, network: str
    ) -> AbstractContextManager[Any]:
        assert self.server is not None
        return self.guarded(self.server.open_session(graph))

    def begin(self, session: Any, graph: Graph) -> None:
        self._variables = list_variables(graph.graph)
        broadcast = add_broadcast(graph.graph, 0, len(self.cluster.tasks))
        self.wait_for(lambda: len(self._ready) == len(self.channels))
        with self.running():
            session.run(broadcast)

    def announce(self, ranges: Iterable[range]) -> Iterator[range]:
        for part in ranges:
            self.send_all(range=[part.start, part.stop])
            yield part
        self.send_all(range=None)

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.calling():
            self._called = time.monotonic()
            try:
                yield
            finally:
                self._called = self._probed = None

    def require_equal(self, iteration: int) -> None:
        self._digests.clear()
        self.send_all(digest=iteration)
        mine = digest(self.session, self._variables)
        if not self.wait_for(lambda: len(self._digests) == len(self.channels), self.timeout):
            late = next(rank for rank in self.channels if rank not in self._digests)
            name = self.cluster.tasks[late]
            self.fail(f"{name} has not compared its variables within {self.timeout:g} seconds")
            raise Failed
        others = [rank for rank in self.channels if self._digests[rank] != mine]
        if others:
            names = " and ".join(str(self.cluster.tasks[rank]) for rank in others)
            self.fail(
                f"after {iteration} iterations the variables of {names} differ from those of "
                f"{self.cluster.task}; the checkpoints before are good: use --resume"
            )
            raise Failed

    def tick(self) -> None:
        """Notice a session call that does not end although all tasks are alive."""
        called, now = self._called, time.monotonic()
        if called is None or now - called < STALL * self.timeout:
            return
        if any(now - channel.heard > 3 * self.interval for channel in self.channels.values()):
            return  # one may be silent, which `control` notices
        for rank, doing in self._doing.items():
            if doing is True:
                name = self.cluster.tasks[rank]
                self.fail(f"{name} is alive, but has not trained within {self.timeout:g} seconds")
                return
        if self._probed is None:
            self._probed = now
            self._unreachable.clear()
            self.send_all(probe=PROBE * self.timeout)
            self.in_background(self._probe)
        elif now - self._probed > 1.2 * PROBE * self.timeout:
            self.fail(self._describe_stall())

    def _probe(self) -> None:
        self._unreachable[0] = find_unreachable(self.cluster, PROBE * self.timeout)

    def _describe_stall(self) -> str:
        tasks = self.cluster.tasks
        for rank, others in self._unreachable.items():
            for other in others:
                return f"{tasks[rank]} cannot reach {tasks[other]}"
        return (
            f"a training step has not ended within {self.timeout:g} seconds, though all tasks "
            "answer; give a longer --timeout if steps are that long"
        )

    def __enter__(self) -> "Lead":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if self.failure is None:
            code, text = _describe_end(error)
            self.send_all(end=code, text=text and f"{self.cluster.task} {text}")
        self.stop()


def _describe_end(error: BaseException | None) -> tuple[int, str]:
    """Return the exit code for all tasks, and what has happened to the first."""
    if error is None:
        return 0, ""
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 1
        return code, "has stopped"
    if isinstance(error, KeyboardInterrupt):
        return 130, "was interrupted"
    said = " ".join(str(error).split()) or type(error).__name__
    return getattr(error, "exit_code", 1), f"has failed: {said}"


class _StopTogether(Hook):
    def __init__(self, lead: Lead) -> None:
        self.lead = lead

    def pulse(self) -> None:
        if self.lead.failure is not None:
            raise Failed
        if self.lead.received is not None:
            raise Stop
