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
INK = 0.2
"""The share of the strongest ink from which a pixel counts as part of the digit."""

BROAD = 3 / 28
"""Broader strokes than this share of the frame come from a thick pen or a blurred picture; MNIST's
are 2.6 of 28 pixels broad (the median over its validation images)."""
BROAD_BOX = 19 / 28
"""The box of a digit with broad strokes. Half of the edge of such a stroke is outside the digit."""
FADING = 1.5
"""The edges of broad strokes are raised to the power of stroke width over BROAD, but at most to
this power. BROAD_BOX and FADING were chosen on MNIST's validation images, drawn and on pages, and
on scikit-learn's digits."""

FULL_INK = 80
"""The percentile of a digit's contrast that counts as full ink."""


def scale_ink(contrast: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Return the ink of a digit, float32 [h, w] in [0, 1]: its `contrast`, float32 [h, w], where
    `mask`, bool [h, w], is true, as a share of full ink. None if there is no contrast.
    """
    ink = np.where(mask, contrast, np.float32(0))
    full = float(np.percentile(ink[mask], FULL_INK)) if mask.any() else 0.0
    return np.clip(ink / full, 0, 1) if full > 0 else None


def to_mnist_form(ink: np.ndarray, image_shape: tuple[int, int] = (28, 28)) -> np.ndarray:
    """Return the digit in `ink`, float32 [height, width] in [0, 1], in MNIST's form.

    Its box is scaled to fit 20x20 of 28x28 (the same shares of another `image_shape`) with its
    proportions kept, and its centre of mass is put at the centre: uint8 [*image_shape].
    """
    digit = _crop(ink)
    image = _framed(digit, image_shape, BOX)
    broad = _stroke_width(image) / (BROAD * min(image_shape))
    if broad > 1:
        image = _framed(digit, image_shape, BROAD_BOX, min(broad, FADING))
    return np.rint(image * 255).astype(np.uint8)


def _framed(
    digit: np.ndarray, image_shape: tuple[int, int], box: float, fading: float = 1.0
) -> np.ndarray:
    """Return float32 [*image_shape] in [0, 1] with `digit` in a `box` of this share of it."""
    scale = min(box * frame / side for frame, side in zip(image_shape, digit.shape, strict=True))
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    resized = Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC)
    digit = np.clip(np.asarray(resized), 0, None)
    digit = np.clip(digit / digit.max(), 0, 1) ** fading
    image = np.zeros(image_shape, np.float32)
    top, left = (_offset(digit.sum(axis=1 - axis), image_shape[axis]) for axis in (0, 1))
    image[top : top + height, left : left + width] = digit
    return image


def _stroke_width(image: np.ndarray) -> float:
    """Return the width of the strokes in `image`, in pixels: their area over half the length of
    their edge, where the ink falls from 1 to 0.
    """
    edge = float(np.hypot(*np.gradient(np.pad(image, 1))).sum())
    return 2 * float(image.sum()) / max(edge, 1e-6)


def _crop(ink: np.ndarray) -> np.ndarray:
    """Return the box around the ink."""
    rows, columns = np.nonzero(ink >= INK)
    return np.ascontiguousarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


def _offset(mass: np.ndarray, frame: int) -> int:
    """Return where a digit of `mass` [side] starts in a frame of this length, so that its centre of
    mass is as near the centre as whole pixels and the frame's edges allow.

    MNIST puts it at frame / 2 counted from 0: 14 for 28, not 13.5 (the mean over its training
    images is 14.0).
    """
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return int(np.clip(round(frame / 2 - centre), 0, frame - len(mass)))
