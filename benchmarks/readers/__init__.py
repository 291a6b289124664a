"""What a user would read a picture with: one module per contender.

Each module defines

    missing(name) -> str            why it cannot be measured here; empty if it can
    candidates(kind) -> settings    the settings to choose from for a kind of picture
    open_reader(name, one_core) -> read

where `read(picture, setting)` takes uint8 [h, w] grey or [h, w, 3] RGB and returns a list of `Row`.
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Literal, NamedTuple

import cv2
import numpy as np

Kind = Literal["row", "page", "digit"]
"""What a picture shows: one row of digits, rows of them, or a single digit."""
MARGINS: dict[Kind, tuple[int, ...]] = {"row": (0, 10, 25), "page": (0, 10), "digit": (0, 25)}
"""Margins to try, in percent of the picture's height."""
SCALES: dict[Kind, tuple[float, ...]] = {
    "row": (1, 2, 3),
    "page": (0.5, 1, 2),
    "digit": (0.15, 0.3, 1),
}
"""Enlargements to try. Single digits are large, and the peers are made for lines of text, so those
are also shrunk."""


class Row(NamedTuple):
    """A row of characters read, from left to right."""

    text: str
    confidences: tuple[float, ...]
    """The reader's confidence in each character, from 0 to 1."""


class Setting(NamedTuple):
    """How a picture is prepared, and how the reader is called."""

    scale: float = 1
    """Factor by which the picture is enlarged."""
    margin: int = 0
    """Added on each side by repeating the picture's edge, in percent of the height."""
    mode: str = ""
    """A way of calling the reader, in words that its module knows."""

    def __str__(self) -> str:
        parts = [f"x{self.scale:g}", f"margin {self.margin} %" if self.margin else "", self.mode]
        return ", ".join(part for part in parts if part)


Read = Callable[[np.ndarray, Setting], list[Row]]


def find_module(name: str) -> ModuleType:
    """Return the module of a contender; any other name than those of the peers is ours."""
    peers = ("rapidocr", "tesseract", "tutorials")
    return importlib.import_module(f"{__name__}.{name if name in peers else 'ours'}")


def combine(kind: Kind, modes: tuple[str, ...]) -> list[Setting]:
    """Return all settings for pictures of this kind, in each of the modes."""
    return [
        Setting(scale, margin, mode)
        for mode in modes
        for scale in SCALES[kind]
        for margin in MARGINS[kind]
    ]


def prepare(picture: np.ndarray, setting: Setting) -> np.ndarray:
    """Enlarge a picture and give it a margin."""
    if setting.scale != 1:
        method = cv2.INTER_CUBIC if setting.scale > 1 else cv2.INTER_AREA
        picture = cv2.resize(
            picture, None, fx=setting.scale, fy=setting.scale, interpolation=method
        )
    if setting.margin:
        side = round(setting.margin * len(picture) / 100)
        picture = cv2.copyMakeBorder(picture, side, side, side, side, cv2.BORDER_REPLICATE)
    return picture
