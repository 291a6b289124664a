"""Files that are written completely or not at all, and read with suspicion."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from mnist_graph.errors import MnistGraphError

MAX_JSON_BYTES = 2**20
"""The largest JSON file that is read; a run's are below 10 kB."""


def read_json(path: Path) -> Any:
    """Return the content of the JSON file `path`. Raises MnistGraphError if it is unreadable."""
    return parse_json(read_bytes(path, MAX_JSON_BYTES), path)


def parse_json(text: bytes, path: Path) -> Any:
    """Parse the JSON `text` of the file `path`. Raises MnistGraphError if it is not JSON."""
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MnistGraphError(f"{path} is damaged: it is not JSON") from error


def read_bytes(path: Path, most: int) -> bytes:
    """Return the bytes of file `path`. Raises MnistGraphError if there are more than `most`,
    and as `open_file` does.
    """
    with open_file(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise MnistGraphError(f"{path} is too large to be what its name says")
    return content


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open file `path` for reading. Raises MnistGraphError if it is missing, not a regular
    file, a link, or unreadable.
    """
    try:
        if path.is_symlink() or not path.is_file():
            what = "a link" if path.is_symlink() else "not a file" if path.exists() else "missing"
            raise MnistGraphError(f"{path} is {what}")
        with path.open("rb") as file:
            yield file
    except OSError as error:  # pragma: no cover - no permission, which root always has
        raise MnistGraphError(f"cannot read {path}: {error.strerror or error}") from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of file `path`. Raises MnistGraphError as `open_file` does."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()


def write_json(path: Path, values: Any) -> None:
    """Write `values` to `path`; they are on disk when this returns. Raises OSError."""
    text = json.dumps(values, indent=2) + "\n"
    write_whole(path, lambda written: written.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` create a file under a temporary name, flush it to disk and rename it to
    `path`. Raises OSError, or what `write` raises; nothing new is then left.
    """
    written = create_unfinished(path)
    try:
        write(written)
        synchronize(written)
        written.replace(path)
        synchronize(path.parent)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def create_unfinished(path: Path) -> Path:
    """Create an empty file next to `path`, under a name that nothing else has, which ends like that
    of `path`. Raises OSError.
    """
    while True:
        # Cut, because adding to a long name could make it too long.
        written = path.with_name(f".{os.urandom(4).hex()}-{path.name[-40:]}")
        with suppress(FileExistsError):
            written.open("xb").close()
            return written


def is_unfinished(found: str, name: str) -> bool:
    """Whether the file name `found` is one that `create_unfinished` chose for a file `name`, which
    a killed process has left.
    """
    return re.fullmatch(rf"\.[0-9a-f]{{8}}-{re.escape(name[-40:])}", found) is not None


def write_output(path: Path, write: Callable[[Path], Any]) -> None:
    """Do the same for a file that the user asked for; raises MnistGraphError on failure."""
    try:
        write_whole(path, write)
    except OSError as error:
        raise MnistGraphError(f"cannot write {path}: {error.strerror or error}") from error


def find_output_fault(path: Path) -> str | None:
    """Say why the file `path`, which the user named, cannot be written; None if it can. Raises
    OSError, e.g. for a name that is too long.
    """
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return "its folder does not exist"
    if path.exists() and not path.is_file():  # opening a pipe could wait for ever
        return "it is not a regular file"
    return None


def cannot_write(directory: Path, error: Exception) -> MnistGraphError:
    """Return the exception that reports `error`, the operating system's or TensorFlow's."""
    if isinstance(error, MnistGraphError):
        return error
    reason = getattr(error, "strerror", None) or str(error)
    if message := getattr(error, "message", None):  # TensorFlow's, around the system's own
        lines = [line for line in message.splitlines() if line.strip() and "{{node" not in line]
        reason = lines[-1].rsplit("; ", 1)[-1] if lines else message
    return MnistGraphError(f"cannot write to {directory}: {reason}")


def synchronize(path: Path) -> None:
    """Flush file or folder `path` to disk, so that it survives a power cut. Raises OSError."""
    if path.is_dir() and os.name == "nt":  # pragma: no cover - Windows cannot open folders
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
