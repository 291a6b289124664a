"""Writes a trained network as it is shipped in the package (see shipped.py)."""

from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.layers import BATCH_NORM_EPSILON
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import fold_normalization, save_shipped
from mnist_graph.runs.strip_predictor import read_variables


def ship(run: Run, folder: str | Path) -> None:
    """Write the trained network of a finished run to `folder`, as it is shipped in the package.

    Raises MnistGraphError if the run is unfinished, the weights are too large, or `folder` exists
    or cannot be written.
    """
    if Path(folder).exists():
        raise MnistGraphError(f"{folder} exists; name a new folder")
    weights = fold_normalization(read_variables(run), BATCH_NORM_EPSILON)
    save_shipped(run, weights, Path(folder))
