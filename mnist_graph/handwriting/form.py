"""A digit, brought to the form in which MNIST's digits were made.

"The original black and white (bilevel) images from NIST were size normalized to fit in a
20x20 pixel box while preserving their aspect ratio. [...] the images were centered in a
28x28 image by computing the center of mass of the pixels, and translating the image so as
to position this point at the center of the 28x28 field." (LeCun, Cortes and Burges)
"""

import numpy as np
from PIL import Image

BOX = 20 / 28
"""The share of the frame that the digit's box fills."""
INK = 0.25
"""The share of the strongest ink from which a pixel counts as part of the digit."""


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
