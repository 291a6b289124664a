"""Pictures at the size at which they are worked on."""

import math

import cv2
import numpy as np

WORKING_PIXELS = 4_000_000
"""A larger picture is scaled down to this: an A4 page then has 8 pixels a millimetre."""
WORKING_SIDE = 200
"""A picture whose shorter side has fewer pixels is scaled up to this many,"""
LONGEST_SIDE = 6000
"""unless the longer side would then have more than this."""


def unenlarged(grey: np.ndarray) -> tuple[np.ndarray, int, tuple[float, float]]:
    """A picture that was enlarged by repeating its pixels, as it was before: the pixels; how
    often each was repeated; how far to the right and down its corner has come, in them.

    Their corners would be seen as corners of the strokes.
    """
    starts, blocks = [], []
    for axis in (0, 1):
        changes = np.flatnonzero(np.diff(grey, axis=axis).any(axis=1 - axis)) + 1
        if len(changes) < 2:
            return grey, 1, (0, 0)
        starts.append(int(changes[0]))
        blocks.append(int(np.gcd.reduce(np.diff(changes))))
    block = math.gcd(*blocks)
    if block < 2 or min(grey.shape) < 6 * block:
        return grey, 1, (0, 0)
    shifts = []
    for axis, start in enumerate(starts):
        first = start % block
        indices = np.arange(first - block if first else 0, grey.shape[axis], block)
        grey = np.take(grey, np.maximum(indices, 0), axis=axis)
        shifts.append(first / block - 1 if first else 0.0)
    return np.ascontiguousarray(grey), block, (shifts[1], shifts[0])


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    height, width = grey.shape
    scale = min(1.0, (WORKING_PIXELS / grey.size) ** 0.5)
    if min(height, width) < WORKING_SIDE:
        room = min((WORKING_PIXELS / grey.size) ** 0.5, max(1.0, LONGEST_SIDE / max(grey.shape)))
        scale = min(WORKING_SIDE / min(height, width), room)
    if scale == 1:
        return grey, scale
    return resized(grey, scale), scale


def resized(grey: np.ndarray, scale: float) -> np.ndarray:
    height, width = grey.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=method)
