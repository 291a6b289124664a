"""Fuzz the readers of IDX files, of pictures, and of TIFF and PDF files, guided by coverage, for
as long as you like.

    pip install atheris
    python tests/fuzz_readers.py idx -max_total_time=600
    python tests/fuzz_readers.py picture -max_total_time=600
    python tests/fuzz_readers.py pages -max_total_time=600

Whatever is in a file, the result must be an array or the package's own error. On any other
exception, a single allocation above 1 GB, or a file that takes over 30 seconds, atheris stops and
saves the file. test_fuzz.py has the cases that were found.
"""

import gzip
import io
import sys
import tempfile
from contextlib import suppress
from itertools import islice
from pathlib import Path

import atheris
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["mnist_graph", "PIL"]):
    from PIL import Image

    from mnist_graph.data.idx import read_idx
    from mnist_graph.errors import MnistGraphError
    from mnist_graph.reading.pages import open_pages
    from mnist_graph.reading.picture import read_grey
    from mnist_graph.reading.prepare import prepare_grey

MAX_PAGES = 10
"""The most pages of a file that are read: a damaged one may have millions."""
MAX_PIXELS = 4000
"""The largest picture that is also searched for rows: about a thousand of them take a second."""


def fuzz_idx(content: bytes, folder: Path) -> None:
    """Read `content` without its first byte, which chooses between labels and images."""
    for name in ("data", "data.gz"):
        path = folder / name
        path.write_bytes(content[1:])
        try:
            read_idx(path, 3 if content[:1] < b"\x80" else 1)
        except MnistGraphError:
            continue


def fuzz_picture(content: bytes, folder: Path) -> None:
    """Read `content` as a picture and, if it is small, the digits in it."""
    path = folder / "picture"
    path.write_bytes(content)
    try:
        grey = read_grey(path)
    except MnistGraphError:
        return
    if grey.size <= MAX_PIXELS:
        prepare_grey(grey).find_rows()


def fuzz_pages(content: bytes, folder: Path) -> None:
    """Read the first pages of `content`, from a file and from memory, in grey and in colour."""
    path = folder / "pages"
    path.write_bytes(content)
    for source in (str(path), content):
        for page in islice(open_pages("pages", source), MAX_PAGES):
            for read in (page.read, page.read_colour):
                with suppress(MnistGraphError):
                    read()
            page.release()


def write_examples(kind: str, folder: Path) -> None:
    """Write undamaged files for the fuzzer to start from."""
    if kind == "idx":
        header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2])
        plain = header + bytes(range(8))
        (folder / "plain").write_bytes(b"\0" + plain)
        (folder / "zipped").write_bytes(b"\0" + gzip.compress(plain))
        return
    Image.init()
    digit = Image.fromarray(np.kron(np.eye(7), np.ones((4, 4))).astype(np.uint8) * 255)
    if kind == "pages":
        for name in ("TIFF", "PDF"):
            file = io.BytesIO()
            digit.convert("1").save(file, name, save_all=True, append_images=[digit, digit])
            (folder / name).write_bytes(file.getvalue())
        return
    for name in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM", "ICO", "TGA", "PCX"):
        file = io.BytesIO()
        digit.save(file, name)
        (folder / name).write_bytes(file.getvalue())


def main() -> None:
    kind, *flags = sys.argv[1:]
    fuzz = {"idx": fuzz_idx, "picture": fuzz_picture, "pages": fuzz_pages}[kind]
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as corpus:
        write_examples(kind, Path(corpus))
        limits = ["-malloc_limit_mb=1024", "-rss_limit_mb=0", "-timeout=30"]
        arguments = [sys.argv[0], corpus, *limits, *flags]
        atheris.Setup(arguments, lambda content: fuzz(content, Path(work)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
