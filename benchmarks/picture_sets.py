"""The pictures that benchmarks/reading.py measures on, each set with its validation pictures.

All are made when they are needed, from the same seed, except the strings, which are files.
"""

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.forms import make_form
from benchmarks.pages import Page, labels_by_row, make_page
from benchmarks.readers import Kind
from mnist_graph import read_data_sets
from mnist_graph.data.datasets import DataSet
from mnist_graph.data.strips.maker import make_test_strips

SEED = 2026
FIRST_STRINGS = 155
"""How many of the strings serve to choose settings."""
CHOOSING_SEED = 1
"""Added to the seed of validation pictures, so that they differ from the test's in layout too."""


class Sample(NamedTuple):
    """A picture and what it shows."""

    picture: np.ndarray
    """uint8 [h, w] grey or [h, w, 3] RGB."""
    truth: str
    """The digits; rows are separated by line breaks."""


class PictureSet(NamedTuple):
    """Pictures of one kind."""

    kind: Kind
    size: int
    """How many pictures to measure on by default."""
    make: Callable[[int], Iterator[Sample]]
    """Makes that many pictures to measure on, or as many as there are."""
    validation_name: str
    """Name of the pictures on which settings of the peers are chosen; sets may share them."""
    make_validation: Callable[[int], Iterator[Sample]]
    """Makes that many of those pictures."""


def make_sets(strings: Path | None) -> dict[str, PictureSet]:
    """Return all sets by name; `strings` is a folder with labels.csv, if there is one."""
    sets = _make_string_sets(strings) if strings else {}
    data = read_data_sets()

    def add(name: str, kind: Kind, size: int, validation_name: str, make: Callable) -> None:
        sets[name] = PictureSet(
            kind,
            size,
            lambda count: make(data.test, count, SEED),
            validation_name,
            lambda count: make(data.validation, count, SEED + CHOOSING_SEED),
        )

    add("pages of ten", "page", 1000, "pages", partial(_make_pages, digits=10))
    add("pages of 1 to 40", "page", 200, "pages", _make_pages)
    add("forms", "page", 500, "forms", _make_forms)
    add("strips", "row", 2000, "strips", _make_strips)
    add("drawn digits", "digit", 10_000, "drawn digits", _draw_digits)
    for name, method in (("smooth", "BICUBIC"), ("blocks", "NEAREST")):
        make = partial(_make_sklearn_digits, Image.Resampling[method])
        sets[f"scikit-learn's digits, {name}"] = PictureSet(
            "digit", 1797, make, f"the first of these, {name}", make
        )
    return sets


def _make_string_sets(folder: Path) -> dict[str, PictureSet]:
    """Return the strings in two sets: those on which settings are chosen, and the others."""
    samples = list(_read_strings(folder))
    parts = {"first": samples[:FIRST_STRINGS], "other": samples[FIRST_STRINGS:]}
    return {
        f"strings, {name}": PictureSet(
            "row",
            len(part),
            partial(_take, part),
            "strings, first",
            lambda _: iter(parts["first"]),  # all of them: there are few, and they are small
        )
        for name, part in parts.items()
    }


def _take(samples: list[Sample], count: int) -> Iterator[Sample]:
    return iter(samples[:count])


def _read_strings(folder: Path) -> Iterator[Sample]:
    """Read the pictures that labels.csv of `folder` lists, with columns file and digits."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            with Image.open(folder / line["file"]) as picture:
                yield Sample(np.asarray(picture.convert("L")), line["digits"])


def _make_pages(
    data: DataSet, pages: int, seed: int, digits: int | None = None
) -> Iterator[Sample]:
    """Make pages of `digits` random digits, or of 1 to 40 if `digits` is None."""
    for number in range(pages):
        rng = np.random.default_rng((seed, number, digits or 0))
        chosen = rng.integers(0, data.num_examples, digits or int(rng.integers(1, 41)))
        yield _to_sample(make_page(data.pixels[chosen], data.sparse_labels[chosen], rng))


def _make_forms(data: DataSet, forms: int, seed: int) -> Iterator[Sample]:
    """Make forms with 4 to 10 places."""
    for number in range(forms):
        rng = np.random.default_rng((seed, number, 1_000_000))
        chosen = rng.integers(0, data.num_examples, int(rng.integers(4, 11)))
        yield _to_sample(make_form(data.pixels[chosen], data.sparse_labels[chosen], rng))


def _to_sample(page: Page) -> Sample:
    rows = ["".join(map(str, row)) for row in labels_by_row(page.digits)]
    return Sample(np.asarray(page.picture), "\n".join(rows))


def _make_strips(data: DataSet, strips: int, _: int) -> Iterator[Sample]:
    """Make the strips that the recipe `reader` is tested on, in dark ink on light paper.

    Their seed is fixed.
    """
    pixels, labels = make_test_strips(data, strips)
    for strip, digits in zip(pixels, labels, strict=True):
        inked = np.flatnonzero(strip.any(axis=0))
        width = int(inked.max()) + 1 if inked.size else len(strip)  # the rest is padding
        yield Sample(255 - strip[:, :width], "".join(str(digit) for digit in digits if digit >= 0))


def _draw_digits(data: DataSet, count: int, seed: int) -> Iterator[Sample]:
    """Draw each image ten times larger, black on white, at a random position on a canvas."""
    rng = np.random.default_rng(seed)
    for image, label in zip(data.pixels[:count], data.sparse_labels[:count], strict=True):
        digit = Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC)
        canvas = Image.new("L", (500, 420), "white")
        canvas.paste(digit, (int(rng.integers(0, 221)), int(rng.integers(0, 141))))
        yield Sample(np.asarray(canvas), str(label))


def _make_sklearn_digits(method: Image.Resampling, count: int) -> Iterator[Sample]:
    """Enlarge 8x8 images with values 0 to 16 to 240x240, black on white, with a margin."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for image, label in zip(digits.images[:count], digits.target[:count], strict=True):
        grey = np.rint(255 - np.pad(image, 2) * (255 / 16)).astype(np.uint8)
        yield Sample(np.asarray(Image.fromarray(grey).resize((240, 240), method)), str(label))
