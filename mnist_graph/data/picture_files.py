"""Files of pictures, opened with suspicion, and their pixels in plain modes. Needs Pillow."""

import io
import math
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from mnist_graph.data.shapes import ImageShape, is_colour
from mnist_graph.errors import MnistGraphError

MAX_PIXELS = 64_000_000
"""The largest picture that is decoded."""
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations of a picture whose width is its height when it is upright."""
REDUCIBLE = ("JPEG", "MPO")
"""Formats that Pillow can decode in grey and at a fraction of their size."""


class _Silence:
    """Silences Pillow's warnings while at least one thread is inside.

    `warnings.catch_warnings` alone is not safe for threads: the second of two that overlap would
    restore the filters of the first and leave the warnings silenced.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.__exit__(None, None, None)


pillow_silenced = _Silence()
"""The limit on the size is this module's own, checked before a pixel is decoded; and what else
Pillow warns of, a picture that is still readable, is no error."""


@contextmanager
def reported(name: str) -> Iterator[None]:
    """Raise whatever is wrong with the picture that errors call `name` as MnistGraphError."""
    try:
        with pillow_silenced:
            yield
    except MnistGraphError:
        raise
    except UnidentifiedImageError as error:
        raise MnistGraphError(f"{name} is not a picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except MemoryError as error:
        raise MnistGraphError(f"{name} needs more memory than is free: scale it down") from error
    except OSError as error:
        if error.strerror:
            raise MnistGraphError(f"cannot read {name}: {error.strerror}") from error
        raise MnistGraphError(f"{name} is damaged ({error})") from error
    except Exception as error:
        # Pillow's decoders raise all sorts for damaged files besides OSError: SyntaxError,
        # ValueError, EOFError, IndexError, RuntimeError (AVIF), ...
        raise MnistGraphError(f"{name} is damaged ({error})") from error


def open_image(source: str | os.PathLike[str] | bytes, allowed: list[str]) -> Image.Image:
    """Open the file at a path, or the content of one, with Pillow."""
    image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, "r", allowed)
    # With its name Pillow would map a TIFF file into memory, and garble one that lies on its side.
    image.filename = ""
    return image


def require_file(path: str | os.PathLike[str], name: str) -> None:
    """Raise MnistGraphError for a pipe, a socket or a device, where reading could wait for ever."""
    try:
        mode = os.stat(path).st_mode
    except ValueError as error:  # a null character
        raise MnistGraphError(f"cannot read {name!r}: {error}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a folder fails by itself
        raise MnistGraphError(
            f"{name} is not a regular file; to read a pipe, use --predict - (standard input)"
        )


@cache
def formats() -> list[str]:
    """What Pillow reads by itself: for EPS it would run Ghostscript, which executes what is
    in the file."""
    Image.init()
    return [name for name in Image.OPEN if name != "EPS"]


def check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(name)
    if not width * height:
        raise MnistGraphError(f"{name} is empty: it is {width} pixels wide and {height} high")


def _too_large(name: str) -> MnistGraphError:
    limit = MAX_PIXELS // 10**6
    return MnistGraphError(f"{name} has more than {limit} million pixels: scale it down first")


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the width and height of an open picture, in its own pixels, when it is upright."""
    width, height = image.size
    is_sideways = image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS
    return (height, width) if is_sideways else (width, height)


def in_plain_mode(image: Image.Image) -> Image.Image:
    """Return the image in a mode that Pillow converts to L, RGB and RGBA."""
    if image.mode == "LAB":
        return image.getchannel("L")
    return image.convert("LA") if image.mode == "La" else image


def is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def to_bytes(values: np.ndarray, name: str) -> np.ndarray:
    """Return pixels of any type, scaled from their range to 0..255, as uint8."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "buif":
        raise MnistGraphError(
            f"the pixels of {name} must be bools, integers or floats, not {values.dtype.name}"
        )
    lowest, highest = float(values.min()), float(values.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise MnistGraphError(f"{name} has pixels that are NaN or infinite")
    if values.dtype.kind == "f":
        full = 1 if highest <= 1 else 255
        # Between 1 and 2 they are not of 0..255, where all would be black: a filter overshot.
        valid = lowest >= 0 and highest <= 255 and not 1 < highest < 2
        ranges = "from 0 to 1 or from 0 to 255"
    else:
        full = 1 if values.dtype == bool else 255 if highest <= 255 else max(65535, int(highest))
        valid, ranges = lowest >= 0, "at least 0"
    if not valid:
        raise MnistGraphError(
            f"the pixels of {name} must be {ranges}, not from {lowest:g} to {highest:g}"
        )
    scaled = values.astype(np.float32)
    scaled *= 255 / full
    return np.rint(scaled, out=scaled).astype(np.uint8)


def to_pixels(
    image: Image.Image, shape: ImageShape, name: str, may_reduce: bool = False
) -> np.ndarray:
    """Return an open picture as an image of `shape`: uint8 of it, upright, on white where the
    picture is transparent, and scaled to the size whatever its proportions.

    With `may_reduce`, a large JPEG is decoded at a fraction of its size: faster, and in less
    memory. Raises MnistGraphError for pixels that are negative, NaN or infinite.
    """
    (height, width), mode = shape[:2], "RGB" if is_colour(shape) else "L"
    if may_reduce and image.format in REDUCIBLE:
        side = 2 * max(height, width)  # the picture may lie on its side
        image.draft(mode, (side, side))
    image = ImageOps.exif_transpose(image)
    if is_deep(image):
        image = Image.fromarray(to_bytes(np.asarray(image), name))
    elif image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    image = in_plain_mode(image).convert(mode)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image)
