"""What reading a picture gives."""

from typing import NamedTuple

import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.confidence import MIN_PROBABILITY, is_sure


class Digit(NamedTuple):
    """A digit read in a picture, or what a whole picture shows."""

    row: int
    """The row it stands in, counted from 0 at the top."""
    column: int
    """The position in its row, counted from 0 at the left."""
    box: Box
    """Left, top, right and bottom of the ink, in pixels of the upright picture."""
    label: int
    """The most probable class."""
    probability: float
    """The calibrated probability of `label`."""
    probabilities: np.ndarray
    """The calibrated probability of each class: float32 [classes]."""
    names: tuple[str, ...] = ()
    """What each class is called; () if their numbers are their names."""

    @property
    def name(self) -> str:
        """What the class is called: 7, or cat."""
        return self.name_of(self.label)

    def name_of(self, label: int) -> str:
        """Return what another class is called."""
        return self.names[label] if self.names else str(label)

    def is_sure(self, min_probability: float = MIN_PROBABILITY) -> bool:
        """Return whether the probability is at least `min_probability`."""
        return is_sure(self.probability, min_probability)


def make_digit(
    row: int, column: int, box: Box, probabilities: np.ndarray, names: tuple[str, ...] = ()
) -> Digit:
    """Return the digit that is the most probable of these."""
    label = int(probabilities.argmax())
    return Digit(row, column, box, label, float(probabilities[label]), probabilities, names)
