"""A training that the page has started, in a process of its own."""

import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.children import WITHOUT_CURRENT_FOLDER, child_environment
from mnist_graph.runs.find import load_run

POINTS = 60
"""How many points the charts get, about."""
COMMAND = f"""{WITHOUT_CURRENT_FOLDER}
from mnist_graph.cli import run
run()
"""
"""The command `mnist-graph`, installed or not, without the modules in the current folder."""

Json = dict[str, Any]


def name_run(directory: Path) -> str:
    """Return what the page calls the run in `directory`, such as mlp/3."""
    return f"{directory.parent.name}/{directory.name}"


class Child:
    """A training in a process of its own."""

    def __init__(self, directory: Path, recipe: Recipe, device: str, *words: str) -> None:
        self.directory, self.iterations = directory, recipe.iterations
        self.is_stopping = False
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `describe_end`
        every = max(1, recipe.iterations // POINTS)
        given = ["--model", recipe.model, "--run-dir", str(directory), "--log-every", str(every)]
        given += ["--device", device, "--snapshots", "--quiet", *words]
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            env=child_environment(),
            start_new_session=True,  # so that Ctrl-C reaches only the server, which stops it
        )

    @property
    def name(self) -> str:
        """The name of the run, such as mlp/3."""
        return name_run(self.directory)

    def stop(self) -> None:
        """Let it save a checkpoint and end. A second signal would end it without."""
        if not self.is_stopping:
            self.is_stopping = True
            self.process.terminate()

    def describe_end(self) -> Json:
        """Return how the process, which has ended, did: state and, if it failed, the error."""
        with suppress(OSError):  # of a directory that has something in it
            self.directory.rmdir()
        with self.errors:
            self.errors.seek(0)
            lines = self.errors.read().decode(errors="replace").strip().splitlines()
        if self.process.returncode == 0 or self._is_finished():
            return {"state": "finished"}
        if self.is_stopping:
            return {"state": "stopped"}
        said = lines[-1].removeprefix("mnist-graph: error: ") if lines else "the training died"
        return {"state": "failed", "error": said[:300]}

    def _is_finished(self) -> bool:
        """Return whether the run is finished, as it is if the process was stopped just after."""
        with suppress(MnistGraphError):
            return load_run(self.directory).result is not None
        return False
