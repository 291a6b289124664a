"""Printed lines: where they are, straight and thin."""

import cv2
import numpy as np

from mnist_graph.reading.ruling import level, level_back

BROKEN = 3
"""A printed line may be broken for so many pixels."""
MEETING = 4
"""A line ends at another that is so near to its end, in pixels."""


def upright(mask: np.ndarray, slope: float, least: int, broad: int) -> np.ndarray:
    """`straight`, of what runs from the top to the bottom, to the side at this slope."""
    return np.ascontiguousarray(straight(np.ascontiguousarray(mask.T), slope, least, broad).T)


def straight(mask: np.ndarray, slope: float, least: int, broad: int) -> np.ndarray:
    """Where straight lines of this length at `least` run from left to right, at about this
    slope, and less than so `broad`: uint8 [h, w].
    """
    joined = level(mask, slope, cv2.INTER_NEAREST)
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((1, BROKEN), np.uint8))
    joined = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    runs &= ~cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((broad, 1), np.uint8))
    runs = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    return level_back(runs, slope, mask.shape) & mask
