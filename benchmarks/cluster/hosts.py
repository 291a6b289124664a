"""Network namespaces as hosts: each with an address of its own, linked by a bridge.

    with Network(3, gbit=10, delay_ms=0.1) as network:
        network.hosts[0].start([sys.executable, "main.py", ...], env)

The bandwidth is that of tc's token bucket, in each direction of each link. The delay is that of a
relay on each host (relay.py), since Linux's own netem is often missing.

Call `enter_own_namespaces` first: it runs the program in namespaces of its own, so that the hosts,
their links and all processes disappear when the program ends, however it does. Needs root and
iproute2.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from benchmarks.cluster.relay import MARK
from benchmarks.reproduce import ROOT

ADDRESS, OUTSIDE = "10.77.0.{}", "10.78.0.{}"
"""The address of a host, counted from 1, and the one that its relay sends from."""
FIRST_PORT = 2222
"""The port of the first task. Each has another port, since the relays of a host listen on those of
all others.
"""
BURST = 128 * 1024
"""Bytes that a link may send at once: at least one packet as Linux passes it on, of 64 KiB."""
QUEUE_MS = 50
"""How long a packet may wait for the token bucket before it is dropped."""
TABLE = "100"
"""The routing table for what is marked."""
PR_SET_PDEATHSIG = 1
INSIDE = "MNIST_GRAPH_NAMESPACES"
"""The environment variable of a program that is in namespaces of its own."""


def enter_own_namespaces() -> None:
    """Run this program again in namespaces of its own, and exit as it does; in these namespaces,
    return. Exits with a line if they are not possible.
    """
    if INSIDE in os.environ:
        _run("ip", "link", "set", "lo", "up")
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")
        return
    if os.geteuid() != 0:
        raise SystemExit("network namespaces need root: run this command as root")
    spaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = ["unshare", *spaces, sys.executable, "-m", "benchmarks.cluster", *sys.argv[1:]]
    environment = {**os.environ, INSIDE: "1"}
    try:
        # Everything in the namespaces ends with unshare, and unshare with this process.
        process = subprocess.Popen(command, env=environment, preexec_fn=_end_with_parent)
    except FileNotFoundError:
        raise SystemExit("the command unshare is missing: install util-linux") from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        raise SystemExit(process.wait())
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
    finally:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Host:
    """A network namespace; `number` counts from 0."""

    def __init__(self, number: int) -> None:
        self.number, self.name = number, f"host-{number}"
        self.ip = ADDRESS.format(number + 1)
        self.address = f"{self.ip}:{FIRST_PORT + number}"
        self.processes: list[subprocess.Popen] = []

    def start(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        core: int | None = None,
        **options: object,
    ) -> subprocess.Popen:
        """Start a process on this host, on one core of the machine if that is given."""
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        words = ["ip", "netns", "exec", self.name, *pinned, *command]
        process = subprocess.Popen(words, env=env, cwd=ROOT, **options)
        self.processes.append(process)
        return process

    def count_bytes(self) -> tuple[int, int]:
        """Return the bytes that this host has received and sent, with all headers."""
        shown = _run("ip", "-n", self.name, "-s", "-j", "link", "show", "eth0")
        counters = json.loads(shown)[0]["stats64"]
        return counters["rx"]["bytes"], counters["tx"]["bytes"]

    def end_processes(self) -> None:
        """Kill all processes that have been started here."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes.clear()


class Network:
    """`count` hosts. `gbit` is the bandwidth of each link in Gbit/s, unlimited if None; `delay_ms`
    the delay of each message on its way from one host to another, by a relay; None for no relay.
    """

    def __init__(
        self, count: int, gbit: float | None = None, delay_ms: float | None = None
    ) -> None:
        self.hosts = [Host(number) for number in range(count)]
        self.gbit, self.delay_ms = gbit, delay_ms

    @property
    def addresses(self) -> list[str]:
        """The address and port of each host's task."""
        return [host.address for host in self.hosts]

    def __enter__(self) -> "Network":
        try:
            _run("ip", "netns", "add", "switch")
            _run("ip", "-n", "switch", "link", "add", "bridge", "type", "bridge")
            _run("ip", "-n", "switch", "link", "set", "bridge", "up")
            for host in self.hosts:
                self._connect(host)
            if self.delay_ms is not None:
                for host in self.hosts:
                    self._divert(host)
                for host in self.hosts:
                    self._start_relay(host, self.delay_ms)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _connect(self, host: Host) -> None:
        """Create the host and its link."""
        name, port = host.name, f"port-{host.number}"
        _run("ip", "netns", "add", name)
        end = ("peer", "name", port, "netns", "switch")
        _run("ip", "-n", name, "link", "add", "eth0", "type", "veth", *end)
        _run("ip", "-n", "switch", "link", "set", port, "master", "bridge", "up")
        _run("ip", "-n", name, "addr", "add", f"{host.ip}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run("ip", "-n", name, "link", "set", device, "up")
        if self.gbit is not None:
            limits = ("rate", f"{round(1000 * self.gbit)}mbit", "burst", str(BURST))
            limits = (*limits, "latency", f"{QUEUE_MS}ms")
            for namespace, device in ((name, "eth0"), ("switch", port)):
                _run("tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf", *limits)

    def _divert(self, host: Host) -> None:
        """Let the addresses of the other hosts end at this host's relay, and what the relay sends,
        which is marked, go to the others.
        """
        _run("ip", "-n", host.name, "addr", "add", f"{_outside(host)}/24", "dev", "eth0")
        # The table of local addresses is looked up after that for what is marked.
        rules = (("pref", "20", "lookup", "local"),)
        rules = (*rules, ("pref", "10", "fwmark", str(MARK), "lookup", TABLE))
        for rule in rules:
            _run("ip", "-n", host.name, "rule", "add", *rule)
        _run("ip", "-n", host.name, "rule", "del", "pref", "0")
        for other in self.hosts:
            if other is not host:
                _run("ip", "-n", host.name, "addr", "add", f"{other.ip}/32", "dev", "lo")
                way = (f"{other.ip}/32", "via", _outside(other), "dev", "eth0", "table", TABLE)
                _run("ip", "-n", host.name, "route", "add", *way)
        # What the others answer comes from addresses that are local here.
        for setting in ("all.accept_local=1", "all.rp_filter=0", "eth0.rp_filter=0"):
            words = ("sysctl", "-qw", f"net.ipv4.conf.{setting}")
            _run("ip", "netns", "exec", host.name, *words)

    def _start_relay(self, host: Host, delay_ms: float) -> None:
        others = [other.address for other in self.hosts if other is not host]
        words = ["--delay-ms", str(delay_ms), "--source", _outside(host), "--mark", *others]
        command = [sys.executable, "-m", "benchmarks.cluster.relay", *words]
        relay = host.start(command, stdout=subprocess.PIPE, text=True)
        assert relay.stdout is not None
        if relay.stdout.readline() != "ready\n":
            raise SystemExit(f"the relay of {host.name} has not started")

    def set_link(self, host: Host, is_up: bool) -> None:
        """Pull the cable of a host out of the switch, or plug it in again."""
        port, state = f"port-{host.number}", "up" if is_up else "down"
        _run("ip", "-n", "switch", "link", "set", port, state)

    def _remove(self) -> None:
        for host in self.hosts:
            host.end_processes()
        for name in [*(host.name for host in self.hosts), "switch"]:
            with suppress(SystemExit):
                _run("ip", "netns", "del", name)
        time.sleep(0.1)  # the kernel removes them after the command


def _outside(host: Host) -> str:
    return OUTSIDE.format(host.number + 1)


def _run(*words: str) -> str:
    """Run a command and return its output. Exits with a line if it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        raise SystemExit(f"the command {words[0]} is missing: install iproute2") from None
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
