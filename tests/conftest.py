"""Real MNIST, read once, and runs that are trained once and looked at by many tests."""

import functools
import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock
from helpers import Outcome, run_main

from mnist_graph import read_data_sets

for screen in ("DISPLAY", "WAYLAND_DISPLAY"):  # no test waits for somebody to close a window
    os.environ.pop(screen, None)

SHORT_RUNS = {
    "softmax": (),
    "mlp": (),
    # At the published rate of 1e-4, 500 iterations end near 0.94.
    "cnn": ("--iterations", "500", "--learning-rate", "0.001"),
}
"""What is added to `--model NAME`."""


class Trained(NamedTuple):
    """A finished run: where the command was run, what it was asked, and what it said."""

    cwd: Path
    words: tuple[str, ...]
    outcome: Outcome
    directory: Path


@pytest.fixture(scope="session")
def mnist():
    return read_data_sets()


@pytest.fixture(scope="session")
def digits(mnist):
    """The first ten or more of each class of the validation images."""
    images, labels = mnist.validation.pixels[:200], mnist.validation.sparse_labels[:200]
    return {label: images[labels == label] for label in range(10)}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A function from a model's name to its finished run, trained when first asked for, by
    one of the processes among which pytest-xdist divides the tests.
    """
    mine = tmp_path_factory.getbasetemp()
    cwd = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "trained"
    cwd.mkdir(exist_ok=True)

    @functools.cache
    def train_once(model):
        words = ("--model", model, *SHORT_RUNS[model])
        said = cwd / f"{model}.json"
        with FileLock(said.with_suffix(".lock")):
            if not said.exists():
                said.write_text(json.dumps(run_main(cwd, *words)))
        outcome = Outcome(*json.loads(said.read_text()))
        return Trained(cwd, words, outcome, cwd / "runs" / model / "1")

    return train_once


@pytest.fixture
def command(tmp_path):
    """The command, in this process and an empty folder."""
    return functools.partial(run_main, tmp_path)
