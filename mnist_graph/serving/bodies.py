"""The body of a request, within limits, before anything of it is decoded."""

import asyncio

from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 20 * 2**20
"""The largest body."""
MAX_SECONDS = 20.0
"""How long a client may take to send it."""


class RefusedError(Exception):
    """A request that is answered with an error of this status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


async def read_body(request: Request) -> bytes:
    """Return the body. Raises RefusedError for one that is too large or too slow."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise _too_large()
    try:
        return await asyncio.wait_for(_read(request), MAX_SECONDS)
    except asyncio.TimeoutError:
        raise RefusedError(408, f"the body did not arrive within {MAX_SECONDS:g} seconds") from None
    except ClientDisconnect:
        raise RefusedError(400, "the connection was closed before the whole body arrived") from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RefusedError:
    return RefusedError(413, f"the body is larger than {MAX_BYTES // 2**20} MiB")
