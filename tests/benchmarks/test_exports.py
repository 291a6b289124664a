"""What benchmarks/exports.py reports, and what its measuring process prints."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import ROOT

from benchmarks import machine
from benchmarks.exports import RUNTIMES, format_report
from mnist_graph.exports.arrays import read_arrays, write_arrays


def test_the_report_has_a_line_for_each_runtime():
    measured = [
        {"start": start, "single_ms": 0.5, "batch_ms": 0.25, "accuracy": 0.97}
        for start in (0.3, 0.1, 0.2)
    ]
    runtimes = {name: {"bytes": 12_345, "measured": measured} for name in RUNTIMES}
    report = format_report({"machine": machine.describe(), "models": {"mlp": runtimes}})
    assert "Medians of 3 processes" in report
    expected = "| mlp | LiteRT int8 | 12 | 0.20 (0.10 to 0.30) | 0.500 (0.500 to 0.500) |"
    assert expected in report
    assert report.count("\n| mlp |") == len(RUNTIMES)


@pytest.mark.slow
def test_a_process_measures_one_runtime(trained, tmp_path, mnist):
    inputs, outputs = tmp_path / "inputs.npz", tmp_path / "outputs.npz"
    images = mnist.test.pixels[:300].reshape(300, 784) / np.float32(255)
    write_arrays(inputs, {"images": images})
    words = ["session", trained("softmax").directory, inputs, outputs, time.time()]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exports_child", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    times = json.loads(done.stdout)
    assert set(times) == {"start", "single_ms", "batch_ms"}
    assert min(times.values()) > 0
    right = read_arrays(outputs)["classes"] == mnist.test.sparse_labels[:300]
    assert right.mean() > 0.8
