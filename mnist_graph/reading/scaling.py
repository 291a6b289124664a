"""Pictures at the size at which their rows are looked for."""

import math

import cv2
import numpy as np

WORKING_PIXELS = 2_000_000
"""A larger picture is scaled down to this: an A4 page then has 5.7 pixels per millimetre, and a
digit 3 mm high 17."""
WORKING_SIDE, MAX_ENLARGEMENT = 120, 8.0
"""Pixels to which a shorter side is enlarged if it has fewer, and the largest factor: strokes one
pixel wide would be lost in the blur against grain."""
MIN_BLOCKS = 6
"""Blocks along the shorter side of a picture that was enlarged by repeating its pixels."""


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture at working size, and working pixels per pixel of the picture."""
    wanted = max(1.0, min(WORKING_SIDE / min(grey.shape), MAX_ENLARGEMENT))
    scale = min(wanted, (WORKING_PIXELS / grey.size) ** 0.5)
    return resize(grey, scale), scale


def resize(grey: np.ndarray, scale: float) -> np.ndarray:
    """Return the picture scaled by this factor; itself if that is 1."""
    if scale == 1:
        return grey
    height, width = grey.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=method)


def smooth_blocks(grey: np.ndarray) -> np.ndarray:
    """Return a picture that was enlarged by repeating its pixels, enlarged smoothly instead; any
    other picture as it is. The corners of its pixels would be seen as corners of strokes.
    """
    starts, blocks = [], []
    for axis in (0, 1):
        changes = np.flatnonzero(np.diff(grey, axis=axis).any(axis=1 - axis)) + 1
        if len(changes) < 2:
            return grey
        starts.append(int(changes[0]))
        blocks.append(int(np.gcd.reduce(np.diff(changes))))
    block = math.gcd(*blocks)
    if block < 2 or min(grey.shape) < MIN_BLOCKS * block:
        return grey
    shifts = [start % block - block if start % block else 0 for start in starts]  # up to 0
    rows, columns = (
        np.maximum(np.arange(shift, side, block), 0)
        for shift, side in zip(shifts, grey.shape, strict=True)
    )
    small = np.ascontiguousarray(grey[rows][:, columns])
    centre = (block - 1) / 2
    back = np.array([[block, 0, shifts[1] + centre], [0, block, shifts[0] + centre]], np.float32)
    size = (grey.shape[1], grey.shape[0])
    border = cv2.BORDER_REPLICATE
    return cv2.warpAffine(small, back, size, flags=cv2.INTER_CUBIC, borderMode=border)
