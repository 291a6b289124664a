"""The tasks of a cluster: processes of `python main.py`, each told by TF_CONFIG which one it is."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from benchmarks.reproduce import ROOT
from mnist_graph.runs.children import child_environment

Start = Callable[..., subprocess.Popen]
"""Starts a command: subprocess.Popen, or `Host.start`."""
MAIN = (sys.executable, str(ROOT / "main.py"))


def tf_config(addresses: Sequence[str], index: int) -> dict[str, str]:
    """Return the environment of task `index` of a cluster."""
    task = {"type": "worker", "index": index}
    config = {"cluster": {"worker": list(addresses)}, "task": task}
    return {**child_environment(), "TF_CONFIG": json.dumps(config)}


class Tasks:
    """All tasks of a cluster, started together. On exit, those that are left are killed."""

    def __init__(
        self,
        addresses: Sequence[str],
        words: Sequence[str],
        starts: Sequence[Start] | None = None,
        program: Sequence[str] = MAIN,
    ) -> None:
        self.started, self.addresses = time.monotonic(), addresses
        self.processes: list[subprocess.Popen] = []
        self._files: list[IO[bytes]] = []
        for index in range(len(addresses)):
            # Files, since nobody reads pipes while the tasks run.
            self._files += [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
            streams = dict(zip(("stdout", "stderr"), self._files[-2:], strict=True))
            start = subprocess.Popen if starts is None else starts[index]
            env = tf_config(addresses, index)
            self.processes.append(start([*program, *words], env=env, **streams))

    def wait(self, seconds: float, spared: int | None = None) -> list[int | None]:
        """Wait until all tasks but `spared` have ended, for some seconds; return their exit codes,
        None for one that has not ended.
        """
        end = time.monotonic() + seconds
        others = [each for index, each in enumerate(self.processes) if index != spared]
        while any(each.poll() is None for each in others) and time.monotonic() < end:
            time.sleep(0.02)
        return [each.poll() for each in self.processes]

    @property
    def seconds(self) -> float:
        """The seconds since the tasks were started."""
        return time.monotonic() - self.started

    def send(self, index: int, number: signal.Signals) -> None:
        """Send a signal to a task."""
        self.processes[index].send_signal(number)

    def output(self, index: int, errors: bool = False) -> str:
        """Return what a task has written to standard output, or to standard error."""
        file = self._files[2 * index + errors]
        file.seek(0)
        return file.read().decode(errors="replace")

    def said(self, index: int) -> list[str]:
        """Return the error lines of a task, without notes."""
        lines = self.output(index, errors=True).splitlines()
        return [line for line in lines if ": error: " in line or line.startswith("Traceback")]

    def __enter__(self) -> "Tasks":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for file in self._files:
            file.close()


def has_begun(run_directory: Path) -> bool:
    """Whether a run can be resumed."""
    return (run_directory / "recipe.json").exists()
