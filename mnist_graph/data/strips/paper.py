"""What a row is written on: plain, patterned, ruled or boxed paper."""

import itertools
from functools import cache

import cv2
import numpy as np

from mnist_graph.data.strips.pen import FRACTION_BITS

TEXTURES = 64
"""How many textures there are; a strip takes a piece of one at random."""
TEXTURE_SIZE = (160, 1400)
"""Of each texture, height and width in pixels of the canvas."""

CELLS = ("boxes", "boxes apart", "sides", "comb")
"""What is printed around the places of a form,"""
CELL_SHARES = (0.35, 0.2, 0.15, 0.3)
"""and how often."""


@cache
def texture(seed: int, number: int) -> np.ndarray:
    """Return a pattern or the grain of paper: float32 [160, 1400], from 0 (paper) to 1 (the
    darkest of the pattern).
    """
    makers = (_grain, _curves, _dots, _hatching, _clouds, _curves, _weave)
    return makers[number % len(makers)](np.random.default_rng((seed, number)))


def piece(seed: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return a piece of one of the textures, float32 [height, width]."""
    whole = texture(seed, int(rng.integers(TEXTURES)))
    top = rng.integers(whole.shape[0] - height + 1)
    left = rng.integers(max(1, whole.shape[1] - width + 1))
    found = whole[top : top + height, left : left + width]
    return found if found.shape[1] == width else cv2.resize(found, (width, height))


def _scaled(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, (2, 98))
    return np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


def _grain(rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(TEXTURE_SIZE).astype(np.float32)
    return _scaled(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.7, 4)))


def _clouds(rng: np.random.Generator) -> np.ndarray:
    height, width = TEXTURE_SIZE
    noise = rng.standard_normal((height // 16, width // 16)).astype(np.float32)
    return _scaled(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


def _curves(rng: np.random.Generator) -> np.ndarray:
    """Guilloche: families of parallel waves, as on cheques and banknotes."""
    height, width = TEXTURE_SIZE
    canvas = np.zeros(TEXTURE_SIZE, np.uint8)
    x = np.arange(-50, width + 50, 8.0)
    for _ in range(rng.integers(1, 4)):
        period, swing = rng.uniform(40, 400), rng.uniform(5, 60)
        step, slope = rng.uniform(4, 16), rng.uniform(-0.6, 0.6)
        drift, thickness = rng.uniform(0.9, 1.1), int(rng.integers(1, 3))
        for k in range(int((height + 2 * swing + abs(slope) * width) / step)):
            phase = 2 * np.pi * drift * x / period + k * rng.uniform(0.0, 0.02)
            wave = k * step - swing + swing * np.sin(phase)
            y = wave + slope * x - max(slope, 0) * width
            points = np.round(np.stack([x, y], axis=1) * 2**FRACTION_BITS).astype(np.int32)
            cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA, FRACTION_BITS)
    return canvas.astype(np.float32) / 255


def _dots(rng: np.random.Generator) -> np.ndarray:
    """A screen of dots, as light printed areas have."""
    height, width = TEXTURE_SIZE
    period, angle = rng.uniform(4, 14), rng.uniform(0, np.pi / 2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    screen = np.cos(2 * np.pi * u / period) * np.cos(2 * np.pi * v / period)
    return np.clip((screen - rng.uniform(0, 0.7)) * 3, 0, 1).astype(np.float32)


def _hatching(rng: np.random.Generator) -> np.ndarray:
    height, width = TEXTURE_SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period, angle = rng.uniform(5, 24), rng.uniform(0, np.pi)
    screen = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return np.clip((screen - rng.uniform(0, 0.9)) * 3, 0, 1).astype(np.float32)


def _weave(rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(TEXTURE_SIZE).astype(np.float32)
    along, across = rng.uniform(6, 20), rng.uniform(0.6, 1.5)
    return _scaled(cv2.GaussianBlur(noise, (0, 0), along, None, across))


class Lines:
    """Printed lines around a row: under it, ruling, a frame, boxes for the digits, squares."""

    def __init__(
        self, canvas: np.ndarray, base: float, height: float, rng: np.random.Generator
    ) -> None:
        """Draw into `canvas`, uint8 [h, w] with 255 for ink; `base` is where the line lies that is
        written on, and `height` that of the digits, in pixels.
        """
        self.canvas, self.base, self.height, self.rng = canvas, base, height, rng
        self.shade, self.thickness = int(rng.uniform(60, 255)), int(rng.integers(1, 5))
        self.slope = rng.normal(0, 0.01)

    def draw(self) -> None:
        """Draw one kind of lines at random."""
        kinds = (self.draw_underline, self.draw_ruling, self.draw_frame, self.draw_squares)
        kinds[self.rng.choice(4, p=(0.54, 0.18, 0.18, 0.1))]()

    def draw_underline(self) -> None:
        """Draw a line under the digits or through their feet."""
        width = self.canvas.shape[1]
        whole = self.rng.random() < 0.7
        left, right = (0, width) if whole else sorted(self.rng.uniform(0, width, 2).tolist())
        self._across(self.base + self.rng.uniform(-0.1, 0.35) * self.height, left, right)

    def draw_ruling(self) -> None:
        """Draw lines at equal distances."""
        period = self.rng.uniform(0.3, 1.3) * self.height
        for level in np.arange(self.base - 3 * period, self.canvas.shape[0] + period, period):
            self._across(level)

    def draw_frame(self) -> None:
        """Draw a frame around the row."""
        left = self.rng.uniform(-1, 7)
        right = self.canvas.shape[1] - self.rng.uniform(0, 8)
        top, bottom = self._pick_top_and_bottom()
        self._across(top)
        self._across(bottom)
        self._line((left, top), (left, bottom))
        self._line((right, top), (right, bottom))

    def draw_cells(self, edges: list[float]) -> None:
        """Draw what a form has around its places, between these edges: boxes that share their
        sides, boxes apart, sides alone, or a comb.
        """
        top, bottom = self._pick_top_and_bottom()
        kind = CELLS[self.rng.choice(len(CELLS), p=CELL_SHARES)]
        apart = self.rng.uniform(0.02, 0.1) * self.height if kind == "boxes apart" else 0.0
        if kind == "comb":
            top = bottom - self.rng.uniform(0.2, 0.6) * (bottom - top)
        places = [(left + apart, right - apart) for left, right in itertools.pairwise(edges)]
        for edge in sorted({edge for place in places for edge in place}):
            self._line((edge, top + self._drop(edge)), (edge, bottom + self._drop(edge)))
        for left, right in places:
            if kind in ("boxes", "boxes apart"):
                self._across(top, left, right)
            if kind != "sides":
                self._across(bottom, left, right)

    def draw_squares(self) -> None:
        """Draw squared paper."""
        high, wide = self.canvas.shape
        period = self.rng.uniform(0.2, 0.9) * self.height
        for level in np.arange(0, high + period, period):
            self._across(level)
        for edge in np.arange(0, wide, period):
            self._line((edge, 0), (edge, high))

    def _pick_top_and_bottom(self) -> tuple[float, float]:
        """Choose where boxes begin and end."""
        # Clearly longer than a digit, or a side would look like a one.
        top = self.base - self.rng.uniform(1.15, 1.6) * self.height
        return top, self.base + self.rng.uniform(0.15, 0.5) * self.height

    def _across(self, level: float, left: float = 0, right: float | None = None) -> None:
        right = self.canvas.shape[1] if right is None else right
        self._line((left, level + self._drop(left)), (right, level + self._drop(right)))

    def _drop(self, x: float) -> float:
        """Return how far a level line has dropped at `x`, in pixels."""
        return self.slope * x

    def _line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        points = np.round(np.array([start, end]) * 2**FRACTION_BITS).astype(np.int32)
        # On a canvas of its own, so that a light line does not lighten the ink that it crosses.
        drawn = np.zeros_like(self.canvas)
        cv2.polylines(
            drawn, [points], False, self.shade, self.thickness, cv2.LINE_AA, FRACTION_BITS
        )
        np.maximum(self.canvas, drawn, out=self.canvas)
