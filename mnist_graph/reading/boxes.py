"""Rectangles of pixels."""

from typing import NamedTuple


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
    def inside(self) -> tuple[slice, slice]:
        """What takes the rectangle out of an image [h, w]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, across: int, down: int) -> "Box":
        return Box(self.left + across, self.top + down, self.right + across, self.bottom + down)

    def scaled(self, factor: float) -> "Box":
        return Box(*(round(side * factor) for side in self))

    def clipped(self, width: int, height: int) -> "Box":
        """The part inside a picture of this size; at least a pixel at its edge."""
        left, top = min(max(self.left, 0), width - 1), min(max(self.top, 0), height - 1)
        right, bottom = min(self.right, width), min(self.bottom, height)
        return Box(left, top, max(right, left + 1), max(bottom, top + 1))
