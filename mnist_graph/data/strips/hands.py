"""Whose hand a row is written in: where its digits come from."""

import gzip
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_graph.data.datasets import BUNDLED_SHA256, DataSet
from mnist_graph.data.strips.allographs import ALLOGRAPHS, Stroke
from mnist_graph.data.strips.pen import Glyph, Pen, draw_image, draw_strokes

WRITERS = Path(__file__).parent.parent / "writers" / "train-writers.csv.gz"
PEN_STROKES = [
    Path(__file__).parent.parent / "pendigits" / name
    for name in ("pendigits.tra.gz", "pendigits.tes.gz")
]
SOURCE_FILES = (WRITERS, *PEN_STROKES)
"""What strips are made from, besides the data that they are made of."""

SOURCES = ("images", "pen strokes", "allographs")
SHARES = (0.5, 0.13, 0.37)
"""How many rows are written from each source."""
MIXED = 0.15
"""The share of digits that come from another source than the rest of their row."""
OTHER_WRITER = 0.1
"""The share of MNIST digits in a row that someone else wrote."""
MOST_OWN = 0.07
"""The largest `manner` of a hand."""
AS_WRITTEN = 0.4
"""The share of rows with MNIST's digits in their own stroke width, slant and proportions,"""
AS_WRITTEN_JITTER = 0.08
"""apart from changes of slant and width with this standard deviation."""
SLANT_JITTER, WIDTH_JITTER = 0.05, 0.08
"""How much slant and width differ between the digits of a row (standard deviations)."""


class Digits:
    """Every digit that rows are written with: MNIST's images, by writer and class, and strokes.

    `writers` is the writer of each image, int [n]; without it every row mixes all writers.
    """

    def __init__(self, data: DataSet, writers: np.ndarray | None = None) -> None:
        self.pixels, labels = data.pixels, data.sparse_labels.astype(np.intp)
        self.by_class = [np.flatnonzero(labels == digit) for digit in range(10)]
        self.by_writer: list[list[np.ndarray]] = []
        if writers is not None:
            order = np.lexsort((labels, writers))
            for images in np.split(order, np.flatnonzero(np.diff(writers[order])) + 1):
                mine = labels[images]
                self.by_writer.append([images[mine == digit] for digit in range(10)])

    def image(self, digit: int, writer: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return an image of `digit`, uint8 [28, 28], by `writer` if there is one."""
        images = self.by_class[digit]
        if writer is not None and len(self.by_writer[writer][digit]):
            images = self.by_writer[writer][digit]
        return self.pixels[images[rng.integers(len(images))]]


class Hand(NamedTuple):
    """One person, as the writer of a row."""

    digits: Digits
    pen: Pen
    source: str
    writer: int | None
    """The writer of MNIST's digits."""
    strokes: list[int]
    """Which allograph, or which set of pen strokes, the person uses for each digit."""
    manner: float
    """How far the person's allographs are from the copybook's, as a share of their height
    (standard deviation).
    """
    mixed: float
    """How many digits come from another source."""

    def draw(self, digit: int, rng: np.random.Generator, size: float = 1.0) -> Glyph:
        """Write a digit, `size` times as high as usual."""
        source = self.source
        if rng.random() < self.mixed:
            source = SOURCES[rng.integers(len(SOURCES))]
        slant, width = rng.standard_normal(2).tolist()
        pen = self.pen._replace(
            slant=self.pen.slant + SLANT_JITTER * slant,
            width=self.pen.width * math.exp(WIDTH_JITTER * width),
        )
        if source == "images":
            writer = None if rng.random() < OTHER_WRITER else self.writer
            return draw_image(self.digits.image(digit, writer, rng), pen, size)
        if source == "allographs":
            return draw_strokes(self._allograph(digit), pen, rng, size)
        paths = pen_strokes()[digit]
        near = (self.strokes[digit] + rng.integers(10)) % len(paths)  # written about then
        return draw_strokes([paths[near]], pen, rng, size)

    def _allograph(self, digit: int) -> list[Stroke]:
        """Return this person's form of `digit`, the same each time."""
        forms, number = ALLOGRAPHS[digit], self.strokes[digit]
        own = np.random.default_rng(number)
        return [
            (np.array(stroke) + self.manner * own.standard_normal((len(stroke), 2))).tolist()
            for stroke in forms[number % len(forms)]
        ]


def pick_hand(
    digits: Digits, pen: Pen, rng: np.random.Generator, images_only: bool = False
) -> Hand:
    """Pick a person at random, who writes with `pen`; with `images_only` only MNIST's digits."""
    source = SOURCES[0] if images_only else SOURCES[rng.choice(3, p=SHARES)]
    if rng.random() < AS_WRITTEN:
        slant, width = (AS_WRITTEN_JITTER * rng.standard_normal(2)).tolist()
        pen = pen._replace(slant=slant, width=math.exp(width), thickens_images=False)
    writer = int(rng.integers(len(digits.by_writer))) if digits.by_writer else None
    strokes = rng.integers(1 << 16, size=10).tolist()
    manner = rng.uniform(0, MOST_OWN)
    return Hand(digits, pen, source, writer, strokes, manner, 0.0 if images_only else MIXED)


@cache
def pen_strokes() -> list[list[Stroke]]:
    """Return the paths of the pen for each digit of "Pen-Based Recognition of Handwritten Digits",
    in the order in which they were written, as strokes (see `allographs`).
    """
    rows = []
    for path in PEN_STROKES:
        with gzip.open(path, "rt") as file:
            rows.append(np.loadtxt(file, dtype=int, delimiter=","))
    every = np.concatenate(rows)
    points = every[:, :-1].reshape(len(every), -1, 2) / 100.0
    points[..., 1] = 1 - points[..., 1]
    forms: list[list[Stroke]] = [[] for _ in range(10)]
    for path, digit in zip(points, every[:, -1], strict=True):
        forms[digit].append([(x, y) for x, y in path.tolist()])
    return forms


def training_writers(sha256: dict[str, str], count: int) -> np.ndarray | None:
    """Return who wrote each of MNIST's last `count` training images, since the first ones are those
    for validation: int [count]; None for other data.
    """
    if sha256 != BUNDLED_SHA256:
        return None
    with gzip.open(WRITERS, "rt") as file:
        return np.loadtxt(file, dtype=int, delimiter=",", skiprows=1)[-count:, 1]
