"""Corrections: pictures of digits that were misread, in folders by class.

`corrections/7/20260131T120000000000-1f2e3d4c-read-2.png` is a 7 that was read as a 2. The folder
says what the digit is, the file's name when it was saved and what was read instead. Other files in
the folders are left alone.
"""

import io
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.picture import read_grey
from mnist_graph.runs.files import cannot_write, read_bytes, write_whole
from mnist_graph.serving.bodies import RefusedError

FOLDER = Path("corrections")
"""Where corrections are saved by default: in the current folder."""
CLASSES = 10
MAX_CORRECTIONS = 1000
"""Another is refused."""
MAX_SIDE = 256
"""The longer side of a saved picture in pixels, at most: nine times that of MNIST's images."""
MARGIN = 0.2
"""Of paper around the digit: a share of its longer side. MNIST's digits have as much."""
MAX_BYTES = 2**20
"""The largest file that is read; one of 256x256 pixels has at most 70 kB."""
TIME = "%Y%m%dT%H%M%S%f"
NAME = re.compile(r"(20[0-9]{6}T[0-9]{12})-[0-9a-f]{8}-read-([0-9])\.png")


class Correction(NamedTuple):
    """A digit that was misread."""

    path: Path
    label: int
    """What it is."""
    read: int
    """What was read."""
    time: datetime
    """When it was saved, in UTC."""

    @property
    def id(self) -> str:
        return f"{self.label}-{self.path.stem}"


class Corrections:
    """The corrections in `folder`, which is created with the first. Safe in any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def add(self, picture: bytes, box: Box, label: int, read: int) -> Correction:
        """Save the digit in the `box` of a picture file, which is a `label` but was read as `read`.

        Raises MnistGraphError if the file cannot be read as a picture, and RefusedError if the box
        is outside of it, if there are too many corrections, or if the disk is full.
        """
        now = datetime.now(timezone.utc)
        name = f"{now.strftime(TIME)}-{os.urandom(4).hex()}-read-{read}.png"
        path = self.folder / str(label) / name
        with self._lock:  # one at a time: a large picture takes much memory
            if len(self.find_all()) >= MAX_CORRECTIONS:
                raise RefusedError(
                    507, f"there are {MAX_CORRECTIONS:,} corrections; delete some, or move them"
                )
            image = _crop(read_grey(picture, "the picture"), box)
            with _as_refusal(self.folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.parent.is_symlink():
                    raise RefusedError(507, f"{path.parent} is a link")
                write_whole(path, image.save)
        return Correction(path, label, read, now)

    def find_all(self) -> list[Correction]:
        """Return the corrections, the newest first. Raises RefusedError if the folder cannot be
        read.
        """
        found = [each for label in range(CLASSES) for each in self._find_class(label)]
        return sorted(found, key=lambda each: each.time, reverse=True)

    def _find_class(self, label: int) -> list[Correction]:
        folder = self.folder / str(label)
        if folder.is_symlink():
            return []
        try:
            with os.scandir(folder) as entries:
                names = [each.name for each in entries if each.is_file(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise RefusedError(507, f"cannot read {folder}: {error.strerror}") from error
        found = (_parse(folder / name, label) for name in names)
        return [each for each in found if each is not None]

    def find(self, id_: str) -> Correction:
        """Return the correction with this id. Raises RefusedError if there is none."""
        for each in self.find_all():
            if each.id == id_:
                return each
        raise RefusedError(404, "no such correction")

    def read(self, id_: str) -> bytes:
        """Return the PNG file of a correction. Raises RefusedError if there is none, and
        MnistGraphError if it is unreadable.
        """
        return read_bytes(self.find(id_).path, MAX_BYTES)

    def delete(self, id_: str) -> Correction:
        """Delete a correction and return what it was. Raises RefusedError if there is none, or if
        it cannot be deleted.
        """
        found = self.find(id_)
        with _as_refusal(self.folder):
            found.path.unlink(missing_ok=True)
        return found

    def zip(self) -> Iterator[bytes]:
        """Return the pieces of a ZIP file of all corrections, with a folder for each class. Raises
        RefusedError if the folder cannot be read.
        """
        return _zip(self.find_all())


def _zip(corrections: list[Correction]) -> Iterator[bytes]:
    """Yield a ZIP file piece by piece; files that are deleted meanwhile are left out."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for each in corrections:
            with suppress(MnistGraphError):
                content = read_bytes(each.path, MAX_BYTES)
                name = f"{each.label}/{each.path.name}"
                archive.writestr(zipfile.ZipInfo(name, each.time.timetuple()[:6]), content)
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that holds what was written since it was last taken."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._held += content
        return len(content)

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held


def _parse(path: Path, label: int) -> Correction | None:
    """Return what the name of a file says; None if it is not the name of a correction."""
    match = NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        time = datetime.strptime(match[1], TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return Correction(path, label, int(match[2]), time)


def _crop(grey: np.ndarray, box: Box) -> Image.Image:
    """Return the digit in `box` of a picture, uint8 [height, width], with a margin, scaled down if
    it is large.
    """
    height, width = grey.shape
    if box.left >= width or box.top >= height or box.right <= 0 or box.bottom <= 0:
        raise RefusedError(400, "box is outside of the picture")
    box = box.clipped(width, height)
    margin = round(MARGIN * max(box.width, box.height))
    wider = Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
    image = Image.fromarray(grey[wider.clipped(width, height).inside])
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return image


@contextmanager
def _as_refusal(folder: Path) -> Iterator[None]:
    """Report errors of the operating system as RefusedError."""
    try:
        yield
    except OSError as error:
        raise RefusedError(507, str(cannot_write(folder, error))) from error
