"""All tasks of a cluster as processes of this machine."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from mnist_graph.runs.children import WITHOUT_CURRENT_FOLDER, child_environment

HOST = "127.0.0.1"
STARTED_BY = "MNIST_GRAPH_WORKERS"
"""The environment variable of a process that --workers has started: the number of them."""
PROGRAM = f"""{WITHOUT_CURRENT_FOLDER}
del sys.argv[0]
from mnist_graph.cluster.launch import end_with_parent
end_with_parent()
from mnist_graph.cli import run
run()
"""
"""The command of each process. Its first word is the name of the command that started it."""
POLL_SECONDS = 0.1
GRACE_SECONDS = 20.0
"""How long the others may take to end once one has failed."""


class LocalTasks:
    """The processes of `count` tasks that execute the command `name` with `words`. The first
    writes to this process's standard output and error. On exit, all are ended.
    """

    def __init__(self, count: int, name: str, words: Sequence[str]) -> None:
        addresses = [f"{HOST}:{port}" for port in free_ports(count)]
        self.processes: list[subprocess.Popen[bytes]] = []
        for index in range(count):
            task = {"type": "worker", "index": index}
            config = {"cluster": {"worker": addresses}, "task": task}
            output = None if index == 0 else subprocess.DEVNULL
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM, name, *words],
                    stdin=subprocess.PIPE,  # closes when this process ends, however it does
                    stdout=output,
                    stderr=output,
                    env={
                        **child_environment(),
                        "TF_CONFIG": json.dumps(config),
                        STARTED_BY: str(count),
                    },
                    start_new_session=True,  # so that Ctrl-C reaches only this process
                )
            )

    def wait(self, received: Callable[[], int | None]) -> int:
        """Wait until the first task has ended, and return its exit code. The signal that
        `received()` returns is passed on to it; it then stops all.
        """
        first, passed_on = self.processes[0], False
        deadline: float | None = None
        while first.poll() is None:
            number = received()
            if number is not None and not passed_on:
                passed_on = True
                first.send_signal(number)
            has_failed = any(process.poll() for process in self.processes[1:])
            if deadline is None and has_failed:
                deadline = time.monotonic() + GRACE_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                first.terminate()
                deadline = time.monotonic() + GRACE_SECONDS
            time.sleep(POLL_SECONDS)
        code = first.returncode
        return code if code >= 0 else 128 - code

    def __enter__(self) -> "LocalTasks":
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def end_with_parent() -> None:
    """End this process when its standard input, a pipe from its parent, is closed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    threading.Thread(target=watch, daemon=True).start()
