"""The routes of the server, and what they answer."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mnist_graph.serving import metrics, rest
from mnist_graph.serving.answers import answered
from mnist_graph.serving.bodies import RefusedError, parse_digit, read_body, read_digit
from mnist_graph.serving.correction_routes import correction_routes
from mnist_graph.serving.corrections import FOLDER, Corrections
from mnist_graph.serving.guard import Guard
from mnist_graph.serving.inside import find_nearest, look_inside
from mnist_graph.serving.learning.routes import training_routes
from mnist_graph.serving.learning.trainings import Trainings
from mnist_graph.serving.networks import Served, add_served
from mnist_graph.serving.pictures import read_as_tutorials, read_picture
from mnist_graph.serving.waiting import WaitingRoom

PAGE = Path(__file__).parent / "page"
READINGS = 2
"""Pictures that are read at the same time."""
MAX_WAITING, MAX_PREDICTIONS = 64, 256
"""Pictures that wait to be read, and calls of the service that wait; another is refused."""
VIEWS = {"mnist": read_picture, "tutorials": read_as_tutorials}


def create_app(
    networks: Sequence[Served], host: str, token: str | None = None, folder: Path = FOLDER
) -> Starlette:
    """Return the application that serves `networks`, listening on `host`; requests need `token`
    unless it is None. Corrections are saved in `folder`. Its `state.trainings` has to be closed
    when the server stops.
    """
    routes = Routes({each.name: each for each in networks})
    device = networks[0].device
    trainings = Trainings(
        device=device, when_finished=lambda run: add_served(routes.served, run, device)
    )
    app = Starlette(
        routes=[
            Route("/", answered("page", routes.page)),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/healthz", answered("healthz", routes.health)),
            Route("/metrics", answered("metrics", routes.metrics)),
            Route("/api/networks", answered("networks", routes.networks)),
            *_picture_routes(routes),
            *correction_routes(Corrections(folder)),
            *training_routes(trainings),
            *_rest_routes(routes),
        ],
        middleware=[Middleware(Guard, host=host, token=token)],
        exception_handlers={HTTPException: _as_json, Exception: _as_failure},
    )
    app.state.trainings = trainings
    return app


def _picture_routes(routes: "Routes") -> list[Route]:
    endpoints = {"read": routes.read, "inside": routes.inside, "nearest": routes.nearest}
    return [
        Route(f"/api/{name}", answered(name, endpoint), methods=["POST"])
        for name, endpoint in endpoints.items()
    ]


def _rest_routes(routes: "Routes") -> list[Route]:
    found = []
    for model in ("/v1/models/{name}", "/v1/models/{name}/versions/{version}"):
        found += [
            Route(f"{model}/metadata", answered("metadata", routes.metadata)),
            Route(f"{model}:predict", answered("predict", routes.predict), methods=["POST"]),
            Route(model, answered("status", routes.status)),
        ]
    return found


class Routes:
    """What is answered to each request."""

    def __init__(self, served: dict[str, Served]) -> None:
        self.served = served
        self._waiting = WaitingRoom(MAX_WAITING)
        self._predicting = WaitingRoom(MAX_PREDICTIONS)
        self._reading = asyncio.Semaphore(READINGS)

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(self, request: Request) -> Response:
        return Response(metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})

    async def networks(self, request: Request) -> Response:
        described = [
            {
                "name": name,
                "reads": "rows" if each.reads_strips else "digits",
                "accuracy": each.accuracy,
                "parameters": each.parameters,
            }
            for name, each in self.served.items()
        ]
        return JSONResponse({"networks": described, "default": next(iter(self.served))})

    async def read(self, request: Request) -> Response:
        """Read the picture in the body with the networks named in the address."""
        read = VIEWS.get(request.query_params.get("view", "mnist"))
        if read is None:
            raise RefusedError(400, f"view must be one of {', '.join(VIEWS)}")
        chosen = self._find_all(request.query_params.get("networks"))
        with self._waiting.enter(request):
            body = await read_body(request)
            return JSONResponse(await self._compute(read, body, chosen))

    async def inside(self, request: Request) -> Response:
        """Show the inside of a network that is given the digit in the body."""
        served, *others = self._find_all(request.query_params.get("network", ""))
        if others:
            raise RefusedError(400, "choose one network")
        if served.reads_strips:
            raise RefusedError(400, f"{served.name} reads rows; choose a network of single digits")
        label = parse_digit(request, "label")
        with self._waiting.enter(request):
            pixels = await read_digit(request)
            network = await asyncio.to_thread(lambda: served.network)
            return JSONResponse(await self._compute(look_inside, network, pixels, label))

    async def nearest(self, request: Request) -> Response:
        """Find the training digits that are most like the digit in the body."""
        with self._waiting.enter(request):
            pixels = await read_digit(request)
            return JSONResponse(await self._compute(find_nearest, pixels))

    async def _compute(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` in a thread; READINGS of them run at the same time."""
        async with self._reading:
            return await asyncio.to_thread(function, *arguments)

    def _find_all(self, names: str | None) -> list[Served]:
        """Return the networks with these names, separated by commas; default: the first."""
        if names is None:
            return [next(iter(self.served.values()))]
        chosen = dict.fromkeys(names.split(","))
        for name in chosen:
            if name not in self.served:
                raise RefusedError(404, f"no network {name[:100]!r}")
        return [self.served[name] for name in chosen]

    async def status(self, request: Request) -> Response:
        return JSONResponse(rest.status(self._find(request)))

    async def metadata(self, request: Request) -> Response:
        return JSONResponse(rest.metadata(self._find(request)))

    async def predict(self, request: Request) -> Response:
        served = self._find(request)
        with self._predicting.enter(request):
            call = await asyncio.to_thread(rest.parse_call, await read_body(request), served)
            return JSONResponse(await rest.predict(call, served))

    def _find(self, request: Request) -> Served:
        """Return the model that the path names. Raises RefusedError if there is none."""
        name, version = request.path_params["name"], request.path_params.get("version")
        served = self.served.get(name)
        if served is None:
            raise RefusedError(404, f"Servable not found for request: Latest({name[:100]})")
        if version is not None and version != str(served.version):
            wanted = f"Specific({name}, {version[:20]})"
            raise RefusedError(404, f"Servable not found for request: {wanted}")
        return served


async def _as_json(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _as_failure(request: Request, error: Exception) -> Response:
    metrics.REQUESTS.labels("failed", "500").inc()
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
