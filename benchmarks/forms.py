"""Synthetic photos of forms: MNIST digits written into printed boxes or combs."""

import cv2
import numpy as np

from benchmarks.pages import PENS, Page, Written, make_paper, photograph, render_digit

KINDS = ("boxes", "separate boxes", "comb")


def make_form(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Page:
    """Make a form of one row with the given digits: `images` uint8 [n, 28, 28], `labels` [n]."""
    pen = PENS[rng.integers(len(PENS))]
    kind = KINDS[rng.integers(len(KINDS))]
    height = float(np.exp(rng.uniform(np.log(32), np.log(80))))
    pitch = height * rng.uniform(1.15, 1.7)
    place_height = height * rng.uniform(1.25, 1.8)
    top, left = height * rng.uniform(0.6, 2), height * rng.uniform(0.6, 2)
    shape = (int(2 * top + place_height), int(2 * left + len(images) * pitch))
    coverage, digits = np.zeros(shape, np.float32), []
    for column, (image, label) in enumerate(zip(images, labels, strict=True)):
        ink = render_digit(image, height * rng.uniform(0.8, 1.1), pen, rng)
        x = left + (column + 0.5) * pitch - ink.shape[1] / 2 + pitch * rng.uniform(-0.08, 0.08)
        y = top + place_height * rng.uniform(0.45, 0.55) - len(ink) / 2
        box = _write(coverage, ink, int(max(0, x)), int(max(0, y)))
        digits.append(Written(0, column, box, int(label)))
    paper = make_paper(shape, rng, height, "plain")
    _print_places(paper, kind, (left, top, pitch, place_height), len(images), rng)
    return photograph(coverage, digits, paper, kind, pen, rng, height)


def _write(
    coverage: np.ndarray, ink: np.ndarray, x: int, y: int
) -> tuple[float, float, float, float]:
    """Write the ink of a digit into `coverage`; return its box."""
    area = coverage[y : y + len(ink), x : x + ink.shape[1]]
    np.maximum(area, ink[: area.shape[0], : area.shape[1]], out=area)
    rows, columns = np.nonzero(area > 0.5)
    right, bottom = float(x + columns.max() + 1), float(y + rows.max() + 1)
    return (float(x + columns.min()), float(y + rows.min()), right, bottom)


def _print_places(
    paper: np.ndarray,
    kind: str,
    place: tuple[float, float, float, float],
    count: int,
    rng: np.random.Generator,
) -> None:
    """Print `count` places on `paper`; `place` is left, top, pitch and height of the first."""
    left, top, pitch, height = place
    bottom = top + height
    thickness = max(1, round(height * rng.uniform(0.015, 0.04)))
    colours = ((40, 40, 40), (120, 120, 130), (200, 110, 110), (110, 150, 210))
    colour = colours[rng.integers(len(colours))]
    gap = pitch * rng.uniform(0.03, 0.08) if kind == "separate boxes" else 0
    tooth = bottom - height * rng.uniform(0.2, 0.5) if kind == "comb" else top

    def draw(x0: float, y0: float, x1: float, y1: float) -> None:
        ends = (round(x0), round(y0)), (round(x1), round(y1))
        cv2.line(paper, *ends, colour, thickness, cv2.LINE_AA)

    for column in range(count):
        x0, x1 = left + column * pitch + gap, left + (column + 1) * pitch - gap
        draw(x0, tooth, x0, bottom)
        draw(x1, tooth, x1, bottom)
        draw(x0, bottom, x1, bottom)
        if kind != "comb":
            draw(x0, top, x1, top)
