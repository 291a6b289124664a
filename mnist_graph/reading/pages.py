"""The pages of a file: one of a plain picture, all of a TIFF or PDF file."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.documents import Document, open_document
from mnist_graph.reading.picture import Picture


class _Shared:
    """An open document, and how many use it. Not safe against concurrent callers."""

    def __init__(self, document: Document) -> None:
        self.document, self._users = document, 1

    def use(self) -> "_Shared":
        self._users += 1
        return self

    def release(self) -> None:
        self._users -= 1
        if not self._users:
            self.document.close()


@dataclass(frozen=True)
class Page:
    """A picture that can be read: a file, or a page of one."""

    file: str
    """The name of the file, as it was given or found."""
    called: str
    """What errors call the page: `scan.tif page 3`."""
    source: str | bytes | MnistGraphError
    """The path of the file, its content, or why it cannot be read."""
    number: int | None = None
    """Which page, counted from 1; None if the file has only one."""
    known: int = 1
    """How many pages the file has, as far as is known."""
    frame: int = 0
    """Which of the frames in `shared`."""
    shared: _Shared | None = None
    """The open file, if it is TIFF or PDF."""

    @property
    def name(self) -> str:
        """What results call the page: `scan.tif page 3`."""
        return _numbered(self.file, self.number)

    @property
    def stem(self) -> str:
        """The name of a file that is made of the page, without its suffix: `scan-page-3`."""
        stem = "stdin" if isinstance(self.source, bytes) else Path(self.file).stem
        return stem if self.number is None else f"{stem}-page-{self.number}"

    def read(self) -> Picture:
        """Return the page as `read_grey` takes it. Safe against concurrent callers.

        Raises MnistGraphError if the file, or this page of it, cannot be read.
        """
        if isinstance(self.source, MnistGraphError):
            raise MnistGraphError(str(self.source))
        if self.shared is None:
            return self.source
        return self.shared.document.read(self.frame, self.called)

    def read_colour(self) -> Picture:
        """Return the page as `read_upright` takes it, in colour; raises the same."""
        if self.shared is None:
            return self.read()
        return self.shared.document.read_colour(self.frame, self.called)

    def release(self) -> None:
        """Say that the page is not read any more. That of its last page closes a file. To be
        called once, in the thread that iterates over the pages.
        """
        if self.shared is not None:
            self.shared.release()


def open_pages(file: str, source: str | bytes, called: str | None = None) -> Iterator[Page]:
    """Yield the pages of a file, without looking further ahead than to the next one.

    `file` is its name, `source` its path or its content, and `called` what errors call it
    (default: `file`). A file that cannot be opened is one page, which cannot be read.
    """
    called = called or file
    try:
        document = open_document(source, called)
    except MnistGraphError as error:
        yield Page(file, called, error)
        return
    if document is None:
        yield Page(file, called, source)
        return
    shared = _Shared(document)
    try:
        frames = document.frames()
        ahead, number = deque(islice(frames, 2)), 0
        if not ahead:
            yield Page(file, called, MnistGraphError(f"{called} has no pages"))
        is_single = len(ahead) == 1
        while ahead:
            frame, number = ahead.popleft(), number + 1
            shown = None if is_single else number
            known = document.count or number + len(ahead)
            numbered = _numbered(called, shown)
            yield Page(file, numbered, source, shown, known, frame, shared.use())
            ahead.extend(islice(frames, 1))
    finally:
        shared.release()


def _numbered(name: str, number: int | None) -> str:
    return name if number is None else f"{name} page {number}"
