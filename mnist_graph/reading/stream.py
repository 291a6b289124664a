"""Many pictures, prepared in parallel while others are read, in their order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from mnist_graph.data.picture_files import pillow_silenced
from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.pages import Page
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.reading.whole import WholePicture

MAX_THREADS = 8
"""Preparing a picture of 12 megapixels takes up to 150 MB."""
WAITING = 2
"""How many pictures may be prepared and wait for the network, besides those that are being
prepared: enough to bridge a slow one. Each takes 20 MB."""


Prepare = Callable[[Picture, str], WholePicture]
"""Takes a picture, in colour, and what errors call it."""


class PreparedPage(NamedTuple):
    """A page that is ready to be read. Either `prepared` or `error` is None."""

    page: Page
    prepared: Prepared | WholePicture | None
    error: str | None


def prepare_page(page: Page) -> Prepared:
    """Open and decode a page and find its rows. Raises MnistGraphError."""
    return prepare(page.read(), page.called)


def prepare_pages(
    pages: Iterable[Page | None], as_whole: Prepare | None = None
) -> Generator[PreparedPage]:
    """Yield each page prepared, in the given order and as soon as it and those before it are.
    While the caller works on one, threads prepare the next few. A page is released when the next
    one is requested. None among them stands for a wait, as for standard input: those before it
    are yielded first.

    Rows are found in each page, unless `as_whole` prepares it instead. Memory does not grow with
    the number of pages. To stop early, close the iterator: it waits for the pages that are being
    prepared.
    """
    threads = min(os.cpu_count() or 1, MAX_THREADS)
    waiting: deque[tuple[Page, Future[PreparedPage]]] = deque()
    # Silenced here too, so that the threads do not change the filters again and again.
    with pillow_silenced, ThreadPoolExecutor(threads, "prepare") as pool:
        try:
            for page in pages:
                if page is not None:
                    waiting.append((page, pool.submit(_prepare, page, as_whole)))
                most = 0 if page is None else threads + WAITING - 1
                while waiting and (len(waiting) > most or waiting[0][1].done()):
                    yield from _take(waiting)
            while waiting:
                yield from _take(waiting)
        finally:
            pool.shutdown(cancel_futures=True)
            for page, _ in waiting:
                page.release()


def _take(waiting: deque[tuple[Page, Future[PreparedPage]]]) -> Iterator[PreparedPage]:
    page, future = waiting[0]
    yield future.result()
    waiting.popleft()
    page.release()


def _prepare(page: Page, as_whole: Prepare | None) -> PreparedPage:
    try:
        if as_whole is not None:
            return PreparedPage(page, as_whole(page.read_colour(), page.called), None)
        return PreparedPage(page, prepare_page(page), None)
    except MnistGraphError as error:
        return PreparedPage(page, None, str(error))
    except MemoryError:
        return PreparedPage(page, None, f"{page.called} needs more memory than is free")
