"""Ink and paper to grey pixels, as a camera or a scanner sees them."""

import cv2
import numpy as np

from mnist_graph.data.strips.form import to_strip
from mnist_graph.data.strips.paper import piece


def photograph(ink: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
    """Return a strip, uint8 [32, width'], of ink on paper, uint8 [64, width].

    A quarter of the pictures are clean, as drawings on a screen and good scans are.
    """
    # Grey levels of paper and ink, of 255.
    clean = rng.random() < 0.25
    paper = rng.uniform(140, 255)
    dark = rng.uniform(0, 0.3 * paper) if rng.random() < 0.6 else rng.uniform(0, 0.75 * paper)
    share = ink.astype(np.float32) * (1 / 255)
    if clean:
        grey = paper + (dark - paper) * share
    else:
        if rng.random() < 0.4:
            share *= _pressure(ink.shape, rng)
        light = _light(ink.shape, paper, paper - dark, seed, rng)
        grey = light + (dark - light) * share
    grey = _through_lens(grey, clean, rng)
    return to_strip(grey)


def _pressure(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """How dark the pen writes along the row: float32 [h, w]."""
    coarse = rng.uniform(rng.uniform(0.4, 0.9), 1.0, (3, 2 + shape[1] // 12)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _light(
    shape: tuple[int, int], paper: float, contrast: float, seed: int, rng: np.random.Generator
) -> np.ndarray:
    """Return paper with its pattern and its shade: float32 [h, w], grey levels."""
    light = np.full(shape, paper, np.float32)
    if rng.random() < 0.7:
        strength = contrast * rng.uniform(0.02, 0.6) ** rng.uniform(1, 2)
        light -= strength * piece(seed, *shape, rng)
    if rng.random() < 0.3:
        corners = rng.uniform(-0.25, 0.0, (2, 2)).astype(np.float32) * paper
        light += cv2.resize(corners, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return light


def _through_lens(grey: np.ndarray, clean: bool, rng: np.random.Generator) -> np.ndarray:
    """Blur, reduce to the resolution of a picture, add noise, and compress: uint8."""
    height, width = grey.shape
    pixels = int(np.exp(rng.uniform(np.log(18), np.log(72))))
    if rng.random() < 0.1:
        pixels = int(rng.integers(8, 18))
    size = (max(4, round(width * pixels / height)), pixels)
    if rng.random() < 0.5:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 2.2))
    if pixels != height:
        method = cv2.INTER_AREA if pixels < height else cv2.INTER_LINEAR
        grey = cv2.resize(grey, size, interpolation=method)
    if not clean and rng.random() < 0.6:
        noise = rng.standard_normal(grey.shape, dtype=np.float32)
        grey = grey + rng.uniform(0.5, 10) * noise
    result = np.clip(grey + 0.5, 0, 255).astype(np.uint8)
    if not clean and rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))]
        _, data = cv2.imencode(".jpg", result, quality)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    return result
