"""Messages to the user on standard error."""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from mnist_graph.cli.parser import PROGRAM
from mnist_graph.cli.streams import silence
from mnist_graph.errors import MnistGraphWarning

MAX_CHARACTERS = 1000
"""The most of an error that is printed."""


def printable(text: str) -> str:
    """Escape what a file name may have but no line of text: line breaks, control characters other
    than tabs, and bytes that are not UTF-8, as in \\n, \\x1b and \\udcff.
    """
    unprintable = "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
    return re.sub(unprintable, lambda found: ascii(found[0])[1:-1], text)


def above_bar() -> AbstractContextManager[None]:
    """Return a context for printing while a progress bar may be shown: it hides the bar."""
    tqdm = sys.modules.get("tqdm")  # without it there is no bar
    return nullcontext() if tqdm is None else tqdm.tqdm.external_write_mode(sys.stderr)


def note(message: str) -> None:
    """Write one line to standard error, whatever line breaks a file name or TensorFlow adds. If
    that is impossible, nobody reads it: be silent.
    """
    line = printable(" ".join(message.splitlines()))
    try:
        with above_bar():
            print(f"{PROGRAM}: {line}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def complain(error: object) -> None:
    """Write an error to standard error, without the middle of a very long one: it quotes what was
    given, and may end with what to do.
    """
    text = str(error)
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} ... {text[-half:]}"
    note(f"error: {text}")


@contextmanager
def reading_bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Provide a function that shows how much of how much has been done, once it is called, if
    standard error is a terminal; not with `quiet`.
    """
    bar: Any = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            from tqdm import tqdm  # for pictures alone

            # None is tqdm's value for "unless it is a terminal".
            disable = True if quiet else None
            bar = tqdm(
                desc="reading",
                total=total,
                unit=" pictures",
                disable=disable,
                leave=False,
                file=sys.stderr,
            )
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print the package's warnings as one line each, like its errors."""

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, MnistGraphWarning):
            note(str(message))
        else:  # pragma: no cover - other packages' warnings; there are none today
            default(message, category, *place)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MnistGraphWarning)
        default = warnings.showwarning
        warnings.showwarning = show  # type: ignore[assignment]
        yield
