"""The trained weights of a finished run, as NumPy takes them.

They are float32 by the names of the variables, after averaging and with batch normalization folded
into them. A run has them in model.npz, in its last checkpoint (runs of version 1.2 and before have
none), a network in the package in its weights.npz.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.arrays import read_bounded_arrays
from mnist_graph.runs.checkpoints import MODEL, find_damage
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import is_shipped, load_shipped

NAME = f"{MODEL}.npz"
MAX_BYTES = 2**28
"""The largest model.npz that is read: a network has at most 50 million parameters."""


def write_weights(prefix: str, weights: dict[str, Any]) -> None:
    """Write `weights` by name to a checkpoint with this `prefix`. Raises OSError."""
    np.savez(Path(prefix).with_name(NAME), **weights)


def has_weights(run: Run) -> bool:
    """Whether `run` is finished and has weights for NumPy, undamaged ones unless it is a network
    in the package.
    """
    if is_shipped(run):
        return True
    path = weights_file(run)
    return run.result is not None and path.exists() and find_damage(path.parent) is None


def weights_file(run: Run) -> Path:
    """Return where the weights of a finished run are, if it has any."""
    return run.directory / f"checkpoint-{run.recipe.iterations}" / NAME


def read_weights(run: Run) -> dict[str, np.ndarray]:
    """Return the weights by name. Raises MnistGraphError if there are none or they are damaged."""
    if is_shipped(run):
        return load_shipped(run)
    path = weights_file(run)
    try:
        return read_bounded_arrays(path, MAX_BYTES, MAX_BYTES)
    except ValueError as error:
        raise MnistGraphError(f"{path} is damaged; train again") from error
