"""The classic TensorFlow 1 MNIST tutorials, whole and working on current TensorFlow.

Importing the package imports neither TensorFlow nor NumPy: each public name is loaded
when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# The table is called like its module; importing it here, once, lets the table win.
from mnist_graph.recipe import Recipe
from mnist_graph.recipes import recipes

if TYPE_CHECKING:
    from mnist_graph.classifier import Classifier
    from mnist_graph.datasets import read_data_sets
    from mnist_graph.errors import MnistGraphError, MnistGraphWarning
    from mnist_graph.graph import build_graph
    from mnist_graph.handwriting.page import Digit
    from mnist_graph.training import resume, train

__version__ = "1.0.0"

_HOME = {
    "Classifier": "classifier",
    "Digit": "handwriting.page",
    "MnistGraphError": "errors",
    "MnistGraphWarning": "errors",
    "build_graph": "graph",
    "read_data_sets": "datasets",
    "resume": "training",
    "train": "training",
}

__all__ = [
    "Classifier",
    "Digit",
    "MnistGraphError",
    "MnistGraphWarning",
    "Recipe",
    "build_graph",
    "read_data_sets",
    "recipes",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
