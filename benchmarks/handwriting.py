"""Reading pictures: MNIST's test digits drawn, whole pages of them, and other people's digits.

    python -m benchmarks.handwriting --runs runs/cnn-best/1 runs/cnn-fast/1

The pages and drawings are made of the 10,000 test images, which no training saw. Beside what the
package reads stands what the tutorials' own preparation of a picture gives with the same network:
the whole picture shrunk to 28x28 and inverted. On pages, where that cannot be tried, each digit's
true box is cut out for it. `--validation` uses the 5,000 validation images instead, to choose by.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.machine import describe
from benchmarks.pages import Page, labels_by_row, make_page
from mnist_graph import Classifier, Digit, read_data_sets
from mnist_graph.cli import MIN_PROBABILITY
from mnist_graph.datasets import DataSet
from mnist_graph.handwriting.page import read_ink

RESULTS = Path(__file__).parent / "results" / "handwriting.json"
OVERLAP = 0.3
"""A digit is found where its box and the true one overlap by this share of their union."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--pages", type=int, default=200, help="of each kind")
    parser.add_argument("--drawings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--validation", action="store_true")
    options = parser.parse_args()
    data = read_data_sets()
    digits = data.validation if options.validation else data.test
    results = {"machine": describe(), "seed": options.seed, "runs": {}}
    for run in options.runs:
        with Classifier.restore(run) as reader:
            figures = _measure(reader, digits, options)
        results["runs"][f"{reader.run.recipe.model} seed {reader.run.recipe.seed}"] = figures
        print(run, json.dumps(figures, indent=2), flush=True)
    if not options.validation:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _measure(reader: Classifier, digits: DataSet, options: argparse.Namespace) -> dict:
    drawn = digits.pixels[: options.drawings], digits.sparse_labels[: options.drawings]
    figures = {"drawings": _score_single(reader, _drawings(drawn[0], options.seed), drawn[1])}
    from sklearn.datasets import load_digits

    others = load_digits()
    for name in ("NEAREST", "BICUBIC"):
        pictures = _enlarged(others.images, Image.Resampling[name])
        figures[f"load_digits {name.lower()}"] = _score_single(reader, pictures, others.target)
    for name, count in (("pages of 1 to 40", None), ("pages of 10", 10)):
        pages = _pages(digits, options.pages, options.seed, count)
        figures[name] = _score_pages(reader, pages)
    return figures


def _drawings(images: np.ndarray, seed: int) -> Iterator[Image.Image]:
    """Each ten times enlarged, off centre, black on white."""
    random = np.random.default_rng(seed)
    for image in images:
        digit = Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC)
        canvas = Image.new("L", (500, 420), "white")
        canvas.paste(digit, (int(random.integers(0, 221)), int(random.integers(0, 141))))
        yield canvas


def _enlarged(images: np.ndarray, method: Image.Resampling) -> Iterator[Image.Image]:
    """8x8 images of 0..16 as pictures of 240x240, black on white, with a margin."""
    for image in images:
        grey = np.rint(255 - np.pad(image, 2) * (255 / 16)).astype(np.uint8)
        yield Image.fromarray(grey).resize((240, 240), method)


def _pages(digits: DataSet, pages: int, seed: int, count: int | None) -> Iterator[Page]:
    for number in range(pages):
        random = np.random.default_rng((seed, number, count or 0))
        these = random.integers(0, digits.num_examples, count or int(random.integers(1, 41)))
        yield make_page(digits.pixels[these], digits.sparse_labels[these], random)


def _score_single(
    reader: Classifier, pictures: Iterable[Image.Image], labels: np.ndarray
) -> dict[str, float]:
    right = plain = 0
    for picture, label in zip(pictures, labels, strict=True):
        read = reader.read(picture)
        right += len(read) == 1 and read[0].label == label
        plain += _as_tutorials(reader, picture) == label
    return {"right": right / len(labels), "tutorials": plain / len(labels)}


def _as_tutorials(reader: Classifier, picture: Image.Image) -> int:
    small = np.asarray(ImageOps.invert(picture.convert("L").resize((28, 28))))
    return int(reader.predict(small[np.newaxis])[0].argmax())


def _score_pages(reader: Classifier, pages: Iterable[Page]) -> dict[str, float]:
    written = found = right = whole = extra = plain = unsure = refused = made = 0
    seconds = []
    for page in pages:
        started = time.perf_counter()
        read = reader.read_ink(read_ink(page.picture))
        seconds.append(time.perf_counter() - started)
        matched = _match(page, read)
        written += len(page.digits)
        found += len(matched)
        hits = [read[index].label == page.digits[true].label for true, index in matched.items()]
        right += sum(hits)
        sure = [read[index].probability >= MIN_PROBABILITY for index in matched.values()]
        refused += sum(not s for s in sure)
        unsure += sum(not s and not hit for s, hit in zip(sure, hits, strict=True))
        extra += len(read) - len(matched)
        whole += labels_by_row(read) == labels_by_row(page.digits)
        made += 1
        plain += sum(_as_tutorials(reader, _cut(page, d.box)) == d.label for d in page.digits)
    return {
        "pages": made,
        "digits": written,
        "found": found / written,
        "found and right": right / written,
        "not digits": extra / written,
        "pages wholly right": whole / made,
        f"below {MIN_PROBABILITY}": refused / written,
        "of these wrong": unsure / max(1, refused),
        "tutorials, given the boxes": plain / written,
        "seconds a page, median": float(np.median(seconds)),
        "seconds a page, most": float(np.max(seconds)),
    }


def _cut(page: Page, box: tuple[float, float, float, float]) -> Image.Image:
    """A square around `box`, as one would cut it by hand."""
    left, top, right, bottom = box
    half = 0.65 * max(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    return page.picture.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


def _match(page: Page, read: list[Digit]) -> dict[int, int]:
    """Which of what was read is which digit of the page."""
    matched: dict[int, int] = {}
    for number, true in enumerate(page.digits):
        free = [index for index in range(len(read)) if index not in matched.values()]
        best = max(free, key=lambda index: _overlap(true.box, read[index].box), default=None)
        if best is not None and _overlap(true.box, read[best].box) >= OVERLAP:
            matched[number] = best
    return matched


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * high / (sum(areas) - wide * high)


if __name__ == "__main__":
    main()
