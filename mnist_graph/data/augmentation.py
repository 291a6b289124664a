"""How strongly training images are distorted. The distortions are in `distortions.py`."""

import dataclasses
from dataclasses import dataclass

from mnist_graph.data.arguments import number
from mnist_graph.errors import UsageError

MAX_STRENGTH = {"rotation": 180, "shear": 60, "thickness": 1, "blur": 1}
"""The highest value of each setting in its own unit; 100 for the others."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The strength of each random distortion; every image is distorted anew in every epoch.

    Raises UsageError for a value that is not a number or out of range.
    """

    rotation: float = 10.0
    """Largest angle to either side, in degrees; drawn uniformly, as are the next three."""
    shear: float = 10.0
    """Largest slant to either side, in degrees."""
    scale: float = 0.12
    """Height and width are each multiplied by a factor from 1 / (1 + scale) to 1 + scale."""
    shift: float = 2.0
    """Largest shift in each direction, in pixels."""
    elastic: float = 0.8
    """Standard deviation of the elastic displacement in each direction, in pixels."""
    thickness: float = 0.3
    """Probability that strokes become thicker or thinner, each equally likely."""
    blur: float = 0.0
    """Probability that an image is blurred, as small scans are."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            name, highest = field.name, MAX_STRENGTH.get(field.name, 100)
            value = number(name, getattr(self, name))
            if not 0 <= value <= highest:
                raise UsageError(f"{name} must be from 0 to {highest}, not {value}")
            object.__setattr__(self, name, value)  # the class is frozen
