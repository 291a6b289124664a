"""A picture of a digit, brought to the form in which MNIST's digits were made.

"The original black and white (bilevel) images from NIST were size normalized to fit in a
20x20 pixel box while preserving their aspect ratio. [...] the images were centered in a
28x28 image by computing the center of mass of the pixels, and translating the image so as
to position this point at the center of the 28x28 field." (LeCun, Cortes and Burges)
"""

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


def read_ink(source: str | Path | Image.Image) -> np.ndarray:
    """The strength of the ink in a picture, a file or an image of Pillow's: float32
    [height, width] in [0, 1].

    Raises MnistGraphError for what is not a picture, or a blank one.
    """
    grey = read_grey(source)
    try:
        return find_ink(grey)
    except MnistGraphError as error:
        name = "the picture" if isinstance(source, Image.Image) else source
        raise MnistGraphError(f"{name} {error}") from error


def find_ink(grey: np.ndarray) -> np.ndarray:
    """The strength of the ink in `grey`, uint8 [height, width]: float32 in [0, 1].

    The ground is what the picture's edge mostly shows; on a light ground the ink is dark,
    on a dark one light. Raises MnistGraphError for a picture with nothing on its ground.
    """
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(edge))
    ink = grey.astype(np.float32) - ground
    if ground > 127:
        ink = -ink
    strongest = float(ink.max())
    if strongest < MIN_CONTRAST:
        raise MnistGraphError("is blank: no digit stands out from its ground")
    return np.clip(ink / strongest, 0, 1)


def normalise(ink: np.ndarray, image_shape: tuple[int, int] = (28, 28)) -> np.ndarray:
    """The digit in `ink`, float32 [height, width] in [0, 1], in MNIST's form.

    Its box is scaled to fit 20x20 of 28x28 (the same shares of another `image_shape`) with
    its proportions kept, and its centre of mass put at the centre: uint8 [*image_shape].
    """
    digit = _crop(ink)
    scale = min(BOX * frame / side for frame, side in zip(image_shape, digit.shape, strict=True))
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    resized = Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC)
    digit = np.clip(np.asarray(resized), 0, None)
    digit = np.clip(digit / digit.max(), 0, 1)
    frame = np.zeros(image_shape, np.uint8)
    top, left = (_offset(digit.sum(axis=1 - axis), image_shape[axis]) for axis in (0, 1))
    frame[top : top + height, left : left + width] = np.rint(digit * 255)
    return frame


def _crop(ink: np.ndarray) -> np.ndarray:
    """The box around what is ink."""
    rows, columns = np.nonzero(ink >= INK)
    return np.ascontiguousarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


def _offset(mass: np.ndarray, frame: int) -> int:
    """Where a digit of `mass` [side] starts in a frame that long, so that its centre of mass
    is at the centre, as near as whole pixels and the frame's edges allow.

    MNIST puts it at frame / 2 counted from 0: 14 for 28, not 13.5 (the mean over its
    training images is 14.0).
    """
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return int(np.clip(round(frame / 2 - centre), 0, frame - len(mass)))
