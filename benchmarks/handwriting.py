"""Reading pictures: MNIST's test digits drawn, whole pages of them, and other people's digits.

    python -m benchmarks.handwriting --runs runs/cnn-best/1 runs/cnn-fast/1

The pages and drawings are made of the 10,000 test images, which no training saw. Beside what the
package reads stands what the tutorials' own preparation of a picture gives with the same network:
the whole picture shrunk to 28x28 and inverted. On pages, where that cannot be tried, each digit's
true box is cut out for it. `--validation` uses the 5,000 validation images instead, to choose by:
with runs that were trained with `--validation-size 5000`.
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
from mnist_graph.datasets import DataSet
from mnist_graph.handwriting.page import read_ink

RESULTS = Path(__file__).parent / "results"
PEAK = r"""
import re, sys
from mnist_graph import Classifier

def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024

with Classifier.restore(sys.argv[1]) as reader:
    reader.read(sys.argv[2])
    before = peak()
    reader.read(sys.argv[3])
    print(peak() - before)
"""
"""In a process of its own, as a peak of memory does not go down; Linux only."""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
OVERLAP = 0.3
"""A digit is found where its box and the true one overlap by this share of their union."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--pages", type=int, default=200, help="of 1 to 40 digits")
    parser.add_argument("--pages-of-ten", type=int, default=1000)
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
            figures["large pictures"] = _large(reader, data.test, options.seed)
        results["runs"][f"{reader.run.recipe.model} seed {reader.run.recipe.seed}"] = figures
        print(run, json.dumps(figures, indent=2), flush=True)
        name = "handwriting-validation.json" if options.validation else "handwriting.json"
        (RESULTS / name).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _measure(reader: Classifier, digits: DataSet, options: argparse.Namespace) -> dict:
    drawn = digits.pixels[: options.drawings], digits.sparse_labels[: options.drawings]
    figures = {"drawings": _score_single(reader, _drawings(drawn[0], options.seed), drawn[1])}
    from sklearn.datasets import load_digits

    others = load_digits()
    for name in ("NEAREST", "BICUBIC"):
        pictures = _enlarged(others.images, Image.Resampling[name])
        figures[f"load_digits {name.lower()}"] = _score_single(reader, pictures, others.target)
    for name, number, count in (
        ("pages of 1 to 40", options.pages, None),
        ("pages of 10", options.pages_of_ten, 10),
    ):
        figures[name] = _score_pages(reader, _pages(digits, number, options.seed, count))
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


def _large(reader: Classifier, digits: DataSet, seed: int) -> dict:
    """Seconds to read five photos of 12 megapixels with forty digits each from their files;
    and one of 50 megapixels with transparency, and by how many MB that raises the peak of
    memory."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        small, path = Path(folder) / "small.png", Path(folder) / "large.jpg"
        Image.new("L", (28, 28), "white").save(small)
        reader.read(small)
        seconds = []
        for number in range(5):
            random = np.random.default_rng((seed, number))
            these = random.integers(0, digits.num_examples, 40)
            page = make_page(digits.pixels[these], digits.sparse_labels[these], random, 100)
            _scaled(page.picture, 12e6).save(path, quality=90)
            seconds.append(_seconds_to_read(reader, path))
        figures["12 MP, 40 digits, seconds"] = [round(s, 2) for s in seconds]
        huge = path.with_suffix(".png")
        _scaled(page.picture, 50e6).convert("RGBA").save(huge, compress_level=1)
        figures["50 MP RGBA, seconds"] = round(_seconds_to_read(reader, huge), 2)
        command = [sys.executable, "-c", PEAK, str(reader.run.directory), str(small), str(huge)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures["50 MP RGBA, MB above a small picture"] = int(done.stdout)
    return figures


def _scaled(picture: Image.Image, pixels: float) -> Image.Image:
    factor = (pixels / (picture.width * picture.height)) ** 0.5
    return picture.resize((round(picture.width * factor), round(picture.height * factor)))


def _seconds_to_read(reader: Classifier, path: Path) -> float:
    started = time.perf_counter()
    reader.read(path)
    return time.perf_counter() - started


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
    written = found = right = whole = extra = plain = made = 0
    seconds, probabilities, correct = [], [], []
    for page in pages:
        started = time.perf_counter()
        read = reader.read_ink(read_ink(page.picture))
        seconds.append(time.perf_counter() - started)
        matched = _match(page, read)
        written += len(page.digits)
        found += len(matched)
        hits = [read[index].label == page.digits[true].label for true, index in matched.items()]
        right += sum(hits)
        correct += hits
        probabilities += [read[index].probability for index in matched.values()]
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
        "min_probability": _by_threshold(np.array(probabilities), np.array(correct)),
        "tutorials, given the boxes": plain / written,
        "seconds a page, median": float(np.median(seconds)),
        "seconds a page, most": float(np.max(seconds)),
    }


def _by_threshold(probabilities: np.ndarray, correct: np.ndarray) -> dict[str, dict[str, float]]:
    """For each threshold, what share of the digits found is below it, what share of those is
    wrong after all, and what share of the digits above it."""
    table = {}
    for threshold in THRESHOLDS:
        sure = probabilities >= threshold
        table[str(threshold)] = {
            "unsure": float(np.mean(~sure)),
            "wrong among unsure": float(np.mean(~correct[~sure])) if not sure.all() else 0.0,
            "wrong among sure": float(np.mean(~correct[sure])),
        }
    return table


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
