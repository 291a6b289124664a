"""Rectangles of pixels."""

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are the first outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """x and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def inside(self) -> tuple[slice, slice]:
        """What takes the rectangle out of an image [h, w]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, across: int, down: int) -> "Box":
        return Box(self.left + across, self.top + down, self.right + across, self.bottom + down)

    def union(self, other: "Box") -> "Box":
        """The smallest rectangle with both in it."""
        low, high = np.minimum(self, other)[:2], np.maximum(self, other)[2:]
        return Box(*low.tolist(), *high.tolist())

    def gap(self, other: "Box") -> tuple[int, int]:
        """How far the two are apart across and down; negative where they overlap."""
        across = max(self.left, other.left) - min(self.right, other.right)
        return across, max(self.top, other.top) - min(self.bottom, other.bottom)
