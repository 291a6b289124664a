"""The trained weights of a finished run, for NumPy: model.npz in its last checkpoint.

float32 by the names of the variables, after averaging and with batch normalization folded into
them. Runs of version 1.2 and before have none.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.arrays import read_bounded_arrays
from mnist_graph.runs.checkpoints import MODEL, find_damage
from mnist_graph.runs.run import Run

NAME = f"{MODEL}.npz"
MAX_BYTES = 2**28
"""The largest model.npz that is read: a network has at most 50 million parameters."""


def write_weights(prefix: str, weights: dict[str, Any]) -> None:
    """Write `weights` by name to a checkpoint with this `prefix`. Raises OSError."""
    np.savez(Path(prefix).with_name(NAME), **weights)


def find_weights(run: Run) -> Path | None:
    """Return the file with the weights of `run`; None if it is unfinished or has none that are
    undamaged.
    """
    folder = run.directory / f"checkpoint-{run.recipe.iterations}"
    is_whole = run.result is not None and (folder / NAME).exists() and find_damage(folder) is None
    return folder / NAME if is_whole else None


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Return the weights by name. Raises MnistGraphError if they cannot be read."""
    try:
        return read_bounded_arrays(path, MAX_BYTES, MAX_BYTES)
    except ValueError as error:
        raise MnistGraphError(f"{path} is damaged; train again") from error
