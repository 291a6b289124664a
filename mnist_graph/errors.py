"""The exceptions a user can cause; the command line prints each as one line."""


class MnistGraphError(Exception):
    """What went wrong and what to do about it, in one line."""

    exit_code = 1


class UsageError(MnistGraphError):
    """An invalid hyperparameter, argument or flag."""

    exit_code = 2


class MnistGraphWarning(UserWarning):
    """A problem that training or reading continues after, in one line."""
