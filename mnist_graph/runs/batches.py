"""How many examples a trained network gets at a time."""

from collections.abc import Iterator

BATCH = 250
"""Images per call: enough to keep the cores busy, few enough to keep memory low."""
BATCH_WIDTH = 2**13
"""How wide the strips of a call are in all, in pixels: the first layer of the shipped reader then
takes 34 MB."""


def batch_slices(count: int, size: int = BATCH) -> Iterator[slice]:
    """Divide `count` examples into slices of at most `size`; at least one, which may be empty."""
    for start in range(0, max(1, count), size):
        yield slice(start, start + size)


def strips_per_call(width: int) -> int:
    """Return how many strips of this width a call takes."""
    return max(1, BATCH_WIDTH // width)
