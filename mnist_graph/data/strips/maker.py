"""Strips with the digits on them: batches for training, and fixed sets for testing."""

from typing import NamedTuple

import numpy as np

from mnist_graph.data.datasets import DataSet, DataSets
from mnist_graph.data.strips.camera import photograph
from mnist_graph.data.strips.form import pad_strips
from mnist_graph.data.strips.hands import Digits, training_writers
from mnist_graph.data.strips.size import HEIGHT, PADDING
from mnist_graph.data.strips.writing import CANVAS_HEIGHT, write_row

WIDTHS = (64, 96, 128, 160, 192, 224, 256, 320)
"""The greatest width of the strips of a batch, in pixels,"""
WIDTH_SHARES = (0.16, 0.18, 0.2, 0.16, 0.12, 0.1, 0.05, 0.03)
"""and the share of batches that have it."""
SPARE = 4
"""Writing is narrower than its strip by at least this many pixels: a strip is a little wider after
it has been reduced to the resolution of a picture, and is cut at its right end, where nothing is
written."""
TEST_SEED = 2_000_003
"""The seed of the strips that test a network."""
TEST_WIDTH = 224
"""Test strips are at most so wide, in pixels."""
TEXTURE_SETS = 16
"""How many sets of paper textures there are; the seed picks one."""


class Strips(NamedTuple):
    """Strips, and what is written on each."""

    pixels: np.ndarray
    """uint8 [n, 32, width]: ink is 255; paper, and the padding on the right, is 0."""
    labels: np.ndarray
    """int32 [n, longest], padded with -1."""


class StripMaker:
    """Makes strips from the digits of `data`; `writers` as in `Digits`."""

    def __init__(
        self,
        data: DataSet,
        seed: int,
        writers: np.ndarray | None = None,
        images_only: bool = False,
    ) -> None:
        self.digits, self.seed, self.images_only = Digits(data, writers), seed, images_only

    def batch(self, iteration: int, batch_size: int, rows: slice = slice(None)) -> Strips:
        """Return the batch of `iteration`, or these `rows` of it, a pure function."""
        rng = np.random.default_rng((self.seed, iteration))
        width = int(rng.choice(WIDTHS, p=WIDTH_SHARES))
        numbers = range(batch_size)[rows]
        made = [self.strip((iteration, number), width - SPARE) for number in numbers]
        pixels = pad_strips([strip[:, :width] for strip, _ in made], width)
        return Strips(pixels, pad_labels([digits for _, digits in made]))

    def strip(self, number: tuple[int, ...], most: int) -> tuple[np.ndarray, list[int]]:
        """Return strip `number`, uint8 [32, width] about `most` wide at most, and its digits."""
        rng = np.random.default_rng((self.seed, *number))
        room = most * CANVAS_HEIGHT // HEIGHT
        row = write_row(self.digits, room, rng, self.images_only)
        paper = self.seed % TEXTURE_SETS
        return photograph(row.ink[:, : room + SPARE], paper, rng), row.digits


def pad_labels(labels: list[list[int]]) -> np.ndarray:
    """Return the labels as int32 [n, longest], padded with -1."""
    longest = max(1, *(len(label) for label in labels))
    padded = np.full((len(labels), longest), PADDING, np.int32)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    return padded


def training_strips(data: DataSets, seed: int) -> StripMaker:
    """Return the maker of strips from the training digits of `data`."""
    writers = training_writers(data.sha256, data.train.num_examples)
    return StripMaker(data.train, seed, writers)


def make_test_strips(data: DataSet, count: int) -> Strips:
    """Return `count` strips, always the same, from the digits of `data` alone."""
    maker = StripMaker(data, TEST_SEED, images_only=True)
    made = [maker.strip((number,), TEST_WIDTH - SPARE) for number in range(count)]
    pixels = pad_strips([strip[:, :TEST_WIDTH] for strip, _ in made], TEST_WIDTH)
    return Strips(pixels, pad_labels([digits for _, digits in made]))
