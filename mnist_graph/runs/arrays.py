"""Files of NumPy arrays by name (.npz), of limited size."""

from pathlib import Path

import numpy as np

from mnist_graph.data.arrays import load_arrays
from mnist_graph.runs.files import read_bytes


def read_bounded_arrays(path: Path, most: int, most_unpacked: int) -> dict[str, np.ndarray]:
    """Return the arrays by name in the .npz file `path`.

    Raises ValueError if the file is damaged, or its arrays take more than `most_unpacked` bytes;
    and MnistGraphError if it is missing or has more than `most` bytes.
    """
    return load_arrays(read_bytes(path, most), most_unpacked)
