"""Compare how well pictures are read: this package, RapidOCR and Tesseract.

    python -m benchmarks.reading --strings DIR --readers reader cnn-fast rapidocr tesseract

`reader` is the network that the package ships, any other recipe the newest finished run of it, and
`tutorials` the tutorials' way. RapidOCR and Tesseract take part if they are installed
(benchmarks/requirements.txt; Tesseract itself is a system package). Letters that they give for
digits are mapped back.

Each reader runs in a process of its own. The settings of the peers, such as enlargement and
margin, are chosen for each kind of picture on validation pictures. Writes
benchmarks/results/reading.json and .md; readers and sets that are not named keep their figures.

`--strings` is a folder with pictures of one row and labels.csv (columns file and digits), where
settings are chosen on the first 155.
"""

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.nothing import make_empty_pictures
from benchmarks.picture_sets import PictureSet, Sample, make_sets
from benchmarks.readers import Kind, Setting, find_module
from benchmarks.readers.process import Answer, ReaderProcess
from benchmarks.reading_report import NOTHING, format_report
from benchmarks.scores import compare_thresholds, edit_distance, find_correct, keep_digits

RESULTS = Path(__file__).parent / "results"
SURE = 0.9
"""Confidence from which a digit counts as sure; the default of --min-probability."""
THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Values of --min-probability to compare."""
ONE_CORE_PICTURES = 30
"""Pictures whose time is measured on one core: enough for a stable median."""
EMPTY = np.zeros((0, 0), np.uint8)


def main() -> None:
    options = _parse()
    path = options.results / "reading.json"
    results = json.loads(path.read_text()) if path.exists() else {"readers": {}}
    results |= {"machine": machine.describe(), "versions": _find_versions()}
    if options.strings is None:
        print("strings: skipped, as --strings is not given")
    sets = make_sets(options.strings)
    for name in options.readers:
        reason = find_module(name).missing(name)
        if reason:
            print(f"{name}: skipped, {reason}")
            continue
        measured = results["readers"].setdefault(name, {"sets": {}, "settings": {}})
        for set_name, figures in _measure_sets(name, sets, measured["settings"], options):
            measured["sets"][set_name] = figures
            print(name, set_name, json.dumps(figures), flush=True)
            path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            report = format_report(results)
            path.with_suffix(".md").write_text(report, encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--strings", type=Path, metavar="DIR", help="pictures of one row, with labels.csv")
    add(
        "--readers",
        nargs="+",
        default=["reader", "cnn-fast", "rapidocr", "tesseract"],
        metavar="NAME",
        help="recipes, rapidocr, tesseract, tutorials (default: %(default)s)",
    )
    add("--sets", nargs="+", metavar="NAME", help="sets of pictures (default: all)")
    add("--pictures", type=int, metavar="N", help="at most N pictures of a set (default: all)")
    add(
        "--validation",
        type=int,
        default=40,
        metavar="N",
        help="pictures for choosing each setting, except on strings (default: %(default)s)",
    )
    add("--results", type=Path, default=RESULTS, metavar="DIR", help="where to write the results")
    return parser.parse_args()


def _find_versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    versions = {}
    for package in ("rapidocr", "onnxruntime", "pytesseract"):
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    if shutil.which("tesseract"):
        printed = subprocess.run(["tesseract", "--version"], capture_output=True, text=True)
        versions["tesseract"] = printed.stdout.split()[1]
    return versions


def _measure_sets(
    name: str, sets: dict[str, PictureSet], settings: dict[str, Any], options: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure a reader; yield the figures of each set. Writes the settings tried to `settings`."""
    chosen: dict[str, Setting] = {}
    for set_name in options.sets or [*sets, NOTHING]:
        if set_name not in (*sets, NOTHING):
            raise SystemExit(f"no set {set_name!r}; one of: {', '.join([*sets, NOTHING])}")
        # Nobody knows in advance that a picture shows no digits: it is read as a page.
        pictures = sets["pages of ten" if set_name == NOTHING else set_name]
        key = pictures.validation_name
        if key not in chosen:
            chosen[key], settings[key] = _choose(name, pictures, options.validation)
        if set_name == NOTHING:
            yield NOTHING, _measure_nothing(name, chosen[key])
        else:
            size = min(pictures.size, options.pictures or pictures.size)
            yield set_name, _measure(name, chosen[key], pictures, size)


def _choose(name: str, pictures: PictureSet, count: int) -> tuple[Setting, dict[str, Any]]:
    """Choose the setting with the most pictures right, then the fewest character errors.

    Also returns the share of pictures right for each setting tried.
    """
    candidates = find_module(name).candidates(pictures.kind)
    if len(candidates) == 1:
        return candidates[0], {}
    samples = list(pictures.make_validation(count))
    outcomes = {}
    with ReaderProcess(name, candidates[0]) as process:
        for setting in candidates:
            answers = [process.read(sample.picture, setting) for sample in samples]
            outcomes[setting] = _score(samples, answers, pictures.kind)
    best = max(candidates, key=lambda one: (outcomes[one]["right"], -outcomes[one]["edits"]))
    shares = {str(one): outcome["right"] / len(samples) for one, outcome in outcomes.items()}
    return best, {"chosen": str(best), "pictures": len(samples), "right": shares}


def _measure(name: str, setting: Setting, pictures: PictureSet, size: int) -> dict[str, Any]:
    """Return the accuracy, times and memory of a reader on a set."""
    samples, answers = [], []
    with ReaderProcess(name, setting) as process:
        for sample in pictures.make(size):
            answers.append(process.read(sample.picture))
            samples.append(sample._replace(picture=EMPTY))  # frees the picture's memory
        memory = process.peak_memory()
    one_core_size = min(size, ONE_CORE_PICTURES)
    with ReaderProcess(name, setting, one_core=True) as one_core:
        timed = [one_core.read(sample.picture) for sample in pictures.make(one_core_size)]
    return {
        "setting": str(setting),
        **_score(samples, answers, pictures.kind),
        "milliseconds": 1000 * median(answer.seconds for answer in answers),
        "milliseconds on one core": 1000 * median(answer.seconds for answer in timed),
        "CPU milliseconds": 1000 * median(answer.cpu_seconds for answer in timed),
        "MiB": round(memory),
        "seconds to load": process.load_seconds,
    }


def _score(samples: list[Sample], answers: list[Answer], kind: Kind) -> dict[str, Any]:
    """Count what is right. Only on pages does it count which row a digit is in."""
    right = right_unmapped = edits = 0
    confidences: list[float] = []
    correct: list[bool] = []
    for sample, answer in zip(samples, answers, strict=True):
        read, plain = (keep_digits(answer.rows, map_letters) for map_letters in (True, False))
        texts = [digits.text for digits in (read, plain)]
        if kind != "page":
            texts = [text.replace("\n", "") for text in texts]
        right += texts[0] == sample.truth
        right_unmapped += texts[1] == sample.truth
        edits += edit_distance(texts[0], sample.truth)
        confidences += read.confidences
        joined = (text.replace("\n", "") for text in (texts[0], sample.truth))
        correct += find_correct(*joined)
    return {
        "pictures": len(samples),
        "right": right,
        "right, letters dropped": right_unmapped,
        "edits": edits,
        "characters": sum(len(sample.truth) for sample in samples),
        "thresholds": compare_thresholds(confidences, correct, THRESHOLDS),
    }


def _measure_nothing(name: str, setting: Setting) -> dict[str, Any]:
    """Count the digits, and the sure ones, that are seen in pictures without digits.

    Letters are not mapped to digits here, as these pictures show letters.
    """
    seen = {}
    with ReaderProcess(name, setting) as process:
        for title, picture in make_empty_pictures():
            digits = keep_digits(process.read(picture).rows, map_letters=False)
            sure = sum(confidence >= SURE for confidence in digits.confidences)
            seen[title] = {"digits": len(digits.confidences), "sure": sure}
    return {"setting": str(setting), "seen": seen}


if __name__ == "__main__":
    main()
