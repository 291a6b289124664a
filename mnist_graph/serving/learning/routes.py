"""The routes by which the page trains networks, and sees what they were as they learned."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mnist_graph.runs.run import Run
from mnist_graph.serving.answers import answered
from mnist_graph.serving.bodies import read_digit
from mnist_graph.serving.learning.snapshots import SnapshotNetworks
from mnist_graph.serving.learning.streams import EVENTS
from mnist_graph.serving.learning.trainings import TRAINABLE, Trainings
from mnist_graph.serving.waiting import WaitingRoom

MAX_WAITING = 16
"""Digits for the slider that wait to be read; another is refused."""


def training_routes(trainings: Trainings) -> list[Route]:
    """Return the routes under /api/training, and /api/snapshots."""
    routes = _Routes(trainings)
    return [
        Route("/api/training", answered("training", routes.describe)),
        Route("/api/training/start", answered("start", routes.start), methods=["POST"]),
        Route("/api/training/stop", answered("stop", routes.stop), methods=["POST"]),
        Route("/api/training/resume", answered("resume", routes.resume), methods=["POST"]),
        Route(EVENTS, answered("events", routes.events)),
        Route("/api/snapshots", answered("snapshots", routes.snapshots), methods=["POST"]),
    ]


class _Routes:
    def __init__(self, trainings: Trainings) -> None:
        self.trainings = trainings
        self.snapshot_networks = SnapshotNetworks(trainings.device)
        self._waiting = WaitingRoom(MAX_WAITING)

    async def describe(self, request: Request) -> Response:
        """Answer the state, what can be trained, and the runs to resume or to look back on."""
        runs = await asyncio.to_thread(self.trainings.describe_runs)
        recipes = [
            {"name": name, "iterations": recipe.iterations} for name, recipe in TRAINABLE.items()
        ]
        return JSONResponse({**self.trainings.describe(), "recipes": recipes, "runs": runs})

    async def start(self, request: Request) -> Response:
        self.trainings.start(request.query_params.get("recipe", ""))
        return JSONResponse(self.trainings.describe())

    async def stop(self, request: Request) -> Response:
        self.trainings.stop()
        return JSONResponse(self.trainings.describe())

    async def resume(self, request: Request) -> Response:
        self.trainings.resume(await self._find_run(request))
        return JSONResponse(self.trainings.describe())

    async def events(self, request: Request) -> Response:
        return self.trainings.streams.open(self.trainings.describe_whole)

    async def snapshots(self, request: Request) -> Response:
        """Read the digit in the body, in MNIST's form, with every snapshot of a run."""
        with self._waiting.enter(request):
            run = await self._find_run(request)
            pixels = await read_digit(request)
            return JSONResponse(await self.snapshot_networks.read(run, pixels))

    async def _find_run(self, request: Request) -> Run:
        name = request.query_params.get("run", "")
        return await asyncio.to_thread(self.trainings.find_run, name)
