"""Which addresses a port answers on.

TensorFlow's server always listens on every address of the machine. A filter of the kernel on its
socket drops what was not sent to the task's own address, before a connection exists. Linux only;
elsewhere, and where a task does not know the address that others reach it by, the port answers on
all addresses.
"""

import ctypes
import errno
import ipaddress
import os
import socket
import struct
import sys
from contextlib import suppress

from mnist_graph.cluster.tf_config import Cluster, Task
from mnist_graph.errors import MnistGraphError

SO_ATTACH_FILTER = 26
NETWORK_HEADER = 0xFFF00000
"""Where the filter finds a packet's IP header (Linux: SKF_NET_OFF)."""
LOAD_WORD, LOAD_BYTE, SHIFT_RIGHT, JUMP_IF_EQUAL, RETURN = 0x20, 0x30, 0x74, 0x15, 0x06
"""Instructions of the classic Berkeley packet filter."""


def own_address(cluster: Cluster) -> str | None:
    """Return the IP address of this machine that the other tasks reach this one by; None if it is
    not known: the task's host name may stand for the address of a router, or, as in Debian's
    /etc/hosts, for the machine itself.
    """
    own = resolve(cluster.task)
    if own is None or not _is_local(own):
        return None
    if ipaddress.ip_address(own).is_loopback:
        others = [resolve(task) for task in cluster.tasks]
        if not all(other and ipaddress.ip_address(other).is_loopback for other in others):
            return None
    return own


def resolve(task: Task) -> str | None:
    """Return the IP address of the task's host; None if its name is not known."""
    try:
        found = socket.getaddrinfo(task.host, task.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])


def listen(task: Task, address: str | None) -> socket.socket:
    """Return a socket that listens on the task's port, on this IP address or on all. Raises
    MnistGraphError if that is not possible.
    """
    family = socket.AF_INET6 if address and ":" in address else socket.AF_INET
    opened = socket.socket(family)
    try:
        # For the connections of an earlier run, and those that this socket accepts.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address or "", task.port))
        opened.listen(socket.SOMAXCONN)
    except OSError as error:
        opened.close()
        raise cannot_listen(task, error) from error
    return opened


def cannot_listen(task: Task, error: Exception) -> MnistGraphError:
    """Return the exception that reports that the task's port cannot be listened on."""
    reason = getattr(error, "strerror", None) or "the port is in use"
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        reason = "the port is in use; end the process that has it, or give the task another port"
    return MnistGraphError(f"{task} cannot listen on its port: {reason}")


def restrict(port: int, address: str) -> bool:
    """Have the kernel drop what arrives at this process's listening `port` for another IP address
    than `address`. Returns whether that was possible.
    """
    if not sys.platform.startswith("linux"):
        return False  # pragma: no cover - not on Linux
    steps = _accept_only(ipaddress.ip_address(address).packed)
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    option = struct.pack("@HP", len(steps), ctypes.addressof(program))
    restricted = False
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(number))) as found:
            is_listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if is_listening and found.getsockname()[1] == port:
                found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
                restricted = True
    return restricted


def _accept_only(address: bytes) -> list[tuple[int, int, int, int]]:
    """Return a filter for packets to this IPv4 or IPv6 address: instructions of an operation, how
    many to skip if equal and if not, and a number.
    """
    version, place = (4, 16) if len(address) == 4 else (6, 24)
    words = struct.unpack(f">{len(address) // 4}I", address)
    left = 2 * len(words)
    steps = [(LOAD_BYTE, 0, 0, NETWORK_HEADER), (SHIFT_RIGHT, 0, 0, 4)]
    steps.append((JUMP_IF_EQUAL, 0, left + 1, version))
    for number, word in enumerate(words):
        left -= 2
        steps.append((LOAD_WORD, 0, 0, NETWORK_HEADER + place + 4 * number))
        steps.append((JUMP_IF_EQUAL, 0, left + 1, word))
    return [*steps, (RETURN, 0, 0, 0xFFFFFFFF), (RETURN, 0, 0, 0)]


def _is_local(address: str) -> bool:
    """Whether it is an address of this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True
