"""The routes for corrections: save, list, show, delete and download them."""

import asyncio
import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mnist_graph.reading.boxes import Box
from mnist_graph.serving.answers import answered
from mnist_graph.serving.bodies import RefusedError, parse_digit, read_body
from mnist_graph.serving.corrections import Correction, Corrections
from mnist_graph.serving.waiting import WaitingRoom

PATH = "/api/corrections"
MAX_WAITING = 8
"""Corrections that wait to be saved; another is refused."""
PRIVATE = {"cache-control": "no-store"}
"""What was deleted must not remain in a cache."""


def correction_routes(corrections: Corrections) -> list[Route]:
    """Return the routes for these corrections."""
    routes = _Routes(corrections)
    return [
        Route(PATH, answered("corrections", routes.show_all)),
        Route(PATH, answered("corrections", routes.add), methods=["POST"]),
        Route(f"{PATH}.zip", answered("corrections", routes.download)),
        Route(f"{PATH}/{{id}}.png", answered("corrections", routes.show)),
        Route(f"{PATH}/{{id}}", answered("corrections", routes.delete), methods=["DELETE"]),
    ]


class _Routes:
    """What is answered to each request."""

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections
        self._waiting = WaitingRoom(MAX_WAITING)

    async def add(self, request: Request) -> Response:
        """Save the digit in the picture in the body; the address says where and what it is."""
        label, read = parse_digit(request, "label"), parse_digit(request, "read")
        if label == read:
            raise RefusedError(400, "label and read are the same: that is no correction")
        box = _parse_box(request.query_params.get("box", ""))
        with self._waiting.enter(request):
            body = await read_body(request)
            saved = await asyncio.to_thread(self._corrections.add, body, box, label, read)
        return JSONResponse(_describe(saved), 201)

    async def show_all(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._corrections.find_all)
        return JSONResponse({"corrections": [_describe(each) for each in found]}, headers=PRIVATE)

    async def show(self, request: Request) -> Response:
        content = await asyncio.to_thread(self._corrections.read, request.path_params["id"])
        return Response(content, media_type="image/png", headers=PRIVATE)

    async def delete(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._corrections.delete, request.path_params["id"])
        return JSONResponse(_describe(found))

    async def download(self, request: Request) -> Response:
        headers = {"content-disposition": 'attachment; filename="corrections.zip"', **PRIVATE}
        pieces = await asyncio.to_thread(self._corrections.zip)
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def _describe(correction: Correction) -> dict[str, Any]:
    return {
        "id": correction.id,
        "label": correction.label,
        "read": correction.read,
        "time": correction.time.isoformat(timespec="seconds"),
    }


def _parse_box(text: str) -> Box:
    """Return the box in "left,top,right,bottom", in pixels of the picture, rounded outwards."""
    try:
        left, top, right, bottom = map(float, text[:200].split(","))
        box = Box(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    except (ValueError, OverflowError):  # of NaN, and of infinity
        raise RefusedError(400, "box must be left,top,right,bottom in pixels") from None
    if box.width <= 0 or box.height <= 0:
        raise RefusedError(400, "box must have left < right and top < bottom")
    return box
