"""IDX, MNIST's file format (http://yann.lecun.com/exdb/mnist/): a header of big-endian
integers, then one byte per pixel or label.
"""

import gzip
import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mnist_graph.errors import MnistGraphError

UNSIGNED_BYTE = 0x08
MAX_BYTES = 600_000_000
"""Uncompressed size of the largest file that is read: twelve times MNIST's."""
MAX_RATIO = 1032
"""Deflate's highest compression ratio (RFC 1951: 258 bytes from two bits)."""


def find_idx(folder: Path, name: str) -> Path | None:
    """Return the path of `name` or `name`.gz in `folder`, or None.

    Raises MnistGraphError for a folder that cannot be read.
    """
    try:
        return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    except OSError as error:  # e.g. a name that is too long, or no permission
        raise MnistGraphError(f"cannot read {folder}: {error.strerror}") from error


def read_idx(path: Path, dimensions: int) -> tuple[np.ndarray, str]:
    """Read the IDX file `path`, plain or, if named .gz, gzip-compressed.

    Returns a read-only uint8 array with `dimensions` dimensions, and the SHA-256 of the
    uncompressed file in hexadecimal. Raises MnistGraphError for a file that cannot be
    read, is not IDX of unsigned bytes, or is shorter or longer than its header says.
    """
    with _faults_reported(path), _open(path) as file:
        zipped = path.suffix == ".gz"
        return _read(file, path, dimensions, path.stat().st_size * (MAX_RATIO if zipped else 1))


def read_gzip(content: bytes, name: str, dimensions: int) -> np.ndarray:
    """Read a gzip-compressed IDX file from its content; `name` is for error messages.

    Returns and raises what `read_idx` does, without the SHA-256.
    """
    with _faults_reported(name), gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        return _read(file, name, dimensions, len(content) * MAX_RATIO)[0]


@contextmanager
def _faults_reported(name: str | Path) -> Iterator[None]:
    """Raise MnistGraphError for what the operating system or gzip finds wrong with a file."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise MnistGraphError(
            f"{name} is damaged or not gzip ({error}); get a fresh copy"
        ) from error
    except OSError as error:
        raise MnistGraphError(f"cannot read {name}: {error.strerror or error}") from error


def _read(
    file: io.BufferedIOBase, name: str | Path, dimensions: int, largest: int
) -> tuple[np.ndarray, str]:
    """Read an open IDX file, which has at most `largest` bytes."""
    header, shape = _read_header(file, name, dimensions)
    size = int(np.prod(shape, dtype=object))
    if size > MAX_BYTES:
        raise MnistGraphError(
            f"{name}: its header promises {size:,} bytes; the limit is {MAX_BYTES:,}"
        )
    # Compare with the file before allocating what the header promises.
    body = np.empty(size if largest >= size else 0, np.uint8)
    count = _read_into(file, body)
    if count < size or file.read(1):
        fault = "shorter" if count < size else "longer"
        raise MnistGraphError(
            f"{name} is {fault} than its header says ({' x '.join(map(str, shape))}): "
            "damaged; get a fresh copy"
        )
    digest = hashlib.sha256(header)
    digest.update(body.data)
    body.setflags(write=False)
    return body.reshape(shape), digest.hexdigest()


def _open(path: Path) -> io.BufferedIOBase:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _read_into(file: io.BufferedIOBase, body: np.ndarray) -> int:
    """Fill `body`, uint8 [bytes], as far as the file goes; return the number of bytes read."""
    view, count = body.data, 0
    # In pieces, because gzip keeps a second copy of each read.
    while count < len(body) and (read := file.readinto(view[count : count + 2**20])):
        count += read
    return count


def _read_header(
    file: io.BufferedIOBase, name: str | Path, dimensions: int
) -> tuple[bytes, tuple[int, ...]]:
    """Return the header's bytes and the array's shape; leave the file at its first item."""
    header = file.read(4 + 4 * dimensions)
    expected = (UNSIGNED_BYTE << 8) + dimensions
    if len(header) < 4 or (magic := int.from_bytes(header[:4], "big")) != expected:
        found = f"0x{magic:08x}" if len(header) >= 4 else "missing"
        raise MnistGraphError(
            f"{name} is not an IDX file of unsigned bytes in {dimensions} "
            f"dimension{'s' * (dimensions > 1)}: its magic number is {found}, not 0x{expected:08x}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise MnistGraphError(f"{name} ends within its header: damaged; get a fresh copy")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if 0 in shape:
        raise MnistGraphError(f"{name} holds no items ({' x '.join(map(str, shape))})")
    return header, shape
