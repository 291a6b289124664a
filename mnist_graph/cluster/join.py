"""The tasks meet before anything is trained: each tells the first one what it is about to train,
and all start, or none.

They meet at the port of the first task, before TensorFlow's server takes it over; the connections
stay open for `control`.
"""

import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from mnist_graph.cluster.channel import Channel, Lost
from mnist_graph.cluster.control import Links
from mnist_graph.cluster.follow import Follower
from mnist_graph.cluster.lead import Lead
from mnist_graph.cluster.listening import listen, own_address
from mnist_graph.cluster.server import Server
from mnist_graph.cluster.tf_config import Cluster
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.sessions import Device

Facts = dict[str, Any]
"""What must be the same on all tasks, by name, in values that JSON has; "recipe" is a recipe's,
"data" the SHA-256 of the files."""
RETRY_SECONDS = 0.2
"""From one attempt to reach the first task to the next."""


def join(
    cluster: Cluster,
    facts: Facts,
    device: Device,
    network: str,
    timeout: float,
    complain: Callable[[object], None],
    signal: Callable[[], int | None],
) -> Lead | Follower:
    """Meet the other tasks and start TensorFlow's server.

    Raises MnistGraphError, on all tasks, if one does not come within `timeout` seconds, has other
    facts, or cannot listen on its port.
    """
    address = own_address(cluster)
    facts = {**facts, "tasks": [list(task) for task in cluster.tasks]}
    task: Lead | Follower
    if cluster.rank == 0:
        channels = _meet(cluster, facts, timeout, address)
        task = Lead(Links(cluster, channels, timeout, complain))
    else:
        channel = _report(cluster, facts, timeout, address)
        task = Follower(Links(cluster, {0: channel}, timeout, complain), signal)
    task.start()
    try:
        task.server = Server(cluster, device, network, address)
    except MnistGraphError as error:
        if isinstance(task, Lead):
            task.fail(str(error))
        else:
            task.send_all(failed=str(error))
        task.stop()
        raise
    try:
        task.wait_until_all_serve()
    except MnistGraphError:
        task.stop()
        raise
    return task


def _meet(
    cluster: Cluster, facts: Facts, timeout: float, address: str | None
) -> dict[int, Channel]:
    """Wait for all other tasks; return the connections to them, by rank."""
    with _Meeting(cluster, facts, listen(cluster.task, address), timeout) as meeting:
        return meeting.gather()


class _Meeting:
    """The first task's side."""

    def __init__(self, cluster: Cluster, facts: Facts, door: socket.socket, timeout: float) -> None:
        self.cluster, self.facts, self.door, self.timeout = cluster, facts, door, timeout
        self.present: dict[int, Channel] = {}
        self.refused: list[Channel] = []
        self.faults: list[str] = []
        self.selector = selectors.DefaultSelector()
        self.selector.register(door, selectors.EVENT_READ)

    def __enter__(self) -> "_Meeting":
        return self

    def __exit__(self, *_: object) -> None:
        self.selector.close()
        self.door.close()

    def gather(self) -> dict[int, Channel]:
        """Return the connections to all other tasks. Raises MnistGraphError, there too."""
        expected = range(1, len(self.cluster.tasks))
        end, told = time.monotonic() + self.timeout, 0.0
        # With a fault too: each task that comes is to be told.
        while len(self.present) + len(self.refused) < len(expected):
            left = end - time.monotonic()
            if left <= 0:
                missing = [rank for rank in expected if rank not in self.present]
                names = " and ".join(str(self.cluster.tasks[rank]) for rank in missing)
                self.faults.append(f"{names} did not come within {self.timeout:g} seconds")
                break
            for key, _ in self.selector.select(max(0.0, min(left, self.timeout / 10))):
                self._receive(key.fileobj)
            if time.monotonic() - told > self.timeout / 10:
                told = time.monotonic()
                self._send_all(alive=True)
        if self.faults:
            text = "; ".join(self.faults)
            self._send_all(end=1, text=text)
            raise MnistGraphError(text)
        self._send_all(joined=True)
        return self.present

    def _send_all(self, **message: Any) -> None:
        for channel in (*self.present.values(), *self.refused):
            channel.send(**message)

    def _receive(self, source: Any) -> None:
        if source is self.door:
            connection, _ = self.door.accept()
            self.selector.register(Channel(connection, self.timeout), selectors.EVENT_READ)
            return
        try:
            for message in source.receive():
                self._admit(source, message["rank"], message["facts"], message["fault"])
        except (Lost, KeyError, TypeError) as lost:  # others too may try a port
            self.selector.unregister(source)
            source.close()
            for rank, channel in list(self.present.items()):
                if channel is source:
                    self.faults.append(f"{self.cluster.tasks[rank]} has died: {lost}")
                    self.refused.append(self.present.pop(rank))

    def _admit(self, channel: Channel, rank: Any, facts: Facts, fault: str | None) -> None:
        is_rank = isinstance(rank, int) and 0 < rank < len(self.cluster.tasks)
        if facts["tasks"] != self.facts["tasks"] or not is_rank:
            own, others = _addresses(self.facts), _addresses(facts)
            self.faults.append(
                f"the TF_CONFIG of a task has {others}, that of {self.cluster.task} has {own}; "
                "give all tasks the same cluster"
            )
        elif rank in self.present:
            self.faults.append(f"there are two of {self.cluster.tasks[rank]}; end one of them")
        else:
            self.present[rank] = channel
            differences = compare(self.facts, facts)
            self.faults += [fault] if fault else []
            if differences:
                name = self.cluster.tasks[rank]
                self.faults.append(f"{name} differs from {self.cluster.task}: {differences}")
            return
        self.refused.append(channel)


def _addresses(facts: Facts) -> str:
    return " ".join(str(address) for _, _, address in facts["tasks"])


def compare(mine: Facts, others: Facts) -> str:
    """Describe how the facts of another task differ from those of the first; "" if they do not."""
    differences = []
    for name, value in mine.items():
        other = others.get(name)
        if other == value:
            continue
        if name == "data":
            differences.append("its data has another SHA-256")
        elif name == "recipe":
            try:
                differences += Recipe.from_json(value).differences(Recipe.from_json(other))
            except MnistGraphError as error:
                differences.append(str(error))
        else:
            differences.append(f"{name} is {other}, not {value}")
    return "; ".join(differences)


def _report(cluster: Cluster, facts: Facts, timeout: float, address: str | None) -> Channel:
    """Tell the first task the facts; return the connection once all tasks agree."""
    first = cluster.tasks[0]
    fault = None
    try:
        listen(cluster.task, address).close()
    except MnistGraphError as error:
        fault = str(error)
    channel = Channel(_connect(cluster, timeout), timeout)
    channel.send(rank=cluster.rank, facts=facts, fault=fault)
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        while time.monotonic() - channel.heard < timeout:
            if not selector.select(RETRY_SECONDS):
                continue
            try:
                messages = channel.receive()
            except Lost as lost:
                raise MnistGraphError(
                    f"{first} has ended, or is another program ({lost})"
                ) from None
            for message in messages:
                if "end" in message:
                    raise MnistGraphError(str(message.get("text")))
                if "joined" in message:
                    return channel
    raise MnistGraphError(
        fault or f"{first} has not answered within {timeout:g} seconds (--timeout)"
    )


def _connect(cluster: Cluster, timeout: float) -> socket.socket:
    first, end = cluster.tasks[0], time.monotonic() + timeout
    while True:
        try:
            left = max(RETRY_SECONDS, end - time.monotonic())
            return socket.create_connection((first.host, first.port), left)
        except (OSError, UnicodeError) as error:
            if time.monotonic() >= end:
                raise MnistGraphError(
                    f"{first} cannot be reached within {timeout:g} seconds (--timeout): "
                    f"{getattr(error, 'strerror', None) or error}"
                ) from error
        time.sleep(RETRY_SECONDS)
