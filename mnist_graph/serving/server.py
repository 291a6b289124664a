"""Listen, answer until a signal comes, finish what is under way, and stop."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from mnist_graph.errors import MnistGraphError
from mnist_graph.serving.learning.streams import EVENTS

MAX_CONNECTIONS = 2000
"""Further connections are answered with 503."""
KEEP_ALIVE = 10
"""Seconds for which an idle connection is kept."""
HEAD_SECONDS = 20
"""How long a client may take to send the head of a request."""
LAST_SECONDS = 15
"""How long requests that are under way may take after the signal to stop."""


class _Server(uvicorn.Server):
    """Stops at SIGINT and SIGTERM, and returns; uvicorn's would raise the signal again."""

    def __init__(
        self,
        config: uvicorn.Config,
        when_up: Callable[[], None],
        when_stopping: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._when_up, self._when_stopping = when_up, when_stopping

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        closing = asyncio.ensure_future(self._when_stopping())
        for connection in list(self.server_state.connections):
            # A stream whose client has stopped reading would never end.
            scope, flow = connection.scope, connection.flow  # type: ignore[union-attr]
            if scope and flow.write_paused and scope["path"] == EVENTS:
                connection.transport.abort()
        await super().shutdown(sockets)
        await closing


class _Protocol(H11Protocol):
    """Hangs up on a client that is slow to send the head of a request, which uvicorn would wait for
    without end. `bodies` limits the time for the rest.
    """

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._limit is not None:
            self._limit.cancel()

    def _limit_head(self) -> None:
        """Begin to count the seconds, or stop if the head is complete."""
        if self.cycle is None or self.cycle.response_complete:
            self._limit = self._limit or self.loop.call_later(HEAD_SECONDS, self.transport.close)
        elif self._limit is not None:
            self._limit.cancel()
            self._limit = None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any that is free). Raises
    MnistGraphError if that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets of this protocol; else each answer waits 40 ms for
    # the acknowledgement of its head.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except (
        OSError,
        TypeError,
        UnicodeError,
    ) as error:  # the last two: a name that no host can have
        found.close()
        reason = getattr(error, "strerror", None) or "no host has such a name"
        raise MnistGraphError(f"cannot listen on {host}, port {port}: {reason}") from error
    return found


def serve(
    app: Starlette,
    listening: socket.socket,
    when_up: Callable[[], None],
    when_stopping: Callable[[], Awaitable[None]],
) -> None:
    """Answer requests until SIGINT or SIGTERM. Call `when_up` when the first can be answered, and
    `when_stopping` when the signal comes; it may go on while requests are finished.
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_SECONDS,
        lifespan="off",
        http=_Protocol,
    )
    asyncio.run(_Server(config, when_up, when_stopping).serve(sockets=[listening]))
