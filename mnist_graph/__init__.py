"""The classic TensorFlow 1 MNIST tutorials, whole and working on current TensorFlow.

Importing the package imports neither TensorFlow nor NumPy: each public name is loaded when it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.graph.network import network
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.recipes import recipes

if TYPE_CHECKING:
    from mnist_graph.data.datasets import read_data_sets
    from mnist_graph.errors import MnistGraphError, MnistGraphWarning
    from mnist_graph.experiments.compare import compare
    from mnist_graph.experiments.sweep import sweep
    from mnist_graph.experiments.tune import tune
    from mnist_graph.exports.exporter import export
    from mnist_graph.graph.build import build_graph
    from mnist_graph.reading.classifier import Classifier
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.inputs import find_strips, normalise
    from mnist_graph.reading.reader import Reader
    from mnist_graph.training.train import resume, train

__version__ = "1.2.0"

_MODULE_OF = {
    "Classifier": "reading.classifier",
    "Digit": "reading.digit",
    "MnistGraphError": "errors",
    "MnistGraphWarning": "errors",
    "Reader": "reading.reader",
    "build_graph": "graph.build",
    "compare": "experiments.compare",
    "export": "exports.exporter",
    "find_strips": "reading.inputs",
    "normalise": "reading.inputs",
    "read_data_sets": "data.datasets",
    "resume": "training.train",
    "sweep": "experiments.sweep",
    "train": "training.train",
    "tune": "experiments.tune",
}

__all__ = [
    "Augmentation",
    "Classifier",
    "Digit",
    "MnistGraphError",
    "MnistGraphWarning",
    "Reader",
    "Recipe",
    "build_graph",
    "compare",
    "export",
    "find_strips",
    "network",
    "normalise",
    "read_data_sets",
    "recipes",
    "resume",
    "sweep",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
