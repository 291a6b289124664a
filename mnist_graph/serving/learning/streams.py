"""Server-sent events: one publisher, many listeners, none of which costs a thread."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse

from mnist_graph.serving.waiting import busy

MAX_STREAMS = 1500
"""Streams that are open at once; another is refused, so that the page can still be opened."""
MAX_BEHIND = 16
"""A listener that has not taken this many events is dropped; its browser connects again."""
PING_SECONDS = 15.0
"""After so long without an event a comment is sent, which tells whether the listener is there."""
PING = b": still here\n\n"

EVENTS = "/api/training/events"
"""The path of the streams."""

Json = dict[str, Any]


class Streams:
    """The open event streams."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._has_ended = False

    def __len__(self) -> int:
        return len(self._queues)

    def open(self, first: Callable[[], Json]) -> StreamingResponse:
        """Return a stream of `first()`, called when it begins, and what is published from then on.
        Raises RefusedError if too many are open.
        """
        if len(self) >= MAX_STREAMS:
            raise busy()
        headers = {"cache-control": "no-store"}
        return StreamingResponse(self._follow(first), 200, headers, "text/event-stream")

    def publish(self, event: Json) -> None:
        """Send `event` to every listener; drop those that are too far behind."""
        text = _encode(event)
        for queue in list(self._queues):
            if queue.full():
                self._drop(queue)
            else:
                queue.put_nowait(text)

    def end(self) -> None:
        """End all streams; those opened later end after their first event."""
        self._has_ended = True
        for queue in list(self._queues):
            self._drop(queue)

    def _drop(self, queue: "asyncio.Queue[bytes | None]") -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    async def _follow(self, first: Callable[[], Json]) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_BEHIND)
        self._queues.add(queue)
        try:
            yield _encode(first())
            while not self._has_ended:
                try:
                    text = await asyncio.wait_for(queue.get(), PING_SECONDS)
                except asyncio.TimeoutError:
                    text = PING
                if text is None:
                    break
                yield text
        finally:
            self._queues.discard(queue)


def _encode(event: Json) -> bytes:
    return f"data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
