"""Trains many recipes, several at a time, each in a process of its own."""

import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.children import WITHOUT_CURRENT_FOLDER, child_environment

COMMAND = f"""{WITHOUT_CURRENT_FOLDER}
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.experiments.worker import main
main(import_tensorflow)
"""
SAVING_SECONDS = 60.0
"""How long a training may take to save a checkpoint when it is stopped."""


class Job(NamedTuple):
    """A run to train or to resume."""

    number: int
    directory: Path
    recipe: Recipe
    held_out: range
    """The training images that it is tested on."""
    reports: Sequence[int] = ()
    """The iterations after which its accuracy is reported."""


class End(NamedTuple):
    """How a job ended."""

    error: str | None = None
    """What went wrong."""
    stopped: bool = False
    """Whether it was stopped before its end, because a report was answered so."""


class Worker:
    """A process that trains one job after the other on the given cores (None: on all)."""

    def __init__(self, data: dict[str, Any], device: str, cores: list[int] | None) -> None:
        self.job: Job | None = None
        self.cores = cores
        self.is_ready = False
        """Whether it has got as far as to train something."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        settings = {"data": data, "device": device, "cores": cores}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=child_environment(),
                start_new_session=True,  # Ctrl-C must not reach it: closing its input stops it
            )
        except OSError as error:
            self._errors.close()
            raise MnistGraphError(f"cannot start a training: {error.strerror}") from error

    def fileno(self) -> int:
        """The file descriptor to wait for, as `select.select` asks for it."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def start(self, job: Job) -> None:
        """Let the process train `job`."""
        self.job = job
        self.send(
            {
                "directory": str(job.directory.absolute()),
                "recipe": job.recipe.to_json(),
                "held_out": [job.held_out.start, job.held_out.stop],
                "reports": list(job.reports),
            }
        )

    def send(self, message: dict[str, Any]) -> None:
        """Write a message. That its process has died is found by `receive`."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Return the next message, which is that of an end with an error if the process died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line.endswith(b"\n"):
            return json.loads(line)
        return {"error": self._describe_death(), "stopped": False}

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended by itself."""
        return self.process.poll() is not None

    def _describe_death(self) -> str:
        code = self.process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        if code < 0:
            return f"the training was killed (signal {-code}); is there enough memory?"
        return f"the training died: {lines[-1]:.300}" if lines else "the training died"

    def ask_to_stop(self) -> None:
        """Let the process save a checkpoint and end."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def close(self) -> None:
        """Wait for the process to end, and kill it if that takes too long."""
        self.ask_to_stop()
        try:
            self.process.wait(SAVING_SECONDS)
        except subprocess.TimeoutExpired:  # pragma: no cover - a disk that hangs
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()


class Crew:
    """Processes that train `jobs`, as many as there are `cores`, each on its own. The next job is
    taken when a process is free for it.

    `continues` is called with each report, a job, an iteration and the accuracy after it, and
    returns whether that training goes on. Use the crew as a context manager: leaving it, in any
    way, stops all trainings with a checkpoint.
    """

    def __init__(
        self,
        jobs: Iterator[Job],
        cores: Sequence[list[int] | None],
        data: dict[str, Any],
        device: str,
        continues: Callable[[Job, int, float], bool] = lambda job, iteration, accuracy: True,
    ) -> None:
        self.jobs, self.cores, self.continues = jobs, cores, continues
        self._settings = data, device
        self._workers: list[Worker] = []

    def ends(self) -> Iterator[tuple[Job, End]]:
        """Train all jobs; yield each when it has ended. Raises MnistGraphError if a process cannot
        be started, or dies before it has trained anything.
        """
        for cores in self.cores:
            self._start_next(cores)
        while busy := [worker for worker in self._workers if worker.job is not None]:
            for worker in select.select(busy, [], [])[0]:
                ended = self._answer(worker)
                if ended is not None:
                    yield ended
                    self._start_next(worker.cores, None if worker.is_dead else worker)

    def _start_next(self, cores: list[int] | None, worker: Worker | None = None) -> None:
        """Let `worker`, or a new one, train the next job, if there is one."""
        job = next(self.jobs, None)
        if job is None:
            if worker is not None:
                worker.ask_to_stop()
            return
        if worker is None:
            worker = Worker(*self._settings, cores)
            self._workers.append(worker)
        worker.start(job)

    def _answer(self, worker: Worker) -> tuple[Job, End] | None:
        """Receive a message; return the job and its end if it is of one."""
        message, job = worker.receive(), worker.job
        assert job is not None
        if "ready" in message:
            worker.is_ready = True
            return None
        if "accuracy" in message:
            goes_on = self.continues(job, message["iteration"], message["accuracy"])
            worker.send({"continues": goes_on})
            return None
        if not worker.is_ready:
            raise MnistGraphError(message["error"])
        worker.job = None
        return job, End(message["error"], message["stopped"])

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:  # all of them first, so that they save at the same time
            worker.ask_to_stop()
        for worker in self._workers:
            worker.close()
