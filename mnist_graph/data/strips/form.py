"""The form of a strip: one row of writing as the network sees it."""

import cv2
import numpy as np

HEIGHT = 32
"""The height of every strip, in pixels."""
WIDTH_STEP = 32
"""Strips of a batch are padded to a multiple of this width, in pixels."""
INK_PERCENTILE, PAPER_PERCENTILE = 1, 90
"""The percentiles of a strip's grey levels that count as full ink and as paper. Even a short row
covers more than 1 % of its strip, and hardly any covers more than a third."""
LEAST_CONTRAST = 16
"""Of 255: paper and ink that differ by less are not stretched further, so that the grain of empty
paper does not become ink."""


def to_strip(grey: np.ndarray) -> np.ndarray:
    """Bring a row of writing to the form of a strip.

    Args:
        grey: uint8 [height, width], dark ink on lighter paper, of any size.

    Returns:
        uint8 [32, width'], the proportions kept: paper is 0 and ink is 255, as in MNIST.
    """
    height, width = grey.shape
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    method = cv2.INTER_AREA if height >= HEIGHT else cv2.INTER_CUBIC
    scaled = cv2.resize(grey, size, interpolation=method) if height != HEIGHT else grey
    counts = np.cumsum(np.bincount(scaled.ravel(), minlength=256))
    shares = np.array((INK_PERCENTILE, PAPER_PERCENTILE)) / 100
    ink, paper = np.searchsorted(counts, shares * scaled.size).tolist()
    levels = (paper - np.arange(256)) * (255 / max(paper - ink, LEAST_CONTRAST)) + 0.5
    return cv2.LUT(scaled, np.clip(levels, 0, 255).astype(np.uint8))


def pad_strips(strips: list[np.ndarray], width: int | None = None) -> np.ndarray:
    """Stack strips [32, any width], each padded with paper on its right to `width` (default: the
    widest, rounded up to a multiple of 32): uint8 [n, 32, width].
    """
    if width is None:
        width = -(-max(strip.shape[1] for strip in strips) // WIDTH_STEP) * WIDTH_STEP
    padded = np.zeros((len(strips), HEIGHT, width), np.uint8)
    for row, strip in zip(padded, strips, strict=True):
        row[:, : strip.shape[1]] = strip
    return padded
