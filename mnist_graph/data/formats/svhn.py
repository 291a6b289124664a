"""SVHN, house numbers cut into digits (http://ufldl.stanford.edu/housenumbers): train_32x32.mat and
test_32x32.mat, MATLAB's version 5. SciPy reads them.
"""

import hashlib
import io
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.data.formats.examples import Examples, Part, read_limited
from mnist_graph.data.shapes import COLOURS
from mnist_graph.errors import MnistGraphError

FILES = ("train_32x32.mat", "test_32x32.mat")
CLASSES = 10
INSTALL = "pip install '.[svhn]'"

HEADER, BIG_ENDIAN = 128, b"MI"
"""The length of a .mat file's header, and how it ends if the most significant bytes come first."""
MATRIX, COMPLEX = 14, 0x800
"""The type of an element that is an array, and the flag of complex numbers."""
NUMBERS = (1, 2, 3, 4, 5, 6, 7, 9, 12, 13)
"""The types of the elements of which an array of numbers consists."""


def has_svhn(folder: Path) -> bool:
    """Whether `folder` has files of SVHN."""
    return any((folder / name).is_file() for name in FILES)


def read_svhn(folder: Path) -> Examples:
    """Return SVHN's cropped digits. Label 10 becomes 0.

    Raises MnistGraphError for files that are missing or damaged, and if SciPy is missing.
    """
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise MnistGraphError(f"{folder} lacks {', '.join(missing)}")
    if find_spec("scipy") is None:
        raise MnistGraphError(f"SciPy is missing, which reads .mat files: {INSTALL}")
    contents = {name: read_limited(folder / name) for name in FILES}
    train, test = (_read(folder / name, contents[name]) for name in FILES)
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return Examples(train, test, sha256)


def _read(path: Path, content: bytes) -> Part:
    from scipy.io import loadmat

    try:
        _require_numbers(content)
        arrays: dict[str, Any] = loadmat(io.BytesIO(content), variable_names=("X", "y"))
        pixels, labels = arrays["X"], arrays["y"].reshape(-1)
    except NotImplementedError as error:
        raise MnistGraphError(f"{path} is of a later version than MATLAB 5") from error
    except Exception as error:  # SciPy raises all sorts for damaged files
        raise MnistGraphError(f"{path} is damaged or no .mat file with X and y") from error
    if pixels.ndim != 4 or pixels.shape[2] != COLOURS or pixels.dtype != np.uint8:
        raise MnistGraphError(
            f"{path}: X must be uint8 [height, width, 3, n], not {pixels.dtype} "
            f"{list(pixels.shape)}"
        )
    if not labels.size or labels.dtype.kind not in "iuf" or not np.isin(labels, range(1, 11)).all():
        raise MnistGraphError(f"{path}: y must be numbers from 1 to 10")
    frames = np.ascontiguousarray(pixels.transpose(3, 0, 1, 2))
    return Part(frames, (labels % CLASSES).astype(np.uint8), f"{path}: X", f"{path}: y")


def _require_numbers(content: bytes) -> None:
    """Raise ValueError or struct.error for a .mat file that has other arrays than of real numbers,
    or is damaged: SciPy would crash on some. Compressed arrays have checksums of their own.
    """
    order = ">" if content[HEADER - 2 : HEADER] == BIG_ENDIAN else "<"
    for kind, element in _elements(memoryview(content)[HEADER:], order, align=1):
        if kind != MATRIX:
            continue
        (flags,) = struct.unpack_from(f"{order}I", element, 8)
        kinds = {inner for inner, _ in _elements(element, order, align=8)}
        if flags & COMPLEX or not kinds <= set(NUMBERS):
            raise ValueError("no array of real numbers")


def _elements(content: memoryview, order: str, align: int) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the content of each element, which starts at a multiple of `align`."""
    place = 0
    while place < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        start = place + 8
        if kind >> 16:  # a small element: type and size in four bytes, the content in the others
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
        yield kind, content[start : start + size]
        place = start + size + -(start + size) % align
