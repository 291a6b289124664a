"""Makes pictures of handwritten pages out of MNIST digits, as a phone or a scanner sees them.

Everything follows from a seed: what is written where, with what pen, on what paper, in what
light, and what the camera made of it. The truth comes with each page.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from mnist_graph import Digit


class Written(NamedTuple):
    """A digit as it stands on a page."""

    row: int
    column: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of its ink in pixels of the picture."""
    label: int


class Page(NamedTuple):
    picture: Image.Image
    digits: list[Written]
    what: str
    """In words: the pen, the paper, the light."""


def labels_by_row(digits: Iterable[Written | Digit]) -> list[list[int]]:
    """The labels of a page's digits, written or read, row by row."""
    rows: dict[int, list[int]] = {}
    for digit in digits:
        rows.setdefault(digit.row, []).append(digit.label)
    return list(rows.values())


class _Pen(NamedTuple):
    name: str
    contrast: tuple[float, float]
    width: tuple[float, float]
    """Of a stroke, as a share of the digit's height; None leaves MNIST's own."""
    colours: tuple[tuple[int, int, int], ...]
    grain: float


_BLACKISH = ((20, 20, 25), (30, 40, 110), (20, 30, 80), (60, 20, 30))
_PENS = (
    _Pen("pencil", (0.35, 0.6), (0.05, 0.09), ((70, 70, 75),), 0.25),
    _Pen("ballpoint", (0.6, 0.9), (0.03, 0.07), _BLACKISH, 0.1),
    _Pen("fineliner", (0.85, 1.0), (0.06, 0.11), _BLACKISH, 0.0),
    _Pen("marker", (0.85, 1.0), (0.14, 0.22), (*_BLACKISH, (190, 30, 30)), 0.05),
)
_RULINGS = ("plain", "plain", "ruled", "squared")


def make_page(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, height: float | None = None
) -> Page:
    """A page with these digits, uint8 [n, 28, 28] with labels [n], from the first to the last.

    `height` is that of a digit in pixels; drawn at random where it is None.
    """
    pen = _PENS[rng.integers(len(_PENS))]
    ruling = _RULINGS[rng.integers(len(_RULINGS))]
    height = float(height or np.exp(rng.uniform(np.log(32), np.log(110))))
    alpha, digits = _write(images, labels, rng, height, pen)
    _add_specks(alpha, rng, height)
    paper = _paper(alpha.shape, rng, height, ruling)
    alpha *= 1 - pen.grain * _smooth_noise(alpha.shape, rng, 1.0, 0.5)
    strength = alpha * rng.uniform(*pen.contrast)
    colour = np.float32(pen.colours[rng.integers(len(pen.colours))])
    sheet = paper * (1 - strength[..., None]) + colour * strength[..., None]
    on_table = rng.random() < 0.3
    sheet, moved = _photograph(sheet, digits, rng, on_table)
    light, light_name = _light(sheet.shape[:2], rng)
    sheet = sheet * light[..., None]
    inverted = rng.random() < 0.1 and not on_table
    if inverted:
        sheet = 255 - sheet
    quality = int(rng.integers(45, 96))
    picture = _camera(sheet, rng, quality, height)
    what = (pen.name, ruling, light_name, "on a table" if on_table else "", f"JPEG {quality}")
    words = ", ".join(word for word in (*what, "inverted" if inverted else "") if word)
    return Page(picture, moved, words)


def _stroke(image: np.ndarray, height: float, pen: _Pen, rng: np.random.Generator) -> np.ndarray:
    """One digit in the pen's width, cut to its ink: float32 [h, w] in [0, 1]."""
    rows, columns = np.nonzero(image > 64)
    ink = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    ink = np.pad(ink, 4).astype(np.float32) / 255
    factor = height / max(len(ink) - 8, 14)  # a flat digit is not blown up
    size = (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor)))
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC)
    inside = (large > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    signed = np.where(inside, depth - 0.5, 0.5 - outside)
    half = float(np.percentile(depth[inside > 0], 90))
    wanted = rng.uniform(*pen.width) * height / 2
    # MNIST's strokes vary in width along their way; where they are thin they stay whole.
    side = 2 * max(1, round(half / 2)) + 1
    local = cv2.blur(cv2.dilate(depth, np.ones((side, side), np.uint8)), (side, side))
    grow = np.maximum(wanted - half, -0.5 * local)
    return np.clip(signed + grow + 0.5, 0, 1).astype(np.float32)


def _write(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, height: float, pen: _Pen
) -> tuple[np.ndarray, list[Written]]:
    """The ink of all digits in rows, and where each is."""
    columns = int(np.clip(rng.integers(1, 11), np.ceil(len(images) / 8), 10))
    rows = [range(s, min(s + columns, len(images))) for s in range(0, len(images), columns)]
    leading = height * rng.uniform(1.5, 2.4)
    spacing = height * rng.uniform(0.15, 0.9)
    margin = height * rng.uniform(1.0, 2.0)
    slope = np.tan(np.deg2rad(rng.uniform(-2.5, 2.5)))
    drift = abs(slope) * columns * height * 1.7
    wide = int(2 * margin + columns * (height * 1.1 + spacing))
    alpha = np.zeros((int(2 * margin + len(rows) * leading + drift), wide), np.float32)
    digits = []
    for row, members in enumerate(rows):
        x = margin * rng.uniform(0.7, 1.3)
        y0 = margin + row * leading + max(0.0, -slope) * wide
        for column, which in enumerate(members):
            ink = _stroke(images[which], height * rng.uniform(0.88, 1.12), pen, rng)
            y = y0 + slope * x + height / 2 - len(ink) / 2 + height * rng.uniform(-0.08, 0.08)
            top, left = max(0, int(y)), int(x)
            bottom, right = top + len(ink), left + ink.shape[1]
            if bottom > len(alpha) or right > wide:
                alpha = np.pad(alpha, ((0, max(0, bottom - len(alpha))), (0, max(0, right - wide))))
                wide = alpha.shape[1]
            place = alpha[top:bottom, left:right]
            np.maximum(place, ink, out=place)
            there = np.nonzero(ink > 0.5)
            box = (
                float(left + there[1].min()),
                float(top + there[0].min()),
                float(left + there[1].max() + 1),
                float(top + there[0].max() + 1),
            )
            digits.append(Written(row, column, box, int(labels[which])))
            x = box[2] - height * 0.12 + spacing * rng.uniform(0.75, 1.3)
    edge = int(margin)
    return np.pad(alpha, ((0, edge // 2), (0, edge // 2))), digits


def _add_specks(alpha: np.ndarray, rng: np.random.Generator, height: float) -> None:
    for _ in range(rng.integers(0, 5)):
        centre = (int(rng.integers(alpha.shape[1])), int(rng.integers(alpha.shape[0])))
        radius = max(1, round(height * rng.uniform(0.01, 0.035)))
        cv2.circle(alpha, centre, radius, float(rng.uniform(0.5, 1)), -1, cv2.LINE_AA)


def _smooth_noise(
    shape: tuple[int, int], rng: np.random.Generator, sigma: float, spread: float
) -> np.ndarray:
    noise = rng.standard_normal(shape, np.float32)
    if sigma > 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.clip(0.5 + spread * noise / noise.std(), 0, 1)


def _paper(
    shape: tuple[int, int], rng: np.random.Generator, height: float, ruling: str
) -> np.ndarray:
    """float32 [h, w, 3]."""
    shade = rng.uniform(195, 252)
    colour = np.float32(shade + rng.uniform(-8, 4, 3) + np.array([4, 2, -6]))
    paper = np.ones((*shape, 1), np.float32) * np.clip(colour, 0, 255)
    paper *= 1 + rng.uniform(0, 0.02) * (_smooth_noise(shape, rng, 0.8, 1)[..., None] - 0.5)
    if ruling == "plain":
        return paper
    pitch = height * (rng.uniform(1.2, 2.0) if ruling == "ruled" else rng.uniform(0.35, 0.9))
    width = max(1, round(height * rng.uniform(0.01, 0.035)))
    lines = np.zeros(shape, np.float32)
    for y in np.arange(rng.uniform(0, pitch), shape[0], pitch):
        lines[int(y) : int(y) + width] = 1
    if ruling == "squared":
        for x in np.arange(rng.uniform(0, pitch), shape[1], pitch):
            lines[:, int(x) : int(x) + width] = 1
    lines *= rng.uniform(0.15, 0.5)
    colours = ((110, 150, 210), (130, 130, 140), (200, 140, 140))
    colour = np.float32(colours[rng.integers(len(colours))])
    return paper * (1 - lines[..., None]) + colour * lines[..., None]


def _photograph(
    sheet: np.ndarray, digits: list[Written], rng: np.random.Generator, on_table: bool
) -> tuple[np.ndarray, list[Written]]:
    """The sheet seen a little turned and from a little aside, on a table or filling the frame."""
    high, wide = sheet.shape[:2]
    angle = np.deg2rad(rng.uniform(-4, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.float32([[0, 0], [wide, 0], [wide, high], [0, high]])
    aside = rng.uniform(-0.02, 0.02, (4, 2)) * min(high, wide)
    target = (corners - corners.mean(axis=0)) @ turn.T + aside
    room = rng.uniform(0.04, 0.15) * min(high, wide) if on_table else 0
    low = target.min(axis=0) - room
    size = np.ceil(target.max(axis=0) + room - low).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, np.float32(target - low))
    border = cv2.BORDER_CONSTANT if on_table else cv2.BORDER_REPLICATE
    size = (int(size[0]), int(size[1]))
    seen = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    if on_table:
        covered = cv2.warpPerspective(np.ones((high, wide), np.float32), matrix, size)
        grain = _smooth_noise((max(2, size[1] // 40), size[0]), rng, 1.5, 0.5)
        grain = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)
        wood = np.float32(rng.uniform(25, 130) + rng.uniform(-15, 15, 3))
        table = wood * (0.8 + 0.4 * grain[..., None])
        seen += (1 - covered[..., None]) * np.clip(table, 0, 255)
    moved = []
    for digit in digits:
        left, top, right, bottom = digit.box
        box = np.float32([[[left, top], [right, top], [right, bottom], [left, bottom]]])
        box = cv2.perspectiveTransform(box, matrix)[0]
        moved.append(digit._replace(box=tuple(map(float, (*box.min(axis=0), *box.max(axis=0))))))
    return seen, moved


def _light(shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """What share of the full light reaches each pixel."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    y, x = y / shape[0] - 0.5, x / shape[1] - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    light = 1 - rng.uniform(0, 0.35) * (along + 0.5)
    light *= 1 - rng.uniform(0, 0.4) * (x**2 + y**2)
    if rng.random() > 0.35:
        return np.clip(light, 0, 1).astype(np.float32), "even light"
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.3, 0.3)
    soft = rng.uniform(0.005, 0.08)
    depth = rng.uniform(0.25, 0.55)
    light *= 1 - depth / (1 + np.exp(np.clip(-across / soft, -30, 30)))
    return np.clip(light, 0, 1).astype(np.float32), "a shadow"


def _camera(
    sheet: np.ndarray, rng: np.random.Generator, quality: int, height: float
) -> Image.Image:
    seen = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.4, max(0.7, min(height / 40, 1.6))))
    seen += rng.uniform(0.5, 5) * rng.standard_normal(seen.shape, np.float32)
    image = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))
