"""Fixtures that several test files share: MNIST, read once, and runs, trained once."""

import functools
import gc
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from helpers import TINY_READER, Outcome, run_main, run_once

from mnist_graph import read_data_sets
from mnist_graph.cli.quiet import use_onednn
from mnist_graph.data import batches

use_onednn()  # so that this process rounds as the command does
batches.TEST_STRIPS = 40  # to make all 2,000 takes six seconds
for screen in ("DISPLAY", "WAYLAND_DISPLAY"):  # no test may open a window on the user's screen
    os.environ.pop(screen, None)

gc.disable()  # until all test files are imported, and TensorFlow with them


def pytest_collection_finish():
    """Let Python look for garbage, but not among the million objects that imports have left: every
    graph would make it look through them.
    """
    gc.freeze()
    gc.enable()


SHORT_RUNS = {
    "softmax": (),
    "mlp": (),
    # At the published rate of 1e-4, it would take twice as many to get as far.
    "cnn": ("--iterations", "200", "--learning-rate", "0.001"),
    "reader": (*TINY_READER[2:], "--log-every", "10"),
}
"""The words after `--model NAME` that train each shared run."""


class Trained(NamedTuple):
    """A finished run: the folder the command was run in, its words, its output and the run."""

    cwd: Path
    words: tuple[str, ...]
    outcome: Outcome
    directory: Path


@pytest.fixture(scope="session")
def mnist():
    return read_data_sets()


@pytest.fixture(scope="session")
def digits(mnist):
    """Validation images by class, at least ten of each."""
    images, labels = mnist.validation.pixels[:200], mnist.validation.sparse_labels[:200]
    return {label: images[labels == label] for label in range(10)}


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all processes have among which pytest-xdist divides the tests."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


@pytest.fixture(scope="session")
def trained(shared):
    """A function that returns the finished run of a model. Each is trained once, when it is
    first needed, even if pytest-xdist divides the tests among several processes.
    """
    cwd = shared / "trained"
    cwd.mkdir(exist_ok=True)

    @functools.cache
    def train_once(model):
        words = ("--model", model, *SHORT_RUNS[model])
        outcome = run_once(cwd, cwd / f"{model}.json", *words)
        return Trained(cwd, words, outcome, cwd / "runs" / model / "1")

    return train_once


@pytest.fixture
def command(tmp_path):
    """The command, run in this process and in an empty folder."""
    return functools.partial(run_main, tmp_path)
