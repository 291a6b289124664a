"""Listen, answer until a signal comes, finish what is under way, and stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from mnist_graph.errors import MnistGraphError

MAX_CONNECTIONS = 2000
"""Further connections are answered with 503."""
KEEP_ALIVE = 10
"""Seconds for which an idle connection is kept."""
LAST_SECONDS = 15
"""How long requests that are under way may take after the signal to stop."""


class _Server(uvicorn.Server):
    """Stops at SIGINT and SIGTERM, and returns; uvicorn's would raise the signal again."""

    def __init__(self, config: uvicorn.Config, when_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_up = when_up

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


def serve(app: Starlette, listening: socket.socket, when_up: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; call `when_up` when the first can be answered."""
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
    asyncio.run(_Server(config, when_up).serve(sockets=[listening]))
