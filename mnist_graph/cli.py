"""The command line: words to a command, errors to one line and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from mnist_graph.commands import command_for
from mnist_graph.errors import MnistGraphError
from mnist_graph.flags import parser
from mnist_graph.notes import complain, note, warnings_as_notes
from mnist_graph.quiet import silence_tensorflow, spare_matplotlib


def run() -> NoReturn:
    """The command: its words from sys.argv, its exit code to the shell."""
    silence_tensorflow()
    if not any(word.startswith("--plot") for word in sys.argv):
        spare_matplotlib()
    sys.exit(main())


def main(words: Sequence[str] | None = None) -> int:
    """Do what `words` (by default sys.argv's) ask for; returns the exit code."""
    try:
        options = parser().parse_args(words)
        with warnings_as_notes():
            code = command_for(options).execute()
        if sys.stdout is not None:  # closed by the shell
            sys.stdout.flush()
        return code
    except MnistGraphError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:  # pragma: no cover - Ctrl-C while TensorFlow is being imported
        note("interrupted")
        return 130
    except MemoryError:
        complain("out of memory; try a smaller --batch-size or --hidden")
        return 1
    except OSError as error:  # of standard output: what is read and written is seen to below
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # with its reader gone, nobody is left to tell
            complain(f"cannot write to standard output: {error.strerror}")
        return 1
