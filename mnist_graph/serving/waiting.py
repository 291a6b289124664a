"""How many requests may wait, in all and from one client."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from mnist_graph.serving.bodies import RefusedError

RETRY_AFTER = {"retry-after": "1"}
"""The header that says in how many seconds to try again."""


def busy() -> RefusedError:
    """Return the error of a server that is asked too much."""
    return RefusedError(503, "too many requests are waiting; try again shortly", RETRY_AFTER)


class WaitingRoom:
    """Holds at most `most` requests, and at most half as many of one client, so that no client
    keeps the others out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()

    @contextmanager
    def enter(self, request: Request) -> Iterator[None]:
        """Wait inside this context. Raises RefusedError if there is no room: 503, or 429 if there
        is none for this client.
        """
        client = request.client.host if request.client else ""
        if self._counts.total() >= self._most:
            raise busy()
        if self._counts[client] >= (self._most + 1) // 2:
            reason = "too many requests from this address are waiting; try again shortly"
            raise RefusedError(429, reason, RETRY_AFTER)
        self._counts[client] += 1
        try:
            yield
        finally:
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]
