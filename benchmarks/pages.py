"""Synthetic photos and scans of handwritten pages, composed of MNIST digits.

Layout, pen, paper, light and camera are random but determined by the seed of the generator.
Each page comes with its ground truth: the box, label, row and column of every digit.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from mnist_graph import Digit


class Written(NamedTuple):
    """A digit written on a page: its ground truth."""

    row: int
    column: int
    box: tuple[float, float, float, float]
    """Left, top, right and bottom of the ink, in pixels of the picture."""
    label: int


class Page(NamedTuple):
    """A picture of a page, with its ground truth."""

    picture: Image.Image
    digits: list[Written]
    description: str
    """The pen, the paper, the light and the JPEG quality, in words."""


def labels_by_row(digits: Iterable[Written | Digit]) -> list[list[int]]:
    """Group the labels of a page's digits, written or read, by row."""
    rows: dict[int, list[int]] = {}
    for digit in digits:
        rows.setdefault(digit.row, []).append(digit.label)
    return list(rows.values())


class Pen(NamedTuple):
    name: str
    opacity: tuple[float, float]
    """Range of the ink's opacity, from 0 to 1."""
    width: tuple[float, float]
    """Range of the stroke width, as a share of the digit's height."""
    colours: tuple[tuple[int, int, int], ...]
    """RGB, one of which is chosen per page."""
    grain: float
    """How strongly noise thins out the ink, from 0 to 1."""


_DARK_COLOURS = ((20, 20, 25), (30, 40, 110), (20, 30, 80), (60, 20, 30))
PENS = (
    Pen("pencil", (0.35, 0.6), (0.05, 0.09), ((70, 70, 75),), 0.25),
    Pen("ballpoint", (0.6, 0.9), (0.03, 0.07), _DARK_COLOURS, 0.1),
    Pen("fineliner", (0.85, 1.0), (0.06, 0.11), _DARK_COLOURS, 0.0),
    Pen("marker", (0.85, 1.0), (0.14, 0.22), (*_DARK_COLOURS, (190, 30, 30)), 0.05),
)
_RULINGS = ("plain", "plain", "ruled", "squared")
"""Equally likely; listing plain twice leaves half of the pages without ruling."""


def make_page(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, height: float | None = None
) -> Page:
    """Make a page with the given digits in order: `images` uint8 [n, 28, 28], `labels` [n].

    `height` is the height of a digit in pixels; default: random, between 32 and 110.
    """
    pen = PENS[rng.integers(len(PENS))]
    ruling = _RULINGS[rng.integers(len(_RULINGS))]
    height = float(height or np.exp(rng.uniform(np.log(32), np.log(110))))
    coverage, digits = _write_digits(images, labels, rng, height, pen)
    _add_specks(coverage, rng, height)
    paper = make_paper(coverage.shape, rng, height, ruling)
    return photograph(coverage, digits, paper, ruling, pen, rng, height)


def photograph(
    coverage: np.ndarray,
    digits: list[Written],
    paper: np.ndarray,
    paper_name: str,
    pen: Pen,
    rng: np.random.Generator,
    height: float,
) -> Page:
    """Take a picture of paper, RGB float32 [h, w, 3], that is covered with ink to the share
    `coverage`, float32 [h, w]. `height` is that of a digit in pixels.
    """
    coverage *= 1 - pen.grain * _make_smooth_noise(coverage.shape, rng, 1.0, 0.5)
    alpha = coverage * rng.uniform(*pen.opacity)
    colour = np.float32(pen.colours[rng.integers(len(pen.colours))])
    sheet = paper * (1 - alpha[..., None]) + colour * alpha[..., None]
    on_table = rng.random() < 0.3
    scene, digits = _place_sheet(sheet, digits, rng, on_table)
    light, light_name = _make_light(scene.shape[:2], rng)
    scene = scene * light[..., None]
    inverted = rng.random() < 0.1 and not on_table
    if inverted:
        scene = 255 - scene
    quality = int(rng.integers(45, 96))
    picture = _take_picture(scene, rng, quality, height)
    parts = [pen.name, paper_name, light_name, "on a table" if on_table else "", f"JPEG {quality}"]
    description = ", ".join(part for part in (*parts, "inverted" if inverted else "") if part)
    return Page(picture, digits, description)


def render_digit(
    image: np.ndarray, height: float, pen: Pen, rng: np.random.Generator
) -> np.ndarray:
    """Render a digit with the pen's stroke width, cropped to its ink: float32 [h, w], 0 to 1."""
    rows, columns = np.nonzero(image > 64)
    ink = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    ink = np.pad(ink, 4).astype(np.float32) / 255
    factor = height / max(len(ink) - 8, 14)  # limits the enlargement of flat digits
    size = (max(1, round(ink.shape[1] * factor)), max(1, round(ink.shape[0] * factor)))
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC)
    mask = (large > 0.5).astype(np.uint8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    signed_distance = np.where(mask, inside - 0.5, 0.5 - outside)
    half_width = float(np.percentile(inside[mask > 0], 90))
    target = rng.uniform(*pen.width) * height / 2
    # The stroke width of an MNIST digit varies. Where the stroke is thin, it loses at most half
    # of its width, so that it does not break.
    side = 2 * max(1, round(half_width / 2)) + 1
    local_half_width = cv2.blur(cv2.dilate(inside, np.ones((side, side), np.uint8)), (side, side))
    growth = np.maximum(target - half_width, -0.5 * local_half_width)
    return np.clip(signed_distance + growth + 0.5, 0, 1).astype(np.float32)


def _write_digits(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, height: float, pen: Pen
) -> tuple[np.ndarray, list[Written]]:
    """Write the digits in rows.

    Returns the ink coverage of the sheet, float32 [h, w] from 0 to 1, and the ground truth.
    """
    columns = int(np.clip(rng.integers(1, 11), np.ceil(len(images) / 8), 10))
    rows = [
        range(start, min(start + columns, len(images))) for start in range(0, len(images), columns)
    ]
    line_height = height * rng.uniform(1.5, 2.4)
    spacing = height * rng.uniform(0.15, 0.9)
    margin = height * rng.uniform(1.0, 2.0)
    slope = np.tan(np.deg2rad(rng.uniform(-2.5, 2.5)))
    drift = abs(slope) * columns * height * 1.7
    width = int(2 * margin + columns * (height * 1.1 + spacing))
    coverage = np.zeros((int(2 * margin + len(rows) * line_height + drift), width), np.float32)
    digits = []
    for row, members in enumerate(rows):
        x = margin * rng.uniform(0.7, 1.3)
        line_top = margin + row * line_height + max(0.0, -slope) * width
        for column, index in enumerate(members):
            ink = render_digit(images[index], height * rng.uniform(0.88, 1.12), pen, rng)
            y = line_top + slope * x + height / 2 - len(ink) / 2 + height * rng.uniform(-0.08, 0.08)
            top, left = max(0, int(y)), int(x)
            bottom, right = top + len(ink), left + ink.shape[1]
            if bottom > len(coverage) or right > width:
                coverage = np.pad(
                    coverage, ((0, max(0, bottom - len(coverage))), (0, max(0, right - width)))
                )
                width = coverage.shape[1]
            area = coverage[top:bottom, left:right]
            np.maximum(area, ink, out=area)
            inked = np.nonzero(ink > 0.5)
            box = (
                float(left + inked[1].min()),
                float(top + inked[0].min()),
                float(left + inked[1].max() + 1),
                float(top + inked[0].max() + 1),
            )
            digits.append(Written(row, column, box, int(labels[index])))
            x = box[2] - height * 0.12 + spacing * rng.uniform(0.75, 1.3)
    edge = int(margin)
    return np.pad(coverage, ((0, edge // 2), (0, edge // 2))), digits


def _add_specks(coverage: np.ndarray, rng: np.random.Generator, height: float) -> None:
    """Add up to four specks of dirt."""
    for _ in range(rng.integers(0, 5)):
        centre = (int(rng.integers(coverage.shape[1])), int(rng.integers(coverage.shape[0])))
        radius = max(1, round(height * rng.uniform(0.01, 0.035)))
        cv2.circle(coverage, centre, radius, float(rng.uniform(0.5, 1)), -1, cv2.LINE_AA)


def _make_smooth_noise(
    shape: tuple[int, int], rng: np.random.Generator, sigma: float, spread: float
) -> np.ndarray:
    """Make Gaussian noise of mean 0.5 and standard deviation `spread`, clipped to [0, 1].

    `sigma` is the radius of the blur in pixels.
    """
    noise = rng.standard_normal(shape, np.float32)
    if sigma > 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.clip(0.5 + spread * noise / noise.std(), 0, 1)


def make_paper(
    shape: tuple[int, int], rng: np.random.Generator, height: float, ruling: str
) -> np.ndarray:
    """Make a sheet of plain, ruled or squared paper: RGB, float32 [h, w, 3] from 0 to 255."""
    shade = rng.uniform(195, 252)
    colour = np.float32(shade + rng.uniform(-8, 4, 3) + np.array([4, 2, -6]))
    paper = np.ones((*shape, 1), np.float32) * np.clip(colour, 0, 255)
    paper *= 1 + rng.uniform(0, 0.02) * (_make_smooth_noise(shape, rng, 0.8, 1)[..., None] - 0.5)
    if ruling == "plain":
        return paper
    pitch = height * (rng.uniform(1.2, 2.0) if ruling == "ruled" else rng.uniform(0.35, 0.9))
    thickness = max(1, round(height * rng.uniform(0.01, 0.035)))
    lines = np.zeros(shape, np.float32)
    for y in np.arange(rng.uniform(0, pitch), shape[0], pitch):
        lines[int(y) : int(y) + thickness] = 1
    if ruling == "squared":
        for x in np.arange(rng.uniform(0, pitch), shape[1], pitch):
            lines[:, int(x) : int(x) + thickness] = 1
    lines *= rng.uniform(0.15, 0.5)
    colours = ((110, 150, 210), (130, 130, 140), (200, 140, 140))
    colour = np.float32(colours[rng.integers(len(colours))])
    return paper * (1 - lines[..., None]) + colour * lines[..., None]


def _place_sheet(
    sheet: np.ndarray, digits: list[Written], rng: np.random.Generator, on_table: bool
) -> tuple[np.ndarray, list[Written]]:
    """Rotate and tilt the sheet slightly, on a table or filling the picture.

    Returns the scene, RGB, and the digits with their boxes in it.
    """
    height, width = sheet.shape[:2]
    angle = np.deg2rad(rng.uniform(-4, 4))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    tilt = rng.uniform(-0.02, 0.02, (4, 2)) * min(height, width)
    target = (corners - corners.mean(axis=0)) @ rotation.T + tilt
    margin = rng.uniform(0.04, 0.15) * min(height, width) if on_table else 0
    origin = target.min(axis=0) - margin
    size = np.ceil(target.max(axis=0) + margin - origin).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, np.float32(target - origin))
    border = cv2.BORDER_CONSTANT if on_table else cv2.BORDER_REPLICATE
    size = (int(size[0]), int(size[1]))
    scene = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    if on_table:
        sheet_mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)
        grain = _make_smooth_noise((max(2, size[1] // 40), size[0]), rng, 1.5, 0.5)
        grain = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)
        colour = np.float32(rng.uniform(25, 130) + rng.uniform(-15, 15, 3))
        table = colour * (0.8 + 0.4 * grain[..., None])
        scene += (1 - sheet_mask[..., None]) * np.clip(table, 0, 255)
    moved = []
    for digit in digits:
        left, top, right, bottom = digit.box
        box = np.float32([[[left, top], [right, top], [right, bottom], [left, bottom]]])
        box = cv2.perspectiveTransform(box, matrix)[0]
        moved.append(digit._replace(box=tuple(map(float, (*box.min(axis=0), *box.max(axis=0))))))
    return scene, moved


def _make_light(shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Make the light, as a share of full brightness for each pixel, and its name.

    Brightness falls off to one side and towards the corners; about a third have a shadow.
    """
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
    softness = rng.uniform(0.005, 0.08)
    depth = rng.uniform(0.25, 0.55)
    light *= 1 - depth / (1 + np.exp(np.clip(-across / softness, -30, 30)))
    return np.clip(light, 0, 1).astype(np.float32), "a shadow"


def _take_picture(
    scene: np.ndarray, rng: np.random.Generator, quality: int, height: float
) -> Image.Image:
    """Blur the scene, add sensor noise and compress it as JPEG."""
    blurred = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, max(0.7, min(height / 40, 1.6))))
    blurred += rng.uniform(0.5, 5) * rng.standard_normal(blurred.shape, np.float32)
    image = Image.fromarray(np.clip(blurred, 0, 255).astype(np.uint8))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))
