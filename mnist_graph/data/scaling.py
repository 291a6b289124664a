"""The scale of a pixel. Imports nothing, so that NumPy and TensorFlow share it."""

from typing import Any

FULL_INK = 255
"""The value of a pixel that is all ink; 0 is background."""


def scale(pixels: Any) -> Any:
    """Map float32 `pixels`, an array or a tensor, from 0..255 to [0, 1].

    A multiplication, as in TensorFlow 1's `DataSet`: a division gives other last bits.
    """
    return pixels * (1 / FULL_INK)
