"""Standard output and error, even where the shell has closed them or nothing can be written."""

import io
import os
import sys
from typing import TextIO


def replace_closed_streams() -> None:
    """Connect the standard streams that the shell has closed (`>&-`) to nowhere. Otherwise the
    next file that is opened would get the number of standard output or error, and what native
    code writes there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
            os.set_inheritable(number, True)
    sys.stdout = sys.stdout or _open_nowhere()
    sys.stderr = sys.stderr or _open_nowhere()


def escape_unencodable() -> None:
    """Let the standard streams escape what they cannot encode, such as a file name under
    LC_ALL=C, as in \\xe9. Otherwise the results would be lost with it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # pragma: no branch - unless it was replaced
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Send what is written to `stream` from now on, and what it still buffers, to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _open_nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
