"""Folders that one process at a time works in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.files import cannot_write


@contextmanager
def locked(folder: Path, use: str, seconds: float = 0) -> Iterator[None]:
    """Keep other processes from what this one does in `folder`. The lock ends with its process.

    Raises MnistGraphError if another process has it for longer than `seconds`: "FOLDER is being
    `use` by another process".
    """
    # Imported here because it would double the time that --help takes.
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock", timeout=seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise MnistGraphError(
            f"{folder} is being {use} by another process; wait for it to finish"
        ) from error
    except OSError as error:  # pragma: no cover - no permission, which root always has
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()
