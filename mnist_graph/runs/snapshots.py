"""Snapshots: a network's weights at a few iterations, to see how it learned.

snapshots/<iteration>.npz    what `runs.predictor.assign` takes, float16 by name

They are small and only for looking: a run is resumed from its checkpoints.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.arrays import read_bounded_arrays
from mnist_graph.runs.files import create_unfinished
from mnist_graph.runs.run import Run

FOLDER = "snapshots"
COUNT = 30
"""How many snapshots a run keeps: enough for a smooth slider; of mlp 33 MB, of cnn 200 MB."""
MOST_LISTED = 60
"""Of more snapshots, which a run has after it was made longer, only some are used."""
MAX_BYTES = 2**27
"""The largest snapshot: float16, and a graph has at most 50 million parameters."""
MOST_FLOAT16 = float(np.finfo(np.float16).max)


def choose_iterations(iterations: int) -> list[int]:
    """Return the iterations, of 0 to `iterations` - 1, after which snapshots are kept: the first,
    the last, and more of the early ones, where a network learns most.
    """
    shares = (np.arange(COUNT) / (COUNT - 1)) ** 2
    return sorted({round(share * (iterations - 1)) for share in shares.tolist()})


def save_snapshot(run: Run, iteration: int, variables: dict[str, np.ndarray]) -> None:
    """Write the network's variables by name as they are after `iteration`. Raises OSError.

    The file is whole or missing after a crash of the process. It is not flushed to disk, which
    would slow training; what a power cut damages is detected by its checksum.
    """
    small: dict[str, Any] = {
        name: np.clip(value, -MOST_FLOAT16, MOST_FLOAT16).astype(np.float16)
        for name, value in variables.items()
    }
    folder = run.directory / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{iteration:06}.npz"
    written = create_unfinished(path)
    try:
        with written.open("wb") as file:
            np.savez(file, **small)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def remove_snapshots(run: Run, start: int) -> None:
    """Remove the snapshots of iterations from `start` on, which are about to be repeated, and what
    a killed process has left. Raises OSError.
    """
    for path in (run.directory / FOLDER).glob("*.npz"):
        if path.name.startswith(".") or (_iteration(path) or 0) >= start:
            path.unlink()


def list_snapshots(run: Run) -> dict[int, Path]:
    """Return the files of the run's snapshots by iteration, in order; empty if it has none."""
    try:
        paths = list((run.directory / FOLDER).glob("*.npz"))
    except OSError:  # pragma: no cover - no permission, which root always has
        return {}
    found = {iteration: path for path in paths if (iteration := _iteration(path)) is not None}
    ordered = sorted(found)
    step = -(-len(ordered) // MOST_LISTED) or 1
    # Counted from the end, so that the last one is always used.
    return {iteration: found[iteration] for iteration in ordered[::-1][::step][::-1]}


def load_snapshot(path: Path) -> dict[str, np.ndarray]:
    """Return the variables in a snapshot, float32 by name. Raises MnistGraphError if it is
    damaged.
    """
    try:
        arrays = read_bounded_arrays(path, MAX_BYTES, MAX_BYTES)
        if any(value.dtype != np.float16 for value in arrays.values()):
            raise ValueError("not float16")
        variables = {name: value.astype(np.float32) for name, value in arrays.items()}
        if not all(np.isfinite(value).all() for value in variables.values()):
            raise ValueError("NaN or infinite")
        return variables
    except ValueError as error:
        raise MnistGraphError(f"{path} is damaged; delete it") from error


def _iteration(path: Path) -> int | None:
    found = re.fullmatch(r"(\d{6,18})\.npz", path.name)
    return int(found[1]) if found else None
