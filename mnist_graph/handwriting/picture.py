"""Any picture that Pillow reads, as grey pixels."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_graph.errors import MnistGraphError

BOX = 20 / 28
"""The share of the frame that the digit's box fills."""
MAX_PIXELS = 64_000_000
MIN_CONTRAST = 24
"""Of 255: ink that is nearer to its ground than this is not seen as ink."""
INK = 0.25
"""The share of the strongest ink from which a pixel counts as part of the digit."""


def read_grey(source: str | Path | Image.Image) -> np.ndarray:
    """The picture as it looks on white paper, upright: uint8 [height, width], white is 255.

    Raises MnistGraphError for a file that is missing, not a picture, damaged, or of more
    than 64 million pixels.
    """
    if isinstance(source, Image.Image):
        return _grey(source)
    try:
        with warnings.catch_warnings():
            # The limit on size is this module's own, checked before a pixel is decoded; and
            # what else Pillow warns of, a picture that is still readable, is no error.
            warnings.simplefilter("ignore")
            with Image.open(source) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                return _grey(image)
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


def _grey(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_grey(image)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"))
    image = image.convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")
    if on_white.getextrema()[0] > 255 - MIN_CONTRAST:  # white ink on nothing: then on black
        ground = Image.new("RGBA", image.size, "black")
        return np.asarray(Image.alpha_composite(ground, image).convert("L"))
    return np.asarray(on_white)


def _deep_grey(image: Image.Image) -> np.ndarray:
    """A picture of 16 or more bits, scaled from its own range to 0..255."""
    values = np.asarray(image, np.float32)
    highest = 255 if values.max(initial=0) <= 255 else max(65535, values.max())
    return np.clip(values * (255 / highest), 0, 255).astype(np.uint8)
