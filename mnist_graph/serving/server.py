"""Listen, answer until a signal comes, finish what is under way, and stop."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from mnist_graph.errors import MnistGraphError
from mnist_graph.serving.streams import EVENTS

MAX_CONNECTIONS = 2000
"""Further connections are answered with 503."""
KEEP_ALIVE = 10
"""Seconds for which an idle connection is kept."""
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


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any that is free). Raises
    MnistGraphError if that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
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
    )
    asyncio.run(_Server(config, when_up, when_stopping).serve(sockets=[listening]))
