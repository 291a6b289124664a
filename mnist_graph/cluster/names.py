"""Waits until the names of all tasks are known: a cluster's name service learns each one only when
its container starts.
"""

import json
import socket
import time
from collections.abc import Callable, Iterable

from mnist_graph.errors import MnistGraphError

INTERVAL = 1.0
"""Seconds between two looks at a name that is not known yet."""


def hosts_of(tf_config: str) -> list[str]:
    """Return the hosts of all tasks in a TF_CONFIG, each once, without ports. A TF_CONFIG that is
    invalid has none: the training says what is wrong with it.
    """
    try:
        cluster = json.loads(tf_config)["cluster"]
        addresses = [address for tasks in cluster.values() for address in tasks]
        hosts = [address.rpartition(":")[0] for address in addresses]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    return [host.strip("[]") for host in dict.fromkeys(hosts) if host]  # [::1]: without brackets


def is_known(host: str) -> bool:
    """Return whether the name `host` has an address."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):  # UnicodeError: a label that is empty or too long
        return False
    return True


def wait_for(hosts: Iterable[str], seconds: float, say: Callable[[str], None]) -> None:
    """Return when every name in `hosts` has an address. `say` is told once that names are missing.

    Raises MnistGraphError after `seconds`, with the first missing names.
    """
    end = time.monotonic() + seconds
    missing = [host for host in hosts if not is_known(host)]
    if missing:
        say(f"waiting up to {seconds:.0f} s for the addresses of {_listed(missing)}")
    while missing:
        left = end - time.monotonic()
        if left <= 0:
            raise MnistGraphError(
                f"no address for {_listed(missing)} after {seconds:.0f} s; check that every "
                "task is running and that the names are right"
            )
        time.sleep(min(INTERVAL, left))
        missing = [host for host in missing if not is_known(host)]


def _listed(hosts: list[str]) -> str:
    """Return the first three names, and how many more there are."""
    more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
    return ", ".join(hosts[:3]) + more
