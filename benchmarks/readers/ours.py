"""This package: `reader`, which it ships, or the newest finished run of any other recipe."""

import numpy as np

import mnist_graph
from benchmarks.readers import Kind, Read, Row, Setting
from mnist_graph import recipes
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.runs.find import find_run
from mnist_graph.runs.run import RUNS_DIR

SHIPPED = "reader"
"""The name of the network that the package ships."""


def missing(name: str) -> str:
    if name == SHIPPED:
        return "" if hasattr(mnist_graph, "Reader") else "this version ships no such network"
    if name not in recipes:
        return f"neither a recipe nor one of {SHIPPED}, rapidocr, tesseract, tutorials"
    if find_run(RUNS_DIR, recipes[name], BUNDLED_SHA256) is None:
        return f"no finished run; train it with python main.py --model {name}"
    return ""


def candidates(kind: Kind) -> list[Setting]:
    """Return the only setting: pictures are read as they are."""
    return [Setting()]


def open_reader(name: str, one_core: bool) -> Read:
    if name == SHIPPED:
        reader = mnist_graph.Reader.shipped()
    else:
        reader = mnist_graph.Classifier.from_model(name)

    def read(picture: np.ndarray, setting: Setting) -> list[Row]:
        rows: dict[int, list[mnist_graph.Digit]] = {}
        for digit in reader.read(picture):
            rows.setdefault(digit.row, []).append(digit)
        return [
            Row(
                "".join(str(digit.label) for digit in row),
                tuple(float(digit.probability) for digit in row),
            )
            for row in rows.values()
        ]

    return read
