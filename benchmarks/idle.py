"""Whether the machine is idle: the busy share of its CPU time, from /proc/stat."""

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

LIMIT = 0.05
"""A machine of which at most this share is busy is idle: its own services use some percent."""
INTERVAL = 1.0
"""Seconds over which the share is measured; /proc/stat counts hundredths of a second."""
PATIENCE = 600.0
"""Seconds to wait for an idle machine before measuring nevertheless; chosen, not measured."""
STAT = Path("/proc/stat")
IDLE, IOWAIT, GUEST = 3, 4, 8
"""Columns of the "cpu" line. Guest time, the last two, is part of user time already."""


class CpuTime(NamedTuple):
    """CPU time since the machine was started, of all cores together, in seconds."""

    busy: float
    """Not idle, whoever had it: time stolen by other virtual machines counts too."""
    total: float


def read_cpu_time(stat: Path = STAT) -> CpuTime:
    """Return the CPU time so far. Raises OSError where there is no /proc/stat."""
    first = stat.read_text(encoding="ascii").splitlines()[0]
    ticks = [int(word) for word in first.split()[1:]][:GUEST]
    second = os.sysconf("SC_CLK_TCK")
    return CpuTime((sum(ticks) - ticks[IDLE] - ticks[IOWAIT]) / second, sum(ticks) / second)


def share_of_others(before: CpuTime, after: CpuTime, own: float = 0.0) -> float:
    """Return the share of all CPU time between two readings, 0 to 1, that was busy with anything
    but one's own processes, which used `own` seconds.
    """
    total = after.total - before.total
    busy = after.busy - before.busy - own
    return min(1.0, max(0.0, busy / total)) if total > 0 else 0.0


def measure_busy(interval: float = INTERVAL) -> float:
    """Return the busy share of the CPU time, 0 to 1, over an `interval` in seconds."""
    before = read_cpu_time()
    time.sleep(interval)
    return share_of_others(before, read_cpu_time())


def wait_until_idle(
    limit: float = LIMIT, patience: float = PATIENCE, interval: float = INTERVAL
) -> float:
    """Wait until the busy share is at most `limit`, but not longer than `patience` seconds; return
    the last share.
    """
    end = time.monotonic() + patience
    while (busy := measure_busy(interval)) > limit and time.monotonic() < end:
        pass
    return busy


def add_patience(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says how long to wait for an idle machine."""
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="S",
        help="seconds to wait for an idle machine before each measurement (default: %(default)g)",
    )
