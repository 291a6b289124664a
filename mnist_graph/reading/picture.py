"""Any picture, from a file or from memory, as grey pixels."""

import io
import math
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from mnist_graph.errors import MnistGraphError, MnistGraphWarning

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | np.ndarray
"""The path of a picture file, the content of one, a Pillow image of any mode, or an array as
`read_grey` takes it."""

MAX_PIXELS = 64_000_000
MIN_CONTRAST = 24
"""Of 255: what differs less from white is as good as white."""
MAX_NAME = 1000
"""The longest name in an error, in characters: a text may have been given for a path."""
NOT_PAGES = ("MPO", "PSD")
"""Formats whose further frames are no pages: other views of a photo, and layers of a drawing."""
REDUCIBLE = ("JPEG", "MPO")
"""Formats that Pillow can decode in grey and at a fraction of their size."""
STEPS = (8, 4, 2)
"""The divisors of the width and height, from the smallest picture to the largest."""
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations of a picture whose width is its height when it is upright."""


class Reduced(NamedTuple):
    """A picture in grey, possibly smaller than the file has it."""

    grey: np.ndarray
    """uint8 [height, width] as `read_grey` returns."""
    step: int
    """How many of the picture's pixels one of `grey` stands for, along each side: 1, 2, 4 or 8."""
    size: tuple[int, int]
    """Width and height of the upright picture, in its own pixels."""


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


def read_grey(picture: Picture, name: str | None = None) -> np.ndarray:
    """Return the picture as it looks on white paper, upright: uint8 [height, width], white is 255.

    An array is [height, width] or [height, width, 1] grey, [height, width, 3] RGB or
    [height, width, 4] RGBA: bools; floats in [0, 1] or 0..255; integers in 0..255, or 0..65535
    if one is above 255. `name` is what errors call the picture (default: its path).

    Of a file with several pages the first is read, with an MnistGraphWarning. Raises
    MnistGraphError for a file that is missing, not a regular file, not a picture or damaged, for
    pixels that are negative, NaN or infinite, for no pixels, and for more than 64 million.
    """
    return read_reduced(picture, MAX_PIXELS, name).grey


def read_reduced(picture: Picture, least: int, name: str | None = None) -> Reduced:
    """Do the same, but decode a large JPEG at a half, a quarter or an eighth of its size if at
    least `least` pixels are left: that is faster and takes less memory than to scale it later.
    """
    name = name or _name_of(picture)
    with _opened(picture, name) as image:
        size, step = image.size, 1
        if image.format in REDUCIBLE and not isinstance(picture, Image.Image):
            step = _reduce(image, least)
        if image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS:
            size = size[::-1]
        grey = _grey(image, name)
        pages = _count_pages(picture, image)
    if pages > 1:
        message = f"{name} has {pages} pages; only the first is read"
        warnings.warn(message, MnistGraphWarning, stacklevel=2)
    return Reduced(grey, step, size)


def _reduce(image: Image.Image, least: int) -> int:
    """Let Pillow decode a JPEG in grey, and as small as it can with `least` pixels; return the
    step. In grey, a colour photo takes half of the time.
    """
    width, height = image.size
    steps = (step for step in STEPS if width * height >= least * step**2)
    step = next(steps, 1)
    image.draft("L", (width // step, height // step))
    return step


def read_upright(picture: Picture, name: str | None = None) -> Image.Image:
    """Return the picture, upright, in RGB; takes and raises the same as `read_grey`."""
    name = name or _name_of(picture)
    with _opened(picture, name) as image:
        if _is_deep(image) or image.has_transparency_data:
            return Image.fromarray(_grey(image, name)).convert("RGB")
        return _in_plain_mode(ImageOps.exif_transpose(image)).convert("RGB")


def _name_of(picture: Picture) -> str:
    if not isinstance(picture, str | os.PathLike):
        return "the picture"
    path = os.fspath(picture)
    return path if len(path) <= MAX_NAME else f"{path[:MAX_NAME]}..."


@contextmanager
def _opened(picture: Picture, name: str) -> Iterator[Image.Image]:
    """Open the picture as a Pillow image. Whatever is wrong with it, when it is opened and in the
    body of the `with` statement, is raised as MnistGraphError.
    """
    with reported(name), _open(picture, name) as image:
        _check_size(image.width, image.height, name)
        yield image


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


def _open(picture: Picture, name: str) -> AbstractContextManager[Image.Image]:
    if isinstance(picture, Image.Image):
        return nullcontext(picture)  # the caller closes it
    if isinstance(picture, np.ndarray):
        return _from_array(picture, name)
    if not isinstance(picture, str | os.PathLike | bytes):
        raise MnistGraphError(
            "a picture is a path, the bytes of a file, a Pillow image or a NumPy array, "
            f"not {type(picture).__name__}"
        )
    if not isinstance(picture, bytes):
        require_file(picture, name)
    return open_image(picture, _formats())


def open_image(source: str | os.PathLike[str] | bytes, formats: list[str]) -> Image.Image:
    """Open the file at a path, or the content of one, with Pillow."""
    image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, "r", formats)
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
def _formats() -> list[str]:
    """What Pillow reads by itself: for EPS it would run Ghostscript, which executes what is
    in the file."""
    Image.init()
    return [name for name in Image.OPEN if name != "EPS"]


def _count_pages(picture: Picture, image: Image.Image) -> int:
    """Return the number of pages in the file `picture`, opened as `image`; 1 if the rest of it is
    damaged. Counting moves the image to its other pages.
    """
    if isinstance(picture, Image.Image | np.ndarray):
        return 1  # the caller has chosen the page
    try:
        return 1 if image.format in NOT_PAGES else getattr(image, "n_frames", 1)
    except Exception:  # as in `_opened`
        return 1


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(name)
    if not width * height:
        raise MnistGraphError(f"{name} is empty: it is {width} pixels wide and {height} high")


def _too_large(name: str) -> MnistGraphError:
    limit = MAX_PIXELS // 10**6
    return MnistGraphError(f"{name} has more than {limit} million pixels: scale it down first")


def _from_array(pixels: np.ndarray, name: str) -> Image.Image:
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (1,), (3,), (4,)):
        raise MnistGraphError(
            "an array must be [height, width], or [height, width, channels] with 1, 3 or 4 "
            f"channels, not {list(pixels.shape)}"
        )
    _check_size(pixels.shape[1], pixels.shape[0], name)
    scaled = _to_bytes(pixels, name)
    return Image.fromarray(scaled[..., 0] if scaled.shape[2:] == (1,) else scaled)


def _grey(image: Image.Image, name: str) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if _is_deep(image):
        return _to_bytes(np.asarray(image), name)
    image = _in_plain_mode(image)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"))
    image = image.convert("RGBA")
    on_white = _on_ground(image, "white")
    if on_white.min() > 255 - MIN_CONTRAST:  # white ink on nothing: then on black
        return _on_ground(image, "black")
    return on_white


def _on_ground(image: Image.Image, colour: str) -> np.ndarray:
    ground = Image.new("RGBA", image.size, colour)
    return np.asarray(Image.alpha_composite(ground, image).convert("L"))


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """Return the image in a mode that Pillow converts to L, RGB and RGBA."""
    if image.mode == "LAB":
        return image.getchannel("L")
    return image.convert("LA") if image.mode == "La" else image


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _to_bytes(values: np.ndarray, name: str) -> np.ndarray:
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
