"""`python -m benchmarks.reproduce`, which measures the accuracies in the README and the docs."""

import json
import subprocess
import sys

import pytest
from helpers import ROOT


@pytest.fixture
def reproduce(tmp_path):
    """A function that measures softmax with some seeds and returns its runs and its table row."""

    def measure(seeds):
        words = ["--recipes", "softmax", "--seeds", str(seeds), "--results", str(tmp_path)]
        command = [sys.executable, "-m", "benchmarks.reproduce", *words]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        runs = json.loads((tmp_path / "reproduce.json").read_text())["recipes"]["softmax"]
        lines = (tmp_path / "reproduce.md").read_text().splitlines()
        (row,) = (line for line in lines if line.startswith("| softmax |"))
        return runs, row

    return measure


@pytest.mark.slow
def test_reproduce_adds_the_missing_seeds_and_reports_all(reproduce):
    (first,), _ = reproduce(1)
    assert first["seed"] == 0
    assert 0.90 < first["test_accuracy"] < 0.93
    runs, row = reproduce(2)
    assert runs[0] == first, "an earlier measurement is not repeated"
    assert [run["seed"] for run in runs] == [0, 1]
    low, high = sorted(run["test_accuracy"] for run in runs)
    assert f"**{(low + high) / 2:.4f}** | {low:.4f} to {high:.4f} | 2 |" in row
