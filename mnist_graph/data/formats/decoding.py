"""Picture files as arrays of one shape, decoded by several threads at a time."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from mnist_graph.data.formats.examples import Progress, read_limited
from mnist_graph.data.picture_files import (
    check_size,
    formats,
    is_deep,
    open_image,
    pillow_silenced,
    reported,
    to_pixels,
    upright_size,
)
from mnist_graph.data.shapes import ImageShape
from mnist_graph.errors import MnistGraphError

CHUNK = 32
"""How many pictures a thread takes at a time: enough that handing them over costs little."""
GREY_MODES = ("1", "L", "LA", "La")
Item = TypeVar("Item")
Found = TypeVar("Found")


class Probe(NamedTuple):
    """What a picture is, before it is decoded."""

    digest: bytes
    """The SHA-256 of the file."""
    size: tuple[int, int]
    """Height and width, upright, in pixels."""
    may_have_colour: bool


def probe(path: Path) -> Probe:
    """Read a picture's content and header. Raises MnistGraphError if it is not a picture."""
    content = read_limited(path)
    with reported(str(path)), open_image(content, formats()) as image:
        check_size(image.width, image.height, str(path))
        width, height = upright_size(image)
        is_grey = image.mode in GREY_MODES or is_deep(image)
        return Probe(hashlib.sha256(content).digest(), (height, width), not is_grey)


def decode(path: Path, shape: ImageShape) -> np.ndarray:
    """Return the picture as uint8 of `shape`. Raises MnistGraphError if it is damaged."""
    with reported(str(path)), open_image(read_limited(path), formats()) as image:
        return to_pixels(image, shape, str(path), may_reduce=True)


def map_in_parallel(
    function: Callable[[Item], Found], items: Sequence[Item], progress: Progress | None
) -> Iterator[Found | MnistGraphError]:
    """Yield function(item) for each item, in their order, or the MnistGraphError that it raised.

    Threads compute them a few chunks ahead: memory does not grow with their number. Pillow and
    hashlib let other threads run while they work.
    """

    def take(chunk: Sequence[Item]) -> list[Found | MnistGraphError]:
        return [_try(function, item) for item in chunk]

    threads = os.cpu_count() or 1
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    done = 0
    with pillow_silenced, ThreadPoolExecutor(threads, "decode") as pool:
        try:
            waiting = [pool.submit(take, chunk) for chunk in chunks[: 2 * threads]]
            waiting.reverse()
            for number in range(len(chunks)):
                found = waiting.pop().result()
                following = number + 2 * threads
                if following < len(chunks):
                    waiting.insert(0, pool.submit(take, chunks[following]))
                done += len(found)
                if progress is not None:
                    progress(done, len(items))
                yield from found
        finally:
            pool.shutdown(cancel_futures=True)


def _try(function: Callable[[Item], Found], item: Item) -> Found | MnistGraphError:
    try:
        return function(item)
    except MnistGraphError as error:
        return error
