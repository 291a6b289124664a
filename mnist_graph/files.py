"""Small files, written whole or not at all, and read as if a stranger had written them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mnist_graph.errors import MnistGraphError

MAX_JSON_BYTES = 2**20


def read_json(path: Path) -> Any:
    """What is in the JSON file `path`. Raises MnistGraphError where it cannot be read."""
    return parse_json(read_bytes(path, MAX_JSON_BYTES), path)


def parse_json(text: bytes, path: Path) -> Any:
    """What the JSON of `path` says. Raises MnistGraphError for what is not JSON."""
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MnistGraphError(f"{path} is damaged: it is not JSON") from error


def read_bytes(path: Path, most: int) -> bytes:
    """The bytes of file `path`. Raises MnistGraphError where there are more than `most`, and
    like `open_file`.
    """
    with open_file(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise MnistGraphError(f"{path} is too large to be what its name says")
    return content


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """File `path`, to be read. Raises MnistGraphError where it is missing, no plain file, a
    link to another one, or cannot be read.
    """
    try:
        if path.is_symlink() or not path.is_file():
            what = "a link" if path.is_symlink() else "no file" if path.exists() else "missing"
            raise MnistGraphError(f"{path} is {what}")
        with path.open("rb") as file:
            yield file
    except OSError as error:  # pragma: no cover - no permission, which root always has
        raise MnistGraphError(f"cannot read {path}: {error.strerror or error}") from error


def write_json(path: Path, values: Any) -> None:
    """Write `values` to `path`, where they are on the disk when this returns. OSError."""
    text = json.dumps(values, indent=2) + "\n"
    write_whole(path, lambda written: written.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Have `write` make a file under another name, put it on the disk and call it `path`.
    Raises OSError, or what `write` does.
    """
    written = path.with_name(f".{path.name}")
    try:
        write(written)
        synchronise(written)
        written.replace(path)
        synchronise(path.parent)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def write_output(path: Path, write: Callable[[Path], Any]) -> None:
    """The same for a file that the user wants to have: MnistGraphError where it cannot be."""
    try:
        write_whole(path, write)
    except OSError as error:
        raise MnistGraphError(f"cannot write {path}: {error.strerror or error}") from error


def cannot_write(directory: Path, error: Exception) -> MnistGraphError:
    """What says so, and why, for an `error` of the system's or TensorFlow's."""
    if isinstance(error, MnistGraphError):
        return error
    reason = getattr(error, "strerror", None) or str(error)
    if message := getattr(error, "message", None):  # TensorFlow's, around what the system said
        lines = [line for line in message.splitlines() if line.strip() and "{{node" not in line]
        reason = lines[-1].rsplit("; ", 1)[-1] if lines else message
    return MnistGraphError(f"cannot write to {directory}: {reason}")


def synchronise(path: Path) -> None:
    """Have file or folder `path` on the disk, so that a power cut cannot take it. OSError."""
    if path.is_dir() and os.name == "nt":  # pragma: no cover - Windows cannot open folders
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
