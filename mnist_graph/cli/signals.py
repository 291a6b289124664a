"""Signals that stop the command: Ctrl-C, SIGTERM, SIGHUP (a closed terminal)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Signals:
    """Remembers the first signal; a second one exits at once. Those that are ignored, as under
    nohup, stay ignored.
    """

    SIGNALS = tuple(  # Windows has no SIGHUP
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    )
    received: int | None = None

    def catch(self) -> None:
        """Catch the signals from now on."""
        self.handlers: dict[signal.Signals, Any] = {
            number: signal.signal(number, self._receive)
            for number in self.SIGNALS
            if signal.getsignal(number) != signal.SIG_IGN
        }

    def restore(self) -> None:
        """Handle the signals as before."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        for each in self.handlers:
            signal.signal(each, signal.SIG_DFL)


class Interrupted(BaseException):
    """A signal has arrived. Not an Exception, so that nobody takes it for a failure."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


class Interruptible(Signals):
    """A context that a signal leaves with Interrupted, whatever is being done in it except what
    is `protected`.
    """

    _is_protected = False

    def __enter__(self) -> "Interruptible":
        self.catch()
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    @contextmanager
    def protected(self) -> Iterator[None]:
        """Finish the body of the `with` statement before Interrupted is raised."""
        self._is_protected = True
        try:
            yield
        finally:
            self._is_protected = False
        if self.received is not None:
            raise Interrupted(self.received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        super()._receive(number, frame)
        if not self._is_protected:
            raise Interrupted(number)
