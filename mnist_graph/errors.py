"""The errors a user can cause; the command line prints each as one line."""


class MnistGraphError(Exception):
    """What was wrong and what to do about it, in one line."""

    exit_code = 1


class UsageError(MnistGraphError):
    """A hyperparameter or a flag that cannot be."""

    exit_code = 2


class MnistGraphWarning(UserWarning):
    """What was wrong, in one line, where it could be gone on with."""
