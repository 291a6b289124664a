"""The thread that keeps in touch with the other tasks while this one trains.

It sends a sign of life several times within the timeout, hands the others' messages on, and notices
when one of them dies, hangs or cannot be reached. A session call that needs another task waits for
it without end; so on a failure the thread closes the session, which ends the call.
"""

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import tensorflow as tf

from mnist_graph.cluster.channel import Channel, Lost, Message
from mnist_graph.cluster.tf_config import Cluster
from mnist_graph.errors import MnistGraphError

GRACE_SECONDS = 10.0
"""How long a process may take to end once training has failed; then it is ended."""
PATIENCE = 0.9
"""The share of the timeout after which a silent task is given up: the rest is for telling all."""


BROKEN = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.UnknownError,
)
"""What TensorFlow raises in a session call in which another task is missing."""


class Failed(Exception):  # noqa: N818 - `failure` is the error
    """Training with the others has failed; `Control.failure` says how."""


class Links(NamedTuple):
    """The connections of this task to others."""

    cluster: Cluster
    channels: dict[int, Channel]
    """By the ranks of the others."""
    timeout: float
    """In seconds."""
    complain: Callable[[object], None]
    """Prints a line when the process has to be ended because it does not end by itself."""


class Control:
    """Keeps in touch with the other tasks."""

    def __init__(self, links: Links) -> None:
        self.cluster, self.channels, self.timeout, self.complain = links
        self.failure: MnistGraphError | None = None
        """How training with the others has failed, if it has."""
        self.changed = threading.Condition()
        """Notified when a message has been handled, or training has failed or ended."""
        self.ended = threading.Event()
        """Set when nothing more is expected from the others."""
        self.interval = min(1.0, self.timeout / 10)
        """From one sign of life to the next, in seconds."""
        self.session: Any = None
        self._is_calling = False
        self._left = threading.Event()
        self._background: list[threading.Thread] = []
        self._waking, self._woken = socket.socketpair()

    def start(self) -> None:
        """Start the thread."""
        now = time.monotonic()
        for channel in self.channels.values():
            channel.heard = now
        self.in_background(self._run)

    def stop(self) -> None:
        """Called by the main thread when it leaves: nothing more can fail."""
        self.ended.set()
        self._left.set()
        self._waking.close()
        for thread in self._background:
            thread.join()  # Python must not end while a thread is in TensorFlow

    def in_background(self, task: Callable[..., None], *arguments: Any) -> None:
        """Start `task` in a thread of its own, which `stop` waits for."""
        thread = threading.Thread(target=task, args=arguments, daemon=True)
        self._background.append(thread)
        thread.start()

    def handle(self, rank: int, message: Message) -> None:
        """Called for each message from the task of this rank."""
        raise NotImplementedError

    def sign_of_life(self) -> Message:
        """Return what to send several times within the timeout."""
        return {"alive": True}

    def tick(self) -> None:
        """Called as often, for what else can go wrong."""

    def announce_failure(self, failure: MnistGraphError) -> None:
        """Called once training has failed, to tell the others."""

    def send_all(self, **message: Any) -> None:
        """Send a message to every task that this one is connected to."""
        for channel in self.channels.values():
            channel.send(**message)

    def fail(self, text: str, code: int = 1) -> None:
        """Record how training has failed, and end what waits for other tasks. Only the first
        failure counts.
        """
        with self.changed:
            if self.failure is not None or self.ended.is_set():
                return
            self.failure = MnistGraphError(text)
            self.failure.exit_code = code
            self.changed.notify_all()
        self.announce_failure(self.failure)
        self.interrupt(code, self.failure)

    def interrupt(self, code: int, said: object = None) -> None:
        """End what waits for other tasks: the session call, or else the process, with `code`."""

        def end_process() -> None:
            if not self._left.wait(GRACE_SECONDS):
                if said is not None:
                    self.complain(said)
                os._exit(code)

        threading.Thread(target=end_process, daemon=True).start()
        with self.changed:
            if self._is_calling and self.session is not None:
                self.session.close()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Provide a context for a session call that needs all tasks. Raises Failed if training has
        failed or ended.
        """
        with self.changed:
            if self._is_over():
                raise Failed
            self._is_calling = True
        try:
            yield
        finally:
            with self.changed:
                self._is_calling = False

    def wait_for(self, what: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until a message has made `what()` true; return whether it has within `seconds`.
        Raises Failed.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self.changed:
            while not what():
                if self.failure is not None:
                    raise Failed
                if end is not None and time.monotonic() >= end:
                    return False
                self.changed.wait(0.1)  # short, so that Python can handle signals
        return True

    @contextmanager
    def guarded(self, session: Any) -> Iterator[Any]:
        """Provide the session; what fails in it because another task has failed is raised as this
        failure.
        """
        try:
            with session:
                self.session = session
                yield session
        except (Failed, RuntimeError, *BROKEN) as error:
            if isinstance(error, RuntimeError) and not self._is_over():
                raise  # not that the session has been closed
            with self.changed:  # a connection may break before it is known why
                self.changed.wait_for(self._is_over, self.timeout)
            if self.ended.is_set():
                raise Failed from error
            if self.failure is None:
                said = " ".join(str(error).split())
                self.fail(f"{self.cluster.task} has lost TensorFlow's connection: {said:.300}")
            raise self.failure or error from error
        finally:
            self.session = None

    def _is_over(self) -> bool:
        return self.failure is not None or self.ended.is_set()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ, None)
            for rank, channel in self.channels.items():
                selector.register(channel, selectors.EVENT_READ, rank)
            sent = 0.0
            while not self.ended.is_set() and self.failure is None:
                for key, _ in selector.select(self.interval):
                    if key.data is not None:
                        self._receive(key.data)
                if time.monotonic() - sent >= self.interval:
                    sent = time.monotonic()
                    self.send_all(**self.sign_of_life())
                    self._check_silence()
                    self.tick()

    def _receive(self, rank: int) -> None:
        if self.ended.is_set() or self.failure is not None:
            return
        name = self.cluster.tasks[rank]
        try:
            for message in self.channels[rank].receive():
                self.handle(rank, message)
        except Lost as lost:
            self.fail(f"{name} has died: {lost}")
        except (KeyError, TypeError, ValueError) as error:
            self.fail(f"{name} has sent an invalid message: {error!r}")
        with self.changed:
            self.changed.notify_all()

    def _check_silence(self) -> None:
        for rank, channel in self.channels.items():
            if time.monotonic() - channel.heard > PATIENCE * self.timeout:
                name = self.cluster.tasks[rank]
                self.fail(f"{name} has not answered within {self.timeout:g} seconds (--timeout)")
