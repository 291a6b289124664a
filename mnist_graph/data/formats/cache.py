"""What was decoded, saved for the next time: whole or not at all.

    <cache>/<key>/
        pixels.npy     uint8 [n, *shape], read as a memory map
        labels.npy     uint8 or uint16 [n]
        about.json     how many images are for what, and which pictures were left out

The key follows from where the pictures are, their names, sizes and times, and what they are brought
to. A folder that is damaged is made anew; all of them can be deleted at any time.
"""

import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.data.formats.examples import Form
from mnist_graph.data.formats.listing import Listing
from mnist_graph.data.shapes import ImageShape

VERSION = 1
"""Of what is saved, and of how pictures are decoded: another one makes all of it anew."""
PIXELS, LABELS, ABOUT = "pixels.npy", "labels.npy", "about.json"
UNDECIDED = "undecided.npy"
"""The pixels, before it is known whether they have colour."""
UNFINISHED = ".unfinished-"
"""What the names of folders begin with in which pictures are being decoded."""
ABANDONED_SECONDS = 24 * 3600.0
"""After this time nothing is being decoded in them any more."""
Json = dict[str, Any]


class Decoded:
    """Images that have been decoded, with their labels and what is known of them."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, about: Json) -> None:
        self.pixels, self.labels, self.about = pixels, labels, about


def find_key(root: Path, listing: Listing, form: Form) -> str:
    """Return the name of the folder for these pictures, brought to this form."""
    known = [VERSION, os.path.realpath(root), listing.files, listing.class_names, form]
    text = json.dumps([*known, sorted(listing.held_back)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def load(folder: Path) -> Decoded | None:
    """Return what `save` has saved in `folder`; None if there is nothing, or it is damaged."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        pixels = np.load(folder / PIXELS, mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / LABELS, allow_pickle=False)
        count = sum(about["counts"].values())
        if pixels.dtype == np.uint8 and len(pixels) >= len(labels) == count:
            return Decoded(np.asarray(pixels)[:count], labels, about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError):
        pass
    return None


def save(folder: Path, decoded_in: Callable[[Path], Decoded]) -> Decoded:
    """Let `decoded_in` decode pictures into an empty folder, and give it the name `folder`.

    Raises OSError; nothing is left then, nor if `decoded_in` fails.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder.parent)
    written = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    try:
        decoded = decoded_in(written)
        np.save(written / LABELS, decoded.labels)
        (written / ABOUT).write_text(json.dumps(decoded.about), encoding="utf-8")
        written.chmod(0o755)
        if folder.exists() and load(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another process has just saved the same
            os.rename(written, folder)
        return load(folder) or decoded
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _remove_abandoned(cache: Path) -> None:
    """Remove what processes that were killed have left."""
    for path in cache.glob(f"{UNFINISHED}*"):
        with suppress(OSError):  # another process removes it too
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


class Rows:
    """Images that are added one by one, at most `count` of them: to the file `name` in `folder`, so
    that they take no memory, or in memory if `folder` is None. Use it as a context manager.
    """

    def __init__(self, folder: Path | None, name: str, count: int, shape: ImageShape) -> None:
        self.whole = (count, *shape)
        self._path = None if folder is None else folder / name
        self._array = np.empty(self.whole if folder is None else 0, np.uint8)
        self._added = 0

    def __enter__(self) -> "Rows":
        if self._path is not None:
            self._file = self._path.open("wb")
            header = {"descr": "|u1", "fortran_order": False, "shape": self.whole}
            np.lib.format.write_array_header_1_0(self._file, header)
            self._size = self._file.tell() + math.prod(self.whole)
        return self

    def add(self, image: np.ndarray) -> None:
        """Add an image of the shape. Raises OSError."""
        if self._path is None:
            self._array[self._added] = image
        else:
            self._file.write(np.ascontiguousarray(image).data)
        self._added += 1

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._file.truncate(self._size)  # longer, if some were left out
            self._file.close()

    def read(self) -> np.ndarray:
        """Return what has been added: uint8 [n, *shape]. To be called after the context."""
        array = self._array if self._path is None else np.load(self._path, mmap_mode="r")
        return np.asarray(array)[: self._added]


def keep_pixels(folder: Path | None) -> None:
    """Keep the file PIXELS of `folder`; or UNDECIDED, if it is the only one."""
    if folder is None:
        return
    if (folder / PIXELS).exists():
        (folder / UNDECIDED).unlink()
    else:
        (folder / UNDECIDED).rename(folder / PIXELS)
