"""What a row is written on: plain, patterned, ruled or boxed paper."""

from functools import cache

import cv2
import numpy as np

from mnist_graph.data.strips.pen import smooth

TEXTURES = 64
"""How many textures there are; a strip takes a piece of one at random."""
TEXTURE_SIZE = (160, 1400)
"""Of each texture, height and width in pixels of the canvas."""


@cache
def textures(seed: int) -> list[np.ndarray]:
    """Return patterns and grain as they are printed on paper: float32 [160, 1400] each, from 0
    (paper) to 1 (the darkest of the pattern).
    """
    makers = (_grain, _curves, _dots, _hatching, _clouds, _curves, _weave)
    return [
        makers[number % len(makers)](np.random.default_rng((seed, number)))
        for number in range(TEXTURES)
    ]


def piece(seed: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return a piece of one of the textures, float32 [height, width]."""
    texture = textures(seed)[rng.integers(TEXTURES)]
    top = rng.integers(texture.shape[0] - height + 1)
    left = rng.integers(max(1, texture.shape[1] - width + 1))
    found = texture[top : top + height, left : left + width]
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
            points = np.round(np.stack([x, y], axis=1) * 16).astype(np.int32)
            cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA, 4)
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


def draw_lines(
    canvas: np.ndarray, base: float, height: float, edges: list[float], rng: np.random.Generator
) -> None:
    """Draw printed lines into the ink of a canvas: an underline, ruling, a frame or the sides of
    boxes between digits.

    Args:
        canvas: uint8 [h, w], 255 is ink.
        base: where the line lies that is written on, in pixels.
        height: of the digits, in pixels.
        edges: where one digit ends and the next begins, in pixels.
    """
    kind, (high, wide) = rng.random(), canvas.shape
    shade, thickness = int(rng.uniform(60, 255)), int(rng.integers(1, 5))
    slope = rng.normal(0, 0.01)

    def line(start: tuple[float, float], end: tuple[float, float]) -> None:
        points = smooth(np.array([start, end]))
        scaled = [np.round(points * 16).astype(np.int32)]
        # On a canvas of its own, so that a light line does not lighten the ink that it crosses.
        drawn = np.zeros_like(canvas)
        cv2.polylines(drawn, scaled, False, shade, thickness, cv2.LINE_AA, 4)
        np.maximum(canvas, drawn, out=canvas)

    def across(level: float, left: float = 0, right: float = wide) -> None:
        line((left, level), (right, level + slope * wide))

    if kind < 0.45:  # one line, under the digits or through their feet
        whole = rng.random() < 0.7
        left, right = (0, wide) if whole else sorted(rng.uniform(0, wide, 2).tolist())
        across(base + rng.uniform(-0.1, 0.35) * height, left, right)
    elif kind < 0.6:  # ruled paper
        period = rng.uniform(0.3, 1.3) * height
        for level in np.arange(base - 3 * period, high + period, period):
            across(level)
    elif kind < 0.75:  # a frame around the row
        left, right = -1 + rng.uniform(0, 8), wide - rng.uniform(0, 8)
        top, bottom = base - rng.uniform(1.0, 1.5) * height, base + rng.uniform(0, 0.4) * height
        across(top), across(bottom)
        line((left, top), (left, bottom)), line((right, top), (right, bottom))
    elif kind < 0.92 and edges:  # a box for each digit
        top, bottom = base - rng.uniform(1.05, 1.5) * height, base + rng.uniform(0.05, 0.4) * height
        if rng.random() < 0.7:
            across(top), across(bottom)
        for edge in edges:
            line((edge, top), (edge, bottom))
    else:  # squared paper
        period = rng.uniform(0.2, 0.9) * height
        for level in np.arange(0, high + period, period):
            across(level)
        for edge in np.arange(0, wide, period):
            line((edge, 0), (edge, high))
