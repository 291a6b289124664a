"""Compares every file of an export, run by its own runtime, with the session that it came from."""

from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_graph.data.batches import test_examples
from mnist_graph.data.datasets import DataSets
from mnist_graph.data.scaling import scale
from mnist_graph.errors import MnistGraphError
from mnist_graph.exports.arrays import read_arrays, write_arrays
from mnist_graph.exports.child import run_module
from mnist_graph.exports.formats import LITERT, LITERT_INT8, ONNX, SAVED_MODEL
from mnist_graph.runs.digit_samples import as_lists
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, PIXELS_SIGNATURE
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.strip_predictor import StripPredictor

TOLERANCE = 1e-5
"""The largest difference of a probability that is rounding alone, of a float32 format."""
FEW = 500
"""How many test images also go through the signature for pixels."""


class Check(NamedTuple):
    """How one file of an export compares with the session."""

    name: str
    """Of the file; of a SavedModel, of its graph."""
    runtime: str
    accuracy: float
    """The share of test images, or strips, that it reads right."""
    others: int
    """How many test images it gives another class; for strips, how many columns."""
    difference: float
    """The largest difference of a probability."""

    @property
    def is_quantized(self) -> bool:
        return self.name == LITERT_INT8


class Expected(NamedTuple):
    """The test images, and what the session makes of them."""

    pixels: np.ndarray
    """uint8 [n, *image_shape]."""
    labels: np.ndarray
    probabilities: np.ndarray
    """float32 [n, classes]; of strips [n, columns, classes + 1]."""

    @property
    def of_strips(self) -> bool:
        return self.probabilities.ndim == 3

    def inputs(self, signature: str, count: int | None = None) -> dict[str, np.ndarray]:
        """Return the first `count` test images as the signature takes them."""
        return as_inputs(self.pixels[:count], signature, self.of_strips)


def as_inputs(pixels: np.ndarray, signature: str, of_strips: bool) -> dict[str, np.ndarray]:
    """Return images, uint8 [n, *image_shape], or strips, as the inputs of a signature."""
    widths = {"widths": np.full(len(pixels), pixels.shape[2], np.int32)} if of_strips else {}
    if signature == PIXELS_SIGNATURE:
        return {"pixels": pixels, **widths}
    images = scale(pixels.astype(np.float32))
    return {"images": images if of_strips else images.reshape(len(images), -1), **widths}


def expect(network: Predictor | StripPredictor, data: DataSets) -> Expected:
    """Let the session predict the test images of `data`."""
    pixels, labels = test_examples(data, network.reads_strips)
    if isinstance(network, StripPredictor):
        return Expected(pixels, labels, network.predict_columns(pixels))
    return Expected(pixels, labels, network.predict(pixels))


def check_file(folder: Path, name: str, expected: Expected, scratch: Path) -> Check:
    """Run the file `name` in `folder` in a process of its own; `scratch` is for its arrays.

    Raises MnistGraphError if it fails or, in float32, differs from what is expected.
    """
    path = folder if name == SAVED_MODEL else folder / name
    found = _run(path, DEFAULT_SIGNATURE, expected.inputs(DEFAULT_SIGNATURE), scratch)
    probabilities, classes = found["probabilities"], found["classes"]
    check = Check(
        name,
        runtime_of(name),
        accuracy(classes, expected.labels),
        int((classes != expected.probabilities.argmax(axis=-1)).sum()),
        _difference(probabilities, expected.probabilities),
    )
    if check.is_quantized:
        return check
    if name != ONNX:
        few = _run(path, PIXELS_SIGNATURE, expected.inputs(PIXELS_SIGNATURE, FEW), scratch)
        other = _difference(few["probabilities"], expected.probabilities[:FEW])
        check = check._replace(difference=max(check.difference, other))
    if check.others or not check.difference <= TOLERANCE:
        raise MnistGraphError(
            f"{name} differs from the session: {check.others} other classes, probabilities by up "
            f"to {check.difference:.1g}; nothing was exported"
        )
    return check


def _run(
    path: Path, signature: str, inputs: dict[str, np.ndarray], scratch: Path
) -> dict[str, np.ndarray]:
    given, answered = scratch / "inputs.npz", scratch / "outputs.npz"
    write_arrays(given, inputs)
    task = f"running {path.name}"
    run_module("mnist_graph.exports.runtimes", path, signature, given, answered, task=task)
    return read_arrays(answered)


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf


def accuracy(classes: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of test images of the right class, or of strips read whole and right.

    `classes` are those of images, int [n], or of the columns of strips, int [n, columns].
    """
    if classes.ndim == 1:
        return float((classes == labels).mean())
    read = [read_columns(row) for row in classes]
    return sum(map(list.__eq__, read, as_lists(labels))) / len(labels)


def read_columns(classes: np.ndarray, blank: int = 10) -> list[int]:
    """Return the digits that the best classes of a strip's columns read as: repeated ones are
    merged and blanks are removed.
    """
    before = np.append(blank, classes[:-1])
    return classes[(classes != before) & (classes != blank)].tolist()


def runtime_of(name: str) -> str:
    """Return what runs the file `name`, with its version."""
    if name in (LITERT, LITERT_INT8):
        return f"ai-edge-litert {version('ai-edge-litert')}"
    if name == ONNX:
        return f"ONNX Runtime {version('onnxruntime')}"
    return f"TensorFlow {version('tensorflow')}"
