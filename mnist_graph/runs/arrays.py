"""Files of NumPy arrays by name (.npz), read with suspicion."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mnist_graph.runs.files import read_bytes


def read_bounded_arrays(path: Path, most: int, most_unpacked: int) -> dict[str, np.ndarray]:
    """Return the arrays by name in the .npz file `path`.

    Raises ValueError if the file is damaged, or its arrays take more than `most_unpacked` bytes;
    and MnistGraphError if it is missing or has more than `most` bytes.
    """
    content = io.BytesIO(read_bytes(path, most))
    try:
        with zipfile.ZipFile(content) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > most_unpacked:
                raise ValueError("too large")
        with np.load(content, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as e:
        raise ValueError("damaged") from e
