"""How often training evaluates and saves. Imports nothing heavy, for the command line's help."""

from mnist_graph.data.arguments import number, whole_number
from mnist_graph.errors import UsageError

LOG_EVERY = 100
"""Default number of iterations from one evaluation to the next."""
SAVE_EVERY = 60.0
"""Default number of seconds from one checkpoint to the next."""


def check_intervals(log_every: int, save_every: float) -> tuple[int, float]:
    """Return the intervals as Python's own numbers. Raises UsageError for one that is not a
    number or out of range.
    """
    log_every = whole_number("--log-every", log_every, lowest=1)
    save_every = number("--save-every", save_every)
    if not save_every >= 0:  # NaN too
        raise UsageError(f"--save-every must be at least 0, not {save_every}")
    return log_every, save_every
