"""How many training steps to take per session call."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

CALL_SECONDS = 0.03
"""Target duration of a session call, which makes its overhead negligible."""
CALL_STEPS = 5
"""A call takes at least this many steps, even if it lasts longer: the overhead of a call is
about 1/50 of a step of cnn."""
MAX_CALL_SECONDS = 0.1
"""Upper limit of the target, so that Ctrl-C, keys and checkpoints are answered promptly."""
MAX_CALL_PIXELS = 8_000_000
"""The largest number of pixels that is fed to a call."""


def most_steps(pixels: int) -> float:
    """Return the largest number of steps of a call that is fed batches of this many `pixels`."""
    return MAX_CALL_PIXELS / pixels


class Pace:
    """Chooses the number of steps of each session call from the time that the last call took:
    enough to amortize its overhead, few enough to keep hooks responsive.

    `most` is the largest number of steps of a call; `patience` is how long hooks can wait, in
    seconds. What is learned does not depend on the pace.
    """

    def __init__(self, most: float, patience: float) -> None:
        self.most = most
        self.patience = min(MAX_CALL_SECONDS, patience)
        self.steps = 1

    @contextmanager
    def measured(self, steps: int) -> Iterator[None]:
        """Make a session call of `steps` inside this context to adapt the pace."""
        start = time.perf_counter()
        yield
        seconds = (time.perf_counter() - start) / steps
        target = min(max(CALL_SECONDS, CALL_STEPS * seconds), self.patience) / seconds
        self.steps = int(max(1, min(target, 2 * self.steps, self.most)))

    def ranges(
        self, start: int, end: int, log_every: int, stops: Sequence[int] = ()
    ) -> Iterator[range]:
        """Divide the iterations from `start` to `end` into session calls. A call ends where its
        last batch has to be evaluated, every `log_every` iterations, and after each of `stops`.
        """
        while start < end:
            evaluated = -(-start // log_every) * log_every
            last = min([evaluated, *(stop for stop in stops if stop >= start)])
            part = range(start, min(start + self.steps, last + 1, end))
            yield part
            start = part.stop
