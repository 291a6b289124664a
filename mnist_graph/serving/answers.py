"""Endpoints whose errors are answers, counted and timed for /metrics."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mnist_graph.errors import MnistGraphError
from mnist_graph.serving import metrics
from mnist_graph.serving.bodies import RefusedError

HANG_UP = (408, 413)
"""After these errors the rest of a body is not read."""

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def answered(name: str, endpoint: Endpoint) -> Endpoint:
    """Return `endpoint` with its errors as answers, counted and timed for /metrics."""

    async def answer(request: Request) -> Response:
        start = time.perf_counter()
        try:
            response = await endpoint(request)
        except RefusedError as error:
            response = JSONResponse({"error": error.reason}, error.status, error.headers)
            if error.status in HANG_UP:
                response.headers["connection"] = "close"
        except MnistGraphError as error:
            response = JSONResponse({"error": str(error)[:1000]}, 400)
        metrics.REQUESTS.labels(name, str(response.status_code)).inc()
        metrics.LATENCY.labels(name).observe(time.perf_counter() - start)
        return response

    return answer
