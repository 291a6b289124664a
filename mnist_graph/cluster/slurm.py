"""Slurm's abbreviated lists: nodes as in `node[01-03,7],login`, tasks as in `2(x3),1`."""

import re
from collections.abc import Iterator

from mnist_graph.errors import UsageError

MAX_HOSTS = 100_000
"""The most hosts of one list; Slurm's own limit is 64 Ki per range."""
_ENTRY = re.compile(r"(?:[^\s,\[\]]|\[[^\s\[\]]*\])+")
_COUNT = re.compile(r"(\d+)(?:\(x(\d+)\))?", re.ASCII)
_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


def expand_hosts(text: str) -> list[str]:
    """Return the host names of a list of nodes, in Slurm's order: `scontrol show hostnames`
    without Slurm. Raises UsageError.
    """
    if not re.fullmatch(rf"(?:{_ENTRY.pattern})(?:,{_ENTRY.pattern})*", text):
        raise _unknown_list(text)
    hosts = []
    for entry in _ENTRY.findall(text):
        for host in _expand(entry, text):
            hosts.append(host)
            if len(hosts) > MAX_HOSTS:
                raise UsageError(f"more than {MAX_HOSTS} hosts in {_shortened(text)!r}")
    return hosts


def expand_counts(text: str) -> list[int]:
    """Return the number of tasks on each node, for `2(x3),1` [2, 2, 2, 1]. Raises UsageError."""
    counts: list[int] = []
    for entry in text.split(","):
        found = _COUNT.fullmatch(entry)
        if found is None or int(found[2] or 1) > MAX_HOSTS:
            raise UsageError(f"{_shortened(text)!r} is not a list of Slurm's tasks per node")
        counts += [int(found[1])] * int(found[2] or 1)
    return counts


def _expand(entry: str, text: str) -> Iterator[str]:
    """Yield the hosts of one entry: a name with any number of bracketed ranges."""
    head, bracket, rest = entry.partition("[")
    if not bracket:
        yield entry
        return
    ranges, _, tail = rest.partition("]")
    for number in _numbers(ranges, text):
        for end in _expand(tail, text):
            yield f"{head}{number}{end}"


def _numbers(ranges: str, text: str) -> Iterator[str]:
    """Yield the numbers of `01-03,7` as text, with leading zeros: 01, 02, 03, 7."""
    for each in ranges.split(","):
        found = _RANGE.fullmatch(each)
        if found is None:
            raise _unknown_list(text)
        first, last = found[1], found[2] or found[1]
        if int(last) < int(first):
            raise _unknown_list(text)
        for number in range(int(first), int(last) + 1):
            yield f"{number:0{len(first)}}"


def _unknown_list(text: str) -> UsageError:
    return UsageError(f"{_shortened(text)!r} is not a list of Slurm's nodes")


def _shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}..."
