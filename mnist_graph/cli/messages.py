"""Messages to the user on standard error."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mnist_graph.cli.parser import PROGRAM
from mnist_graph.cli.streams import silence
from mnist_graph.errors import MnistGraphWarning


def note(message: str) -> None:
    """Write one line to standard error. If that is impossible, nobody reads it: be silent."""
    try:
        print(f"{PROGRAM}: {message}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def complain(error: object) -> None:
    """Write an error in one line, whatever line breaks a file name or TensorFlow adds."""
    note(f"error: {' '.join(str(error).splitlines())}")


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
