"""The body of a request, within limits, before anything of it is decoded."""

import asyncio
from collections.abc import Mapping

import numpy as np
from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 20 * 2**20
"""The largest body."""
MAX_SECONDS = 20.0
"""How long a client may take to send it."""
FRAME = (28, 28)
"""Height and width of a digit in MNIST's form."""


class RefusedError(Exception):
    """A request that is answered with an error of this status, and these headers."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers


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


async def read_digit(request: Request) -> np.ndarray:
    """Return a digit in MNIST's form, uint8 [28, 28], whose pixels are the whole body. Raises
    RefusedError for a body of another size, and as `read_body` does.
    """
    body = await read_body(request)
    if len(body) != FRAME[0] * FRAME[1]:
        raise RefusedError(400, f"the body must be the {FRAME[0] * FRAME[1]} pixels of a digit")
    return np.frombuffer(body, np.uint8).reshape(FRAME)


def parse_digit(request: Request, name: str) -> int:
    """Return the digit that `name` in the address says. Raises RefusedError if it is none."""
    text = request.query_params.get(name, "")
    if len(text) != 1 or text not in "0123456789":
        raise RefusedError(400, f"{name} must be a digit from 0 to 9")
    return int(text)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RefusedError:
    return RefusedError(413, f"the body is larger than {MAX_BYTES // 2**20} MiB")
