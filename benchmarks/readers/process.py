"""A reader in a process of its own, so that its memory and its threads are its own."""

import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

from benchmarks.readers import Row, Setting, find_module

BLANK = np.full((48, 96), 255, np.uint8)


class Answer(NamedTuple):
    """What a reader makes of a picture."""

    rows: list[Row]
    seconds: float
    """Elapsed, without the way to the process and back."""
    cpu_seconds: float
    """Of processor time, over all threads and child processes."""


class ReaderProcess:
    """A contender in a new process, on one core if `one_core`. Use it as a context manager.

    It has read one picture with `setting` already, so that all models are loaded.
    """

    def __init__(self, name: str, setting: Setting, one_core: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name, setting, one_core))
        self._process.start()
        self._setting = setting
        theirs.close()
        self.load_seconds: float = self._connection.recv()
        """Seconds to import the package, to load the model and to read a first, blank picture."""

    def read(self, picture: np.ndarray, setting: Setting | None = None) -> Answer:
        """Read a picture, with another setting if one is given.

        Raises EOFError if the process dies.
        """
        self._connection.send((picture, setting or self._setting))
        return self._connection.recv()

    def peak_memory(self) -> float:
        """Return the most memory that the process and its largest child have held, in MiB."""
        self._connection.send((None, self._setting))
        return self._connection.recv()

    def __enter__(self) -> "ReaderProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, name: str, setting: Setting, one_core: bool) -> None:
    """Answer pictures with an Answer and None with the peak memory, until the other end closes."""
    if one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes at start-up
    start = time.perf_counter()
    read = find_module(name).open_reader(name, one_core)
    read(BLANK, setting)
    connection.send(time.perf_counter() - start)
    while True:
        try:
            picture, setting = connection.recv()
        except EOFError:
            return
        if picture is None:
            usages = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            connection.send(sum(resource.getrusage(usage).ru_maxrss for usage in usages) / 1024)
            continue
        start, cpu_start = time.perf_counter(), _cpu_seconds()
        rows = read(picture, setting)
        seconds, cpu_seconds = time.perf_counter() - start, _cpu_seconds() - cpu_start
        connection.send(Answer(rows, seconds, cpu_seconds))


def _cpu_seconds() -> float:
    return sum(os.times()[:4])
