"""Measure how well pictures are read: single digits, and whole pages of them.

    python -m benchmarks.handwriting --runs runs/cnn-best/1 runs/cnn-fast/1

The pictures show the 10,000 test images, which are never trained on, and scikit-learn's 8x8
digits. For comparison, the same network also classifies each picture prepared the way the
tutorials do: shrunk to 28x28 as a whole, and inverted. As that cannot work for a page, each digit
of a page is first cropped at its true box. Writes benchmarks/results/handwriting.json.

`--validation` uses the 5,000 validation images, for choosing settings; the runs must have been
trained with `--validation-size 5000`. Writes handwriting-validation.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.machine import describe
from benchmarks.pages import Page, labels_by_row, make_page
from mnist_graph import Classifier, Digit, read_data_sets
from mnist_graph.data.datasets import DataSet
from mnist_graph.reading.prepare import prepare

RESULTS = Path(__file__).parent / "results"
PEAK_MEMORY_SCRIPT = r"""
import re, sys
from mnist_graph import Classifier

def read_peak():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024

with Classifier.restore(sys.argv[1]) as reader:
    reader.read(sys.argv[2])
    before = read_peak()
    reader.read(sys.argv[3])
    print(read_peak() - before)
"""
"""Prints by how many MiB reading a large picture raises the peak memory above that of a small one.
Its arguments are the run, the small and the large picture. It needs a process of its own, since a
process's peak never falls, and Linux, for /proc."""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Values of --min-probability to compare."""
MIN_OVERLAP = 0.3
"""Least intersection over union at which a digit read counts as a digit on the page. Lenient, as
boxes are only compared to match digits, not to score the boxes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", nargs="+", required=True, metavar="DIR", help="finished runs to measure"
    )
    parser.add_argument(
        "--pages", type=int, default=200, help="pages of 1 to 40 digits (default: %(default)s)"
    )
    parser.add_argument(
        "--pages-of-ten",
        type=int,
        default=1000,
        help="pages of exactly ten digits (default: %(default)s)",
    )
    parser.add_argument(
        "--drawings",
        type=int,
        default=10_000,
        help="pictures of a single digit (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=2026, help="random seed of the pictures (default: %(default)s)"
    )
    parser.add_argument(
        "--validation", action="store_true", help="use the validation images, not the test images"
    )
    options = parser.parse_args()
    data = read_data_sets()
    digits = data.validation if options.validation else data.test
    results = {"machine": describe(), "seed": options.seed, "runs": {}}
    for run in options.runs:
        with Classifier.restore(run) as reader:
            figures = _measure_accuracy(reader, digits, options)
            figures["large pictures"] = _measure_large_pictures(reader, data.test, options.seed)
        results["runs"][f"{reader.run.recipe.model} seed {reader.run.recipe.seed}"] = figures
        print(run, json.dumps(figures, indent=2), flush=True)
        name = "handwriting-validation.json" if options.validation else "handwriting.json"
        (RESULTS / name).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _measure_accuracy(reader: Classifier, digits: DataSet, options: argparse.Namespace) -> dict:
    images, labels = digits.pixels[: options.drawings], digits.sparse_labels[: options.drawings]
    figures = {"drawings": _score_single_digits(reader, _draw_digits(images, options.seed), labels)}
    from sklearn.datasets import load_digits

    sklearn_digits = load_digits()
    for name in ("NEAREST", "BICUBIC"):
        pictures = _enlarge(sklearn_digits.images, Image.Resampling[name])
        figures[f"load_digits {name.lower()}"] = _score_single_digits(
            reader, pictures, sklearn_digits.target
        )
    for name, pages, count in (
        ("pages of 1 to 40", options.pages, None),
        ("pages of 10", options.pages_of_ten, 10),
    ):
        figures[name] = _score_pages(reader, _make_pages(digits, pages, options.seed, count))
    return figures


def _draw_digits(images: np.ndarray, seed: int) -> Iterator[Image.Image]:
    """Draw each image ten times larger, black on white, at a random position on a canvas."""
    rng = np.random.default_rng(seed)
    for image in images:
        digit = Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC)
        canvas = Image.new("L", (500, 420), "white")
        canvas.paste(digit, (int(rng.integers(0, 221)), int(rng.integers(0, 141))))
        yield canvas


def _enlarge(images: np.ndarray, method: Image.Resampling) -> Iterator[Image.Image]:
    """Enlarge 8x8 images with values 0 to 16 to 240x240, black on white, with a margin."""
    for image in images:
        grey = np.rint(255 - np.pad(image, 2) * (255 / 16)).astype(np.uint8)
        yield Image.fromarray(grey).resize((240, 240), method)


def _make_pages(digits: DataSet, pages: int, seed: int, count: int | None) -> Iterator[Page]:
    """Make pages of `count` random digits, or of 1 to 40 if `count` is None."""
    for number in range(pages):
        rng = np.random.default_rng((seed, number, count or 0))
        chosen = rng.integers(0, digits.num_examples, count or int(rng.integers(1, 41)))
        yield make_page(digits.pixels[chosen], digits.sparse_labels[chosen], rng)


def _measure_large_pictures(reader: Classifier, digits: DataSet, seed: int) -> dict:
    """Measure the time and memory it takes to read large picture files.

    The pictures are five photos of 12 megapixels with forty digits each, and the last of them
    again at 50 megapixels with an alpha channel, whose peak memory is measured too.
    """
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        small, path = Path(folder) / "small.png", Path(folder) / "large.jpg"
        Image.new("L", (28, 28), "white").save(small)
        reader.read(small)
        seconds = []
        for number in range(5):
            rng = np.random.default_rng((seed, number))
            chosen = rng.integers(0, digits.num_examples, 40)
            page = make_page(digits.pixels[chosen], digits.sparse_labels[chosen], rng, 100)
            _resize(page.picture, 12e6).save(path, quality=90)
            seconds.append(_time_reading(reader, path))
        figures["12 MP, 40 digits, seconds"] = [round(s, 2) for s in seconds]
        huge = path.with_suffix(".png")
        _resize(page.picture, 50e6).convert("RGBA").save(huge, compress_level=1)
        figures["50 MP RGBA, seconds"] = round(_time_reading(reader, huge), 2)
        arguments = [str(reader.run.directory), str(small), str(huge)]
        done = subprocess.run(
            [sys.executable, "-c", PEAK_MEMORY_SCRIPT, *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        figures["50 MP RGBA, MB above a small picture"] = int(done.stdout)
    return figures


def _resize(picture: Image.Image, pixels: float) -> Image.Image:
    """Resize a picture to about `pixels` pixels, keeping its aspect ratio."""
    factor = (pixels / (picture.width * picture.height)) ** 0.5
    return picture.resize((round(picture.width * factor), round(picture.height * factor)))


def _time_reading(reader: Classifier, path: Path) -> float:
    start = time.perf_counter()
    reader.read(path)
    return time.perf_counter() - start


def _score_single_digits(
    reader: Classifier, pictures: Iterable[Image.Image], labels: np.ndarray
) -> dict[str, float]:
    """Return the accuracy on pictures of one digit, ours and the tutorials'."""
    correct = correct_tutorials = 0
    for picture, label in zip(pictures, labels, strict=True):
        read = reader.read(picture)
        correct += len(read) == 1 and read[0].label == label
        correct_tutorials += _predict_as_tutorials(reader, picture) == label
    return {"right": correct / len(labels), "tutorials": correct_tutorials / len(labels)}


def _predict_as_tutorials(reader: Classifier, picture: Image.Image) -> int:
    """Predict the digit of a picture that is only shrunk to 28x28 and inverted."""
    small = np.asarray(ImageOps.invert(picture.convert("L").resize((28, 28))))
    return int(reader.predict(small[np.newaxis])[0].argmax())


def _score_pages(reader: Classifier, pages: Iterable[Page]) -> dict[str, float]:
    """Return accuracies and times over all pages.

    "not digits" counts what was read where there is no digit, per digit on the pages.
    """
    num_pages = num_digits = found = correct_digits = correct_pages = extra = 0
    correct_tutorials = 0
    seconds, probabilities, is_correct = [], [], []
    for page in pages:
        start = time.perf_counter()
        read = reader.read_prepared(prepare(page.picture))
        seconds.append(time.perf_counter() - start)
        matched = _match(page, read)
        num_digits += len(page.digits)
        found += len(matched)
        hits = [read[index].label == page.digits[true].label for true, index in matched.items()]
        correct_digits += sum(hits)
        is_correct += hits
        probabilities += [read[index].probability for index in matched.values()]
        extra += len(read) - len(matched)
        correct_pages += labels_by_row(read) == labels_by_row(page.digits)
        num_pages += 1
        correct_tutorials += sum(
            _predict_as_tutorials(reader, _crop_square(page, digit.box)) == digit.label
            for digit in page.digits
        )
    return {
        "pages": num_pages,
        "digits": num_digits,
        "found": found / num_digits,
        "found and right": correct_digits / num_digits,
        "not digits": extra / num_digits,
        "pages wholly right": correct_pages / num_pages,
        "min_probability": _compare_thresholds(np.array(probabilities), np.array(is_correct)),
        "tutorials, given the boxes": correct_tutorials / num_digits,
        "seconds a page, median": float(np.median(seconds)),
        "seconds a page, most": float(np.max(seconds)),
    }


def _compare_thresholds(
    probabilities: np.ndarray, is_correct: np.ndarray
) -> dict[str, dict[str, float]]:
    """Compare thresholds for marking a digit as unsure.

    For each threshold, returns the share of digits that are unsure, and the error rates among
    the unsure and among the sure digits.
    """
    table = {}
    for threshold in THRESHOLDS:
        sure = probabilities >= threshold
        table[str(threshold)] = {
            "unsure": float(np.mean(~sure)),
            "wrong among unsure": float(np.mean(~is_correct[~sure])) if not sure.all() else 0.0,
            "wrong among sure": float(np.mean(~is_correct[sure])),
        }
    return table


def _crop_square(page: Page, box: tuple[float, float, float, float]) -> Image.Image:
    """Crop a square around `box`, with a margin as one would leave by hand."""
    left, top, right, bottom = box
    half = 0.65 * max(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    return page.picture.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


def _match(page: Page, read: list[Digit]) -> dict[int, int]:
    """Match the digits on the page with the digits read: index on the page to index in `read`."""
    matched: dict[int, int] = {}
    for number, true in enumerate(page.digits):
        free = [index for index in range(len(read)) if index not in matched.values()]
        best = max(free, key=lambda index: _compute_iou(true.box, read[index].box), default=None)
        if best is not None and _compute_iou(true.box, read[best].box) >= MIN_OVERLAP:
            matched[number] = best
    return matched


def _compute_iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Compute the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


if __name__ == "__main__":
    main()
