"""Trainings that the page starts: one at a time, each in a process of its own, followed by what it
saves in its run directory.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.outline import MNIST_CLASSES, MNIST_SHAPE
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.recipes import recipes
from mnist_graph.runs.files import cannot_write
from mnist_graph.runs.find import create_numbered, list_runs, load_run
from mnist_graph.runs.run import RUNS_DIR, Run
from mnist_graph.runs.snapshots import list_snapshots
from mnist_graph.serving.bodies import RefusedError
from mnist_graph.serving.learning.child import Child, name_run
from mnist_graph.serving.learning.progress import Progress
from mnist_graph.serving.learning.streams import Streams

TRAINABLE = {
    name: recipe
    for name, recipe in recipes.items()
    if not recipe.reads_strips and not (recipe.augmentation and recipe.augmentation.photo)
}
"""The recipes that can be trained: those of single digits, as the user draws them."""
INTERVAL = 0.5
"""From one reading of the run directory to the next, in seconds."""
MAX_RUNS = 50
"""How many runs are listed: the newest."""
SAVING_SECONDS = 60.0
"""How long a training may take to save a checkpoint when the server stops."""

Json = dict[str, Any]


class Trainings:
    """At most one training at a time, of recipes in `runs_dir`; `when_finished` is called with
    each run that is trained to its end.
    """

    def __init__(
        self,
        runs_dir: str | Path = RUNS_DIR,
        device: str = "auto",
        when_finished: Callable[[Run], None] = lambda run: None,
    ) -> None:
        self.runs_dir, self.device, self.when_finished = Path(runs_dir), device, when_finished
        self.streams = Streams()
        self._child: Child | None = None
        self._progress: Progress | None = None
        self._follower: asyncio.Task[None] | None = None
        self._end: Json = {"state": "idle"}
        self._is_closing = False

    @property
    def _is_running(self) -> bool:
        return self._follower is not None and not self._follower.done()

    def describe(self) -> Json:
        """Return the state: idle, running, stopping, stopped, finished or failed, and the run."""
        child = self._child
        if child is None:
            return self._end
        if self._is_running:
            state: Json = {"state": "stopping" if child.is_stopping else "running"}
        else:
            state = self._end
        run = child.name if child.directory.exists() else None
        return {**state, "run": run, "iterations": child.iterations}

    def describe_whole(self) -> Json:
        """Return the state and everything that the run has saved so far."""
        return {**self.describe(), **(self._progress.whole() if self._progress else {})}

    def start(self, model: str) -> None:
        """Train a recipe. Raises RefusedError if it is unknown or another training runs, and
        MnistGraphError if no run directory can be created.
        """
        recipe = TRAINABLE.get(model)
        if recipe is None:
            raise RefusedError(404, f"no recipe {model[:100]!r} that can be trained here")
        self._require_free()
        try:
            directory = create_numbered(self.runs_dir / model)
        except OSError as error:
            raise cannot_write(self.runs_dir, error) from error
        self._launch(directory, recipe)

    def resume(self, run: Run) -> None:
        """Continue an unfinished run. Raises RefusedError if it is finished or another training
        runs.
        """
        self._require_free()
        if run.result is not None:
            raise RefusedError(409, f"{name_run(run.directory)} is finished")
        self._launch(run.directory, run.recipe, "--resume")

    def stop(self) -> None:
        """Stop the training, which saves a checkpoint. Raises RefusedError if there is none."""
        if self._child is None or not self._is_running:
            raise RefusedError(409, "no training runs")
        self._child.stop()
        self.streams.publish(self.describe())

    async def close(self) -> None:
        """End all event streams, and the training, once it has saved a checkpoint."""
        self._is_closing = True
        self.streams.end()
        if self._child is None or self._follower is None:
            return
        self._child.stop()
        try:
            await asyncio.wait_for(self._follower, SAVING_SECONDS)
        except asyncio.TimeoutError:
            self._child.process.kill()
            self._child.process.wait()

    def _require_free(self) -> None:
        if self._is_closing:
            raise RefusedError(503, "the server is about to stop")
        if self._is_running:
            assert self._child is not None
            raise RefusedError(409, f"{self._child.name} is being trained; stop it first")

    def _launch(self, directory: Path, recipe: Recipe, *words: str) -> None:
        try:
            self._child = Child(directory, recipe, self.device, *words)
        except OSError as error:
            raise MnistGraphError(f"cannot start a training: {error.strerror}") from error
        self._progress = Progress(directory)
        self._follower = asyncio.create_task(self._follow(self._child, self._progress))
        self.streams.publish(self.describe_whole())

    async def _follow(self, child: Child, progress: Progress) -> None:
        """Publish what the training saves until it ends; read it only while someone listens."""
        while child.process.poll() is None:
            if len(self.streams):
                await self._publish_progress(progress)
            # Ends soon after the process when the server is to stop.
            await asyncio.sleep(INTERVAL / 10 if self._is_closing else INTERVAL)
        await self._publish_progress(progress)
        self._end = child.describe_end()
        if self._end["state"] == "finished":
            with suppress(MnistGraphError):  # deleted meanwhile
                self.when_finished(await asyncio.to_thread(load_run, child.directory))
        self.streams.publish({**self.describe(), **self._end})

    async def _publish_progress(self, progress: Progress) -> None:
        reading = await asyncio.to_thread(progress.read)
        if changes := progress.update(reading):
            self.streams.publish({**self.describe(), **changes})

    def list_runs(self) -> Iterator[Run]:
        """Yield the runs of MNIST's digits, newest of each recipe first."""
        for model in TRAINABLE:
            for run in list_runs(self.runs_dir, model):
                is_mnist = (run.image_shape, run.classes) == (MNIST_SHAPE, MNIST_CLASSES)
                if is_mnist and not run.class_names:
                    yield run

    def find_run(self, name: str) -> Run:
        """Return the run of that name, such as mlp/3. Raises RefusedError if there is none."""
        for run in self.list_runs():
            if name_run(run.directory) == name:
                return run
        raise RefusedError(404, f"no run {name[:100]!r}")

    def describe_runs(self) -> list[Json]:
        """Return the runs that have snapshots or are unfinished, the newest first."""
        described = []
        for run in self.list_runs():
            count, result = len(list_snapshots(run)), run.result
            if count or result is None:
                values = {
                    "name": name_run(run.directory),
                    "iterations": run.recipe.iterations,
                    "snapshots": count,
                    "accuracy": None if result is None else result.test_accuracy,
                }
                with suppress(OSError):  # deleted meanwhile
                    described.append((run.directory.stat().st_mtime, values))
        described.sort(key=lambda pair: pair[0], reverse=True)
        return [values for _, values in described[:MAX_RUNS]]
