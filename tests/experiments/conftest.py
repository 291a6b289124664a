"""Data of which only the training part is any good, and a sweep of it."""

import pytest
from filelock import FileLock
from helpers import run_once, write_data
from sweeping import SOFTMAX


@pytest.fixture(scope="session")
def misleading(shared, mnist):
    """A folder of 2,000 training digits, and of test digits whose labels are all wrong."""
    pixels, labels = mnist.train.pixels[:2000], mnist.train.sparse_labels[:2000]
    test = mnist.test.pixels[:500], (mnist.test.sparse_labels[:500] + 1) % 10
    with FileLock(shared / "misleading.lock"):
        if not (shared / "misleading").exists():
            write_data(shared / "misleading", (pixels, labels), test)
    return shared / "misleading"


@pytest.fixture(scope="session")
def swept(shared, misleading):
    """A finished sweep: the folder the command was run in, its words and its output."""
    words = (*SOFTMAX, "--data-dir", misleading, "--sweep", "learning_rate=0.1,0.5,1e38")
    return run_shared(shared, "swept", words)


@pytest.fixture(scope="session")
def tuned(shared, misleading):
    """A finished search: the folder the command was run in, its words and its output."""
    words = (*SOFTMAX, "--seed", 3, "--data-dir", misleading, "--tune", 4)
    return run_shared(shared, "tuned", words)


def run_shared(shared, name, words):
    cwd = shared / name
    cwd.mkdir(exist_ok=True)
    return cwd, words, run_once(cwd, shared / f"{name}.json", *words)
