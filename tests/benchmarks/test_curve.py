"""`python -m benchmarks.curve`: what is missing, the table and the picture."""

import argparse
import json
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from benchmarks import curve, machine
from benchmarks.curve_report import PUBLISHED, Point, draw, format_report, select_front


def make_run(seed, accuracy, seconds, commit="abc"):
    return {
        "commit": commit,
        "seed": seed,
        "test_accuracy": accuracy,
        "training_seconds": seconds,
        "wall_seconds": seconds + 5,
        "cpu_seconds": 2 * seconds,
        "busy_before": 0.01,
        "others": 0.02,
    }


@pytest.fixture
def found():
    fast = [make_run(seed, 0.99 + seed / 10_000, 2.0 + seed) for seed in range(5)]
    best = [make_run(0, 0.996, 900.0), make_run(1, 0.997, 1100.0)]
    return {"machine": machine.describe(), "points": {"cnn-best:1875": best, "mnist-99": fast}}


def test_the_table_has_the_fastest_first_and_marks_few_seeds(found):
    lines = format_report(found).splitlines()
    rows = [line for line in lines if line.startswith(("| mnist-99", "| cnn-best"))]
    times = "4.0 (2.0 to 6.0) | 9.0 (7.0 to 11.0)"
    assert rows[0] == f"| mnist-99 | **0.9902** | 0.9900 to 0.9904 | 0.0002 | 5 | {times} |"
    assert rows[1].startswith("| cnn-best:1875 | **0.9965** | 0.9960 to 0.9970 | 0.0007 | only 2 |")
    for point in PUBLISHED:
        assert any(point.name in line and point.hardware in line for line in lines)


def test_a_busy_machine_is_reported(found):
    assert "not idle" not in format_report(found)
    found["points"]["mnist-99"][2]["busy_before"] = 0.4
    assert "At most 40.0 % of the CPU time was busy" in format_report(found)
    assert "**The machine was not idle.**" in format_report(found)


def test_the_curve_leaves_out_what_is_slower_and_no_better():
    a, b, c = (Point(n, [t], [t], [x]) for n, t, x in (("a", 1, 0.9), ("b", 2, 0.8), ("c", 3, 1)))
    assert select_front([a, b, c]) == [a, c]


def test_the_picture_is_drawn(found, tmp_path):
    draw(found, tmp_path / "folder" / "picture.png")
    with Image.open(tmp_path / "folder" / "picture.png") as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
        assert picture.size == (900, 540)
    for colour in ((0x2F, 0x6F, 0xB7), (0xD0, 0x80, 0x00)):
        assert (colours == colour).all(axis=1).any(), "ours and others have points"


def test_only_what_is_missing_is_measured():
    runs = [make_run(0, 0.99, 2.0), make_run(2, 0.99, 2.0, commit="old")]
    assert not curve.is_missing(runs, 0, "abc", again=False)
    assert curve.is_missing(runs, 1, "abc", again=False)
    assert not curve.is_missing(runs, 2, "abc", again=False)
    assert not curve.is_missing(runs, 0, "abc", again=True)
    assert curve.is_missing(runs, 2, "abc", again=True)


@pytest.mark.parametrize("text", ["mnist-98", "cnn-best:", "cnn-best:0", "cnn-best:x"])
def test_unknown_recipes_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        curve.checked_recipe(text)
    assert [curve.checked_recipe(each) for each in curve.RECIPES] == list(curve.RECIPES)


@pytest.mark.slow
def test_a_stopped_curve_continues(tmp_path):
    def measure(seeds):
        words = ["--recipes", "softmax:100", "--seeds", str(seeds), "--patience", "0"]
        words += ["--results", str(tmp_path), "--picture", str(tmp_path / "picture.png")]
        command = [sys.executable, "-m", "benchmarks.curve", *words]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return json.loads((tmp_path / "curve.json").read_text())["points"]["softmax:100"]

    (first,) = measure(1)
    assert 0.7 < first["test_accuracy"] < 0.91
    assert 0 < first["training_seconds"] < first["wall_seconds"]
    runs = measure(2)
    assert runs[0] == first, "an earlier measurement is not repeated"
    assert [run["seed"] for run in runs] == [0, 1]
    assert "| softmax:100 | **0." in (tmp_path / "curve.md").read_text()
    assert (tmp_path / "picture.png").stat().st_size > 1000
