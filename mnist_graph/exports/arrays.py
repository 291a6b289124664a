"""Arrays by name in an .npz file: how processes pass them."""

from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def read_arrays(path: Path) -> Arrays:
    """Return the arrays in file `path`."""
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write `arrays` to file `path`. Raises OSError."""
    np.savez(path, **arrays)  # type: ignore[arg-type]
