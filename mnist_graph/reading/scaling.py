"""Pictures at the size at which their rows are looked for."""

import cv2
import numpy as np

WORKING_PIXELS = 2_000_000
"""A larger picture is scaled down to this: an A4 page then has 5.7 pixels per millimetre, and a
digit 3 mm high 17."""


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture at working size, and working pixels per pixel of the picture."""
    scale = min(1.0, (WORKING_PIXELS / grey.size) ** 0.5)
    return resize(grey, scale), scale


def resize(grey: np.ndarray, scale: float) -> np.ndarray:
    """Return the picture scaled by this factor; itself if that is 1."""
    if scale == 1:
        return grey
    height, width = grey.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=method)
