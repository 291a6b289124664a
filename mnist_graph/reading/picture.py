"""Any picture, from a file or from memory, as grey pixels."""

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from mnist_graph.data.picture_files import (
    MAX_PIXELS,
    REDUCIBLE,
    check_size,
    formats,
    in_plain_mode,
    is_deep,
    open_image,
    reported,
    require_file,
    to_bytes,
    upright_size,
)
from mnist_graph.errors import MnistGraphError, MnistGraphWarning

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | np.ndarray
"""The path of a picture file, the content of one, a Pillow image of any mode, or an array as
`read_grey` takes it."""

MIN_CONTRAST = 24
"""Of 255: what differs less from white is as good as white."""
MAX_NAME = 1000
"""The longest name in an error, in characters: a text may have been given for a path."""
NOT_PAGES = ("MPO", "PSD")
"""Formats whose further frames are no pages: other views of a photo, and layers of a drawing."""
STEPS = (8, 4, 2)
"""The divisors of the width and height, from the smallest picture to the largest."""


class Reduced(NamedTuple):
    """A picture in grey, possibly smaller than the file has it."""

    grey: np.ndarray
    """uint8 [height, width] as `read_grey` returns."""
    step: int
    """How many of the picture's pixels one of `grey` stands for, along each side: 1, 2, 4 or 8."""
    size: tuple[int, int]
    """Width and height of the upright picture, in its own pixels."""


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
    name = name or name_of(picture)
    with opened(picture, name) as image:
        size, step = upright_size(image), 1
        if image.format in REDUCIBLE and not isinstance(picture, Image.Image):
            step = _reduce(image, least)
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
    name = name or name_of(picture)
    with opened(picture, name) as image:
        if is_deep(image) or image.has_transparency_data:
            return Image.fromarray(_grey(image, name)).convert("RGB")
        return in_plain_mode(ImageOps.exif_transpose(image)).convert("RGB")


def name_of(picture: Picture) -> str:
    """Return what errors call a picture: its path, if it has one."""
    if not isinstance(picture, str | os.PathLike):
        return "the picture"
    path = os.fspath(picture)
    return path if len(path) <= MAX_NAME else f"{path[:MAX_NAME]}..."


@contextmanager
def opened(picture: Picture, name: str) -> Iterator[Image.Image]:
    """Open the picture as a Pillow image. Whatever is wrong with it, when it is opened and in the
    body of the `with` statement, is raised as MnistGraphError.
    """
    with reported(name), _open(picture, name) as image:
        check_size(image.width, image.height, name)
        yield image


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
    return open_image(picture, formats())


def _count_pages(picture: Picture, image: Image.Image) -> int:
    """Return the number of pages in the file `picture`, opened as `image`; 1 if the rest of it is
    damaged. Counting moves the image to its other pages.
    """
    if isinstance(picture, Image.Image | np.ndarray):
        return 1  # the caller has chosen the page
    try:
        return 1 if image.format in NOT_PAGES else getattr(image, "n_frames", 1)
    except Exception:  # as in `opened`
        return 1


def _from_array(pixels: np.ndarray, name: str) -> Image.Image:
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (1,), (3,), (4,)):
        raise MnistGraphError(
            "an array must be [height, width], or [height, width, channels] with 1, 3 or 4 "
            f"channels, not {list(pixels.shape)}"
        )
    check_size(pixels.shape[1], pixels.shape[0], name)
    scaled = to_bytes(pixels, name)
    return Image.fromarray(scaled[..., 0] if scaled.shape[2:] == (1,) else scaled)


def _grey(image: Image.Image, name: str) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if is_deep(image):
        return to_bytes(np.asarray(image), name)
    image = in_plain_mode(image)
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
