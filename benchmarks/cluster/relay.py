"""A relay that delays what passes through it, in both directions.

    python -m benchmarks.cluster.relay --delay-ms 5 10.77.0.2:2223 ...

It listens on each address, connects to the same address for each connection, and passes every chunk
on after the delay. For one address to mean two things, what the relay sends is marked
(hosts.py). From Python, `Relay` can listen and connect anywhere.

One thread serves all connections: a chunk that is due is sent at once, unless another one is being
sent. benchmarks.cluster measures what the relay adds by itself, at a delay of 0.
"""

import argparse
import ctypes
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

Address = tuple[str, int]
MARK = 1
"""The mark of what the relay sends."""
CHUNK = 256 * 1024
"""The most bytes that are received at once."""
MOST_WAITING = 32 * 2**20
"""The most bytes that wait in one direction: more than 10 Gbit/s for 20 ms."""
PR_SET_TIMERSLACK = 29


class Lane:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source, self.target = source, target
        self.waiting: deque[tuple[float, memoryview]] = deque()
        """Chunks, and when each is due; an empty one is the end."""
        self.size = 0
        """The bytes that wait."""
        self.has_ended = False

    @property
    def receives(self) -> bool:
        return not self.has_ended and self.size < MOST_WAITING

    def receive(self, delay: float) -> None:
        """Receive a chunk, which is due after `delay` seconds."""
        try:
            chunk = self.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self.has_ended = not chunk
        self.size += len(chunk)
        self.waiting.append((time.monotonic() + delay, memoryview(chunk)))

    def send(self) -> None:
        """Send the chunk that is due, or what fits of it."""
        due, chunk = self.waiting.popleft()
        try:
            if not chunk:
                self.target.shutdown(socket.SHUT_WR)
                return
            sent = self.target.send(chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.has_ended, self.size = True, 0
            self.waiting.clear()
            with suppress(OSError):
                self.source.shutdown(socket.SHUT_RD)
            return
        self.size -= sent
        if sent < len(chunk):
            self.waiting.appendleft((due, chunk[sent:]))


class Relay:
    """Relays each connection to the first address of a route to its second one.

    `source` is the IP address to connect from, and with `is_marked` what is sent has the mark,
    which needs root.
    """

    def __init__(
        self,
        routes: Sequence[tuple[Address, Address]],
        delay: float,
        source: str | None = None,
        is_marked: bool = False,
    ) -> None:
        self.delay, self.source, self.is_marked = delay, source, is_marked
        self.doors = {_listen(own): target for own, target in routes}
        self.lanes: list[Lane] = []
        self.is_open = True

    @property
    def addresses(self) -> list[Address]:
        """The addresses it listens on."""
        return [door.getsockname() for door in self.doors]

    def run(self, poll_seconds: float = 1.0) -> None:
        """Relay until `is_open` is false, which is looked at every `poll_seconds`."""
        while self.is_open:
            now = time.monotonic()
            due = [lane for lane in self.lanes if lane.waiting and lane.waiting[0][0] <= now]
            later = [lane.waiting[0][0] - now for lane in self.lanes if lane.waiting]
            later = [seconds for seconds in later if seconds > 0]
            readers = {lane.source: lane for lane in self.lanes if lane.receives}
            writers = {lane.target: lane for lane in due}
            readable, writable, _ = select.select(
                [*readers, *self.doors], list(writers), [], min([poll_seconds, *later])
            )
            for ready in writable:
                writers[ready].send()
            for ready in readable:
                if ready in self.doors:
                    self._connect(ready)
                else:
                    readers[ready].receive(self.delay)
            if any(lane.has_ended for lane in self.lanes):
                self._close_ended()
        self._close()

    def _connect(self, door: socket.socket) -> None:
        accepted, _ = door.accept()
        target = socket.socket(accepted.family)
        try:
            if self.is_marked:
                target.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
            if self.source is not None:
                target.bind((self.source, 0))
            target.settimeout(1)
            target.connect(self.doors[door])
        except OSError:  # as if it had not been accepted
            accepted.close()
            target.close()
            return
        for end in (accepted, target):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lanes += [Lane(accepted, target), Lane(target, accepted)]

    def _close_ended(self) -> None:
        """Close connections of which both directions have ended and been passed on."""
        pairs = list(zip(self.lanes[::2], self.lanes[1::2], strict=True))
        self.lanes = []
        for pair in pairs:
            if all(lane.has_ended and not lane.waiting for lane in pair):
                for lane in pair:
                    lane.source.close()
            else:
                self.lanes += pair

    def _close(self) -> None:
        for each in [*self.doors, *(lane.source for lane in self.lanes)]:
            each.close()


def _listen(address: Address) -> socket.socket:
    door = socket.create_server(address, backlog=64)
    door.setblocking(False)
    return door


def _sleep_precisely() -> None:
    """Have the kernel end waits within a microsecond instead of 50 (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay-ms", type=float, required=True)
    parser.add_argument("--source", help="the IP address to connect from")
    parser.add_argument("--mark", action="store_true", help="mark what is sent")
    parser.add_argument("addresses", nargs="+", metavar="HOST:PORT")
    options = parser.parse_args()
    parts = [address.rpartition(":") for address in options.addresses]
    routes = [((host, int(port)), (host, int(port))) for host, _, port in parts]
    _sleep_precisely()
    relay = Relay(routes, options.delay_ms / 1000, options.source, options.mark)
    print("ready", flush=True)
    relay.run()


if __name__ == "__main__":
    main()
