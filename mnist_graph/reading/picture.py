"""Any picture that Pillow reads, as grey pixels."""

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_graph.errors import MnistGraphError

MAX_PIXELS = 64_000_000
MIN_CONTRAST = 24
"""Of 255: what differs less from white is as good as white."""

Made = TypeVar("Made")


def read_grey(source: str | Path | Image.Image) -> np.ndarray:
    """The picture as it looks on white paper, upright: uint8 [height, width], white is 255.

    Raises MnistGraphError for a file that is missing, not a picture, damaged, or of more
    than 64 million pixels.
    """
    return _grey(source) if isinstance(source, Image.Image) else _read(source, _grey)


def read_upright(source: str | Path) -> Image.Image:
    """The picture in file `source`, upright, in RGB; raises MnistGraphError as `read_grey`."""

    def upright(image: Image.Image) -> Image.Image:
        if _is_deep(image) or image.has_transparency_data:
            return Image.fromarray(_grey(image)).convert("RGB")
        return ImageOps.exif_transpose(image).convert("RGB")

    return _read(source, upright)


def _read(source: str | Path, make: Callable[[Image.Image], Made]) -> Made:
    """What `make` makes of the picture in file `source`."""
    try:
        with warnings.catch_warnings():
            # The limit on size is this module's own, checked before a pixel is decoded; and
            # what else Pillow warns of, a picture that is still readable, is no error.
            warnings.simplefilter("ignore")
            with Image.open(source, formats=_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                return make(image)
    except UnidentifiedImageError as error:
        raise MnistGraphError(f"{source} is not a picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise MnistGraphError(
            f"{source} has more than {MAX_PIXELS // 10**6} million pixels: scale it down first"
        ) from error
    except OSError as error:
        if error.strerror:
            raise MnistGraphError(f"cannot read {source}: {error.strerror}") from error
        raise MnistGraphError(f"{source} is damaged ({error})") from error
    except Exception as error:
        # Pillow's decoders raise all sorts for damaged files besides OSError: SyntaxError,
        # ValueError, EOFError, IndexError, RuntimeError (AVIF), ...
        raise MnistGraphError(f"{source} is damaged ({error})") from error


@cache
def _formats() -> list[str]:
    """What Pillow reads by itself: for EPS it would run Ghostscript, which executes what is
    in the file."""
    Image.init()
    return [name for name in Image.OPEN if name != "EPS"]


def _grey(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if _is_deep(image):
        return _deep_grey(image)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"))
    image = image.convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")
    if on_white.getextrema()[0] > 255 - MIN_CONTRAST:  # white ink on nothing: then on black
        ground = Image.new("RGBA", image.size, "black")
        return np.asarray(Image.alpha_composite(ground, image).convert("L"))
    return np.asarray(on_white)


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _deep_grey(image: Image.Image) -> np.ndarray:
    """A picture of 16 or more bits, scaled from its own range to 0..255."""
    values = np.asarray(image, np.float32)
    highest = 255 if values.max(initial=0) <= 255 else max(65535, values.max())
    return np.clip(values * (255 / highest), 0, 255).astype(np.uint8)
