"""TensorFlow's import without its chatter, and without what it would bring along."""

import os
import sys


def silence_tensorflow() -> None:
    """Keep TensorFlow's start-up chatter off the screen, unless the user has asked for it
    by setting TF_CPP_MIN_LOG_LEVEL.

    Much of it is written straight to file descriptor 2 before any log level is heeded; so
    Python's own standard error moves to a copy, and the descriptor leads nowhere.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or sys.stderr is None:  # None: closed by the shell
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    screen = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stderr = os.fdopen(screen, "w", 1, sys.stderr.encoding, "replace")


def spare_matplotlib() -> None:
    """Keep TensorFlow's import from bringing matplotlib along, as Keras does where it finds it:
    that takes up to half a second and 25 MB, and the panels are drawn by another process.
    """
    sys.modules.setdefault("matplotlib", None)
