"""The pictures that --predict names: files, folders, standard input."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mnist_graph.errors import MnistGraphError, UsageError

if TYPE_CHECKING:
    from mnist_graph.reading.pages import Page

STANDARD_INPUT = "-"
MAX_BYTES = 2**29
"""The most that is read from standard input: 64 million pixels of four 16-bit channels,
uncompressed."""


class Inputs:
    """The pages of all files in `words` (-: standard input), and in the folders among them, in
    order. The folder `without` is not searched: drawings are saved there.

    Raises UsageError if standard input is named twice.
    """

    def __init__(self, words: Sequence[str], without: str | None = None) -> None:
        if words.count(STANDARD_INPUT) > 1:
            raise UsageError("--predict takes - (standard input) only once")
        self._files = [file for word in words for file in _list(word, without)]
        self.total = len(self._files)
        """The number of pages, as far as is known: a file has one until it is opened."""

    def __iter__(self) -> Iterator["Page | None"]:
        """Yield each page, and None before standard input, which may let others wait."""
        for file in self._files:
            known = 1
            if file == STANDARD_INPUT:
                yield None
            for page in _open(file):
                self.total += page.known - known
                known = page.known
                yield page


def _list(word: str, without: str | None) -> list[str]:
    """Return the files that `word` stands for; a folder without pictures stands for itself."""
    if not os.path.isdir(word):
        return [word]
    from mnist_graph.reading.folders import list_pictures

    return list(list_pictures(word, without)) or [word]


def _open(file: str) -> Iterator["Page"]:
    from mnist_graph.reading.pages import Page, open_pages

    called = file
    try:
        if file == STANDARD_INPUT:
            called = "standard input"
            return open_pages(file, _read_standard_input(), called)
        if os.path.isdir(file) and os.access(file, os.R_OK):
            raise MnistGraphError(f"{file} has no pictures")
        return open_pages(file, file)
    except MnistGraphError as error:
        return iter([Page(file, called, error)])


def _read_standard_input() -> bytes:
    if sys.stdin is None:  # closed by the shell
        raise MnistGraphError("standard input is closed; pipe a picture into --predict -")
    if sys.stdin.isatty():
        raise MnistGraphError("standard input is a terminal; pipe a picture into --predict -")
    content = bytearray()
    try:
        # In pieces: a single read would allocate MAX_BYTES first.
        while piece := sys.stdin.buffer.read(2**20):
            content += piece
            if len(content) > MAX_BYTES:
                raise MnistGraphError(f"standard input has more than {MAX_BYTES:,} bytes")
    except OSError as error:
        raise MnistGraphError(f"cannot read standard input: {error.strerror or error}") from error
    return bytes(content)
