"""Messages between two tasks: JSON objects, one a line, over a TCP connection."""

import json
import socket
import threading
import time
from typing import Any

Message = dict[str, Any]
MAX_LINE = 2**20
"""The longest message, in bytes; the longest that is sent, a recipe, has about a thousand."""


class Lost(Exception):  # noqa: N818 - not an error by itself
    """The other task has closed the connection, or sends what is not a message."""


class Channel:
    """A connection to another task. Sending is safe from every thread; only one receives."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self.connection = connection
        connection.settimeout(timeout)  # of sending: a task that hangs does not read
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = time.monotonic()
        """When the other task was last heard of."""
        self._sending = threading.Lock()
        self._unread = b""

    def fileno(self) -> int:
        return self.connection.fileno()

    def send(self, **message: Any) -> None:
        """Send a message; nothing happens if the other task is gone, which `receive` tells."""
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._sending:
                self.connection.sendall(line)
        except OSError:
            pass

    def receive(self) -> list[Message]:
        """Return the messages that have arrived; the connection must have something to read.
        Raises Lost.
        """
        try:
            piece = self.connection.recv(2**16)
        except OSError as error:
            raise Lost(error.strerror) from error
        if not piece:
            raise Lost("it has closed the connection")
        self.heard = time.monotonic()
        *lines, self._unread = (self._unread + piece).split(b"\n")
        try:
            if len(self._unread) > MAX_LINE:
                raise ValueError("too long")
            messages = [json.loads(line) for line in lines]
            if not all(isinstance(message, dict) for message in messages):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            raise Lost("it does not send what a task of this program sends") from error
        return messages

    def close(self) -> None:
        self.connection.close()
