"""How strongly training images are distorted. The distortions are in `distortions.py`."""

import dataclasses
from dataclasses import dataclass

from mnist_graph.data.arguments import number, require
from mnist_graph.errors import UsageError

MAX_STRENGTH = {
    **dict.fromkeys(("thickness", "blur", "scan", "flip", "brightness", "contrast"), 1),
    "rotation": 180,
    "shear": 60,
}
"""The highest value of each setting in its own unit; 100 for the others."""
OF_INK = ("elastic", "thickness", "blur", "scan")
"""The distortions of ink on an empty background."""
OF_PHOTOS = ("flip", "brightness", "contrast")
"""The distortions of photographs."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The strength of each random distortion; every image is distorted anew in every epoch.

    Raises UsageError for a value that is not a number or out of range, and for a distortion of ink
    on photographs or the other way round.
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
    scan: float = 0.0
    """Probability that an image is replaced with what is read of it in a picture: written with some
    pen, photographed, found and normalized again (`scans.py`)."""
    photo: bool = False
    """Whether images are photographs, which fill their frames: the pixels at the edge are repeated
    where nothing is known, and images are shifted by whole pixels. Else they are bright ink on a
    background of 0, all of which stays in the frame.
    """
    flip: float = 0.0
    """Probability that a photograph is mirrored, left to right."""
    brightness: float = 0.0
    """Largest change of a photograph's brightness to either side; 1 is from black to white."""
    contrast: float = 0.0
    """Differences from the mean of each channel are multiplied by 1 - contrast to 1 + contrast."""

    def __post_init__(self) -> None:
        require("photo", self.photo, bool, "true or false")
        for field in dataclasses.fields(self):
            if field.name == "photo":
                continue
            name, highest = field.name, MAX_STRENGTH.get(field.name, 100)
            value = number(name, getattr(self, name))
            if not 0 <= value <= highest:
                raise UsageError(f"{name} must be from 0 to {highest}, not {value}")
            object.__setattr__(self, name, value)  # the class is frozen
        for name in OF_INK if self.photo else OF_PHOTOS:
            if getattr(self, name):
                needed = "ink on an empty background" if self.photo else "photographs"
                raise UsageError(
                    f"{name} is for {needed} (photo={str(not self.photo).lower()}), and must be 0 "
                    f"with photo={str(self.photo).lower()}"
                )


PHOTO = Augmentation(
    photo=True, rotation=0, shear=0, scale=0, shift=4, elastic=0, thickness=0, flip=0.5
)
"""What small photographs are commonly distorted by: shifted and mirrored (He et al. 2016)."""
NAMED = {"default": Augmentation(), "photo": PHOTO}
"""The augmentations that `--set augmentation=NAME` sets as a whole."""
