"""Files of several pages: TIFF and PDF."""

import io
import math
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any, Protocol

import numpy as np
from PIL import Image

from mnist_graph.data.picture_files import MAX_PIXELS, open_image, reported, require_file
from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.picture import read_grey, read_upright

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What TIFF and BigTIFF files start with."""
PDF_HEAD, PDF_WITHIN = b"%PDF-", 1024
"""What a PDF file has within its first bytes."""
NOT_A_PAGE = 0b101
"""Bits of TIFF's tag NewSubfileType: a smaller copy of another page; a mask."""
NEW_SUBFILE_TYPE, SUBFILE_TYPE, SMALLER_COPY = 254, 255, 2
"""TIFF tags that say what a frame is, and a value of the older one."""
DPI, POINTS_PER_INCH = 200, 72
"""The resolution at which PDF pages are drawn, as scanners do; A4 has 3.9 million pixels then."""
MAX_DRAWN_PIXELS = 4_000_000
"""The most pixels of a drawn PDF page: one larger than A4 is drawn at a lower resolution."""
MAX_SIDE = 20_000
"""The longest side of a drawn PDF page, in pixels."""
MAX_SECONDS = 20.0
"""The longest that a PDF page is drawn. A scanned page takes 0.1 s."""
PASSWORD_NEEDED = 4
"""PDFium's error code."""
PDFIUM = threading.Lock()
"""PDFium is not thread-safe: of all PDF files, one is used at a time."""


class Document(Protocol):
    """An open file of several pages. Safe against concurrent callers."""

    count: int | None
    """The number of frames; None if counting them would mean to read the whole file."""

    def frames(self) -> Iterator[int]:
        """Yield the index of each page. Those between are no pages."""

    def read(self, frame: int, name: str) -> np.ndarray:
        """Return a page in grey: uint8 [height, width]. Raises MnistGraphError, which calls
        the page `name`.
        """

    def read_colour(self, frame: int, name: str) -> Image.Image:
        """Return the same page in RGB. Raises the same."""

    def close(self) -> None:
        """Close the file. No other method may be called any more."""


def open_document(source: str | bytes, name: str) -> Document | None:
    """Open the file at a path, or the content of one, which errors call `name`. Returns None if
    it is neither TIFF nor PDF. Raises MnistGraphError if it cannot be opened.
    """
    with reported(name):
        if isinstance(source, bytes):
            head = source[:PDF_WITHIN]
        else:
            require_file(source, name)
            with open(source, "rb") as file:
                head = file.read(PDF_WITHIN)
    if head.startswith(TIFF_HEADS):
        return _Tiff(source, name)
    return _Pdf(source, name) if PDF_HEAD in head else None


class _Tiff:
    """A TIFF file; see `Document`."""

    count: int | None = None

    def __init__(self, source: str | bytes, name: str) -> None:
        self._lock = threading.Lock()
        with reported(name):
            self._image: Any = open_image(source, ["TIFF"])

    def frames(self) -> Iterator[int]:
        damaged = 0
        for frame in count():
            try:
                with self._lock, reported("the page"):
                    try:
                        self._image.seek(frame)
                    except EOFError:
                        return
                    tags = self._image.tag_v2
                    new, old = tags.get(NEW_SUBFILE_TYPE), tags.get(SUBFILE_TYPE)
                damaged = 0
                if (isinstance(new, int) and new & NOT_A_PAGE) or old == SMALLER_COPY:
                    continue
            except MnistGraphError:  # reading it will say why
                damaged += 1
            yield frame
            if damaged == 2:  # the chain of pages itself is damaged, and may never end
                return

    def read(self, frame: int, name: str) -> np.ndarray:
        with self._lock, reported(name):
            self._image.seek(frame)
            return read_grey(self._image, name)

    def read_colour(self, frame: int, name: str) -> Image.Image:
        with self._lock, reported(name):
            self._image.seek(frame)
            return read_upright(self._image, name)

    def close(self) -> None:
        with self._lock:
            self._image.close()


class _Pdf:
    """A PDF file; see `Document`."""

    def __init__(self, source: str | bytes, name: str) -> None:
        try:
            import pypdfium2
        except ImportError as error:
            raise MnistGraphError(
                f"{name} is a PDF file; to read those: pip install pypdfium2"
            ) from error
        with reported(name):
            # A file of our own: PDFium opens no path that is not UTF-8.
            file = source if isinstance(source, bytes) else _File(io.FileIO(source))
        try:
            with PDFIUM:
                self._pdf = pypdfium2.PdfDocument(file, autoclose=True)
                self.count: int | None = len(self._pdf)
        except pypdfium2.PdfiumError as error:
            if isinstance(file, _File):
                file.close()
            if error.err_code == PASSWORD_NEEDED:
                message = f"{name} has a password: save it without one first"
                raise MnistGraphError(message) from error
            raise MnistGraphError(f"{name} is damaged ({error})") from error

    def frames(self) -> Iterator[int]:
        assert self.count is not None
        yield from range(self.count)

    def read(self, frame: int, name: str) -> np.ndarray:
        return self._draw(frame, name, colour=False)

    def read_colour(self, frame: int, name: str) -> Image.Image:
        return Image.fromarray(self._draw(frame, name, colour=True))

    def close(self) -> None:
        with PDFIUM:
            self._pdf.close()

    def _draw(self, frame: int, name: str, colour: bool) -> np.ndarray:
        with PDFIUM, reported(name):
            page = self._pdf[frame]
            try:
                return _draw(page, name, colour)
            finally:
                page.close()


class _File(io.BufferedReader):
    """A file that PDFium reads. In its calls nobody could catch an exception: a read that fails
    ends early, and PDFium reports the file as damaged.
    """

    def readinto(self, buffer: Any) -> int:
        with suppress(OSError, ValueError):
            return super().readinto(buffer)
        return 0


def _draw(page: Any, name: str, colour: bool) -> np.ndarray:
    """Draw a PDF page: uint8 [height, width], with `colour` [height, width, 3] in RGB."""
    from pypdfium2 import PdfBitmap, raw

    width, height = _size_in_pixels(page.get_size(), name)
    deadline = time.monotonic() + MAX_SECONDS
    too_slow = MnistGraphError(f"{name} takes longer than {MAX_SECONDS:g} s to draw")
    # PDFium decodes an image as a whole, however small it is drawn.
    for image in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]):
        if math.prod(image.get_px_size()) > MAX_PIXELS:
            limit = MAX_PIXELS // 10**6
            raise MnistGraphError(f"{name} has an image with more than {limit} million pixels")
        if time.monotonic() > deadline:
            raise too_slow
    form, flags = raw.FPDFBitmap_Gray, raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE
    if colour:
        form, flags = raw.FPDFBitmap_BGR, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
    bitmap = PdfBitmap.new_native(width, height, form, rev_byteorder=colour)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        pause = raw.IFSDK_PAUSE(version=1)
        is_late = type(pause.NeedToPauseNow)(lambda _: time.monotonic() > deadline)
        pause.NeedToPauseNow = is_late
        status = raw.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, width, height, 0, flags, pause)
        raw.FPDF_RenderPage_Close(page)
        if status == raw.FPDF_RENDER_TOBECONTINUED:
            raise too_slow
        if status != raw.FPDF_RENDER_DONE:
            raise MnistGraphError(f"{name} is damaged (PDFium cannot draw it)")
        return bitmap.to_numpy().copy()
    finally:
        bitmap.close()


def _size_in_pixels(points: tuple[float, float], name: str) -> tuple[int, int]:
    """Return the size in pixels at which a page of this size in points is drawn: at DPI or, if
    it would have more than MAX_DRAWN_PIXELS, at fewer.
    """
    width, height = points
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise MnistGraphError(f"{name} is damaged: it is {width:g} by {height:g} points large")
    largest = min((MAX_DRAWN_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
    scale = min(DPI / POINTS_PER_INCH, largest)
    return max(1, round(width * scale)), max(1, round(height * scale))
