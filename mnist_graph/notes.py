"""What is said to a user beside the results: lines on standard error."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mnist_graph.errors import MnistGraphWarning
from mnist_graph.flags import PROGRAM


def note(message: str) -> None:
    if sys.stderr is not None:  # closed by the shell
        print(f"{PROGRAM}: {message}", file=sys.stderr, flush=True)


def complain(error: object) -> None:
    """One line, whatever a file's name or TensorFlow's message holds."""
    note(f"error: {' '.join(str(error).splitlines())}")


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """What the package warns of is one line, like its errors."""

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, MnistGraphWarning):
            note(str(message))
        else:  # pragma: no cover - of other packages; today none warns
            usual(message, category, *place)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MnistGraphWarning)
        usual, warnings.showwarning = warnings.showwarning, show
        yield
