"""Kill, stop and cut off tasks of a cluster at random moments, resume, and compare the results.

Each run has two to four workers. Up to five times, a random one of them is killed by SIGKILL, or
stopped by SIGSTOP, at a random moment of the time that training takes with its start.
All others must then end by themselves, with exit code 1 and one line. The run is resumed, and in
the end its history and its last checkpoint must be those of an undisturbed run with as many
workers, bit for bit.

A link is cut in the middle of training: for five seconds, after which training must go on by
itself, or for good, after which all tasks must end as above.
"""

import json
import math
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.cluster.hosts import Network
from benchmarks.cluster.tasks import Start, Tasks, has_begun
from benchmarks.survive import same_end
from mnist_graph.cluster.launch import free_ports

FLAGS = ("--model", "mlp", "--hidden", "64,32", "--log-every", "50", "--save-every", "0")
"""Flags of every run: a small network, since a checkpoint is saved after every session call."""
ITERATIONS = 200
CUT_ITERATIONS = 1500
"""Iterations of the runs whose links are cut: they must still train after five seconds."""
KILLS_PER_RUN = 5
WORKERS = (2, 3, 4)
TIMEOUT = 20.0
"""The --timeout of the runs, in seconds."""
STOPPED_SHARE = 0.2
"""The share of faults that are SIGSTOP instead of SIGKILL."""
STOPPED_TIMEOUT = 8.0
"""The --timeout of the processes of which one is stopped."""
UNDISTURBED_TIMEOUT, UNDISTURBED_SECONDS = 60.0, 900.0
"""The --timeout of processes that nothing happens to, and how long these may take."""
END_SECONDS = 30.0
"""How long tasks may take beyond the timeout until they have ended."""
CUT_SECONDS = 5.0
"""How long a link is cut, if not for good."""

Results = dict[str, Any]
Save = Callable[[], None]


class Cluster:
    """Where the tasks of a run are started: on this machine, or on the hosts of a Network."""

    def __init__(self, workers: int, network: Network | None = None) -> None:
        self.workers, self.network = workers, network
        self.crashes: list[Results] = []
        """What has failed although nothing happened to it."""
        self.seconds = math.inf
        """The shortest time that tasks took to begin or resume a run and end it."""

    def start(self, run_directory: Path, timeout: float, iterations: int) -> Tasks:
        """Start the tasks that begin or resume a run."""
        words = [*FLAGS, "--iterations", str(iterations)]
        words += ["--run-dir", str(run_directory), "--timeout", str(timeout)]
        if has_begun(run_directory):
            words.append("--resume")
        if self.network is None:
            return Tasks([f"127.0.0.1:{port}" for port in free_ports(self.workers)], words)
        starts: list[Start] = [host.start for host in self.network.hosts]
        return Tasks(self.network.addresses, words, starts)

    def train(self, run_directory: Path, iterations: int = ITERATIONS) -> None:
        """Begin or resume a run and let it end."""
        with self.start(run_directory, UNDISTURBED_TIMEOUT, iterations) as tasks:
            self.require_success(tasks, tasks.wait(UNDISTURBED_SECONDS))

    def require_success(self, tasks: Tasks, codes: list[int | None]) -> None:
        """Exit unless the first task has finished the run; add what others say to `crashes`."""
        if any(code != 0 for code in codes):
            texts = [tasks.output(index, errors=True) for index in range(len(codes))]
            self.crashes.append({"workers": self.workers, "codes": codes, "errors": texts})
        self.seconds = min(self.seconds, tasks.seconds)
        if codes[0] != 0:
            raise SystemExit(f"without a fault, a run ended with {codes}: {texts}")


def disturb(cluster: Cluster, run_directory: Path, moments: random.Random) -> Results:
    """Begin or resume a run and let a random fault happen while it takes place; return what
    happened: {} if the run ended before.
    """
    is_stopped = moments.random() < STOPPED_SHARE
    timeout = STOPPED_TIMEOUT if is_stopped else TIMEOUT
    victim, moment = moments.randrange(cluster.workers), moments.uniform(0, cluster.seconds)
    number = signal.SIGSTOP if is_stopped else signal.SIGKILL
    with cluster.start(run_directory, timeout, ITERATIONS) as tasks:
        codes = tasks.wait(moment)
        if None not in codes:
            cluster.require_success(tasks, codes)
            return {}
        with suppress(ProcessLookupError):
            tasks.send(victim, number)
        told = {"signal": number.name, "workers": cluster.workers, "victim": victim}
        told |= {"moment": round(moment, 2), "iteration": newest_iteration(run_directory)}
        start = time.monotonic()
        # Those that still start notice the fault only once they look for the others.
        codes = tasks.wait(cluster.seconds + timeout + END_SECONDS, spared=victim)
        told |= {"seconds": round(time.monotonic() - start, 2), "timeout": timeout}
        return told | describe_end(tasks, codes, victim)


def describe_end(tasks: Tasks, codes: list[int | None], victim: int | None) -> Results:
    """Tell how the tasks other than `victim` have ended: `ended`, whether all have, with exit code
    1 and one line (or 0, if the run was finished), and `named`, whether every line names `victim`.
    """
    others = [index for index in range(len(codes)) if index != victim]
    said = {index: tasks.said(index) for index in others if codes[index] != 0}
    has_ended = all(codes[index] == 1 and len(lines) == 1 for index, lines in said.items())
    lines = sorted({line for each in said.values() for line in each})
    named = victim is None or all(tasks.addresses[victim] in line for line in lines)
    found = {"ended": has_ended, "named": named, "codes": codes, "lines": lines}
    if not has_ended:
        found["errors"] = [tasks.output(index, errors=True)[-2000:] for index in others]
    return found


def newest_iteration(run_directory: Path) -> int:
    """Return how many iterations the newest checkpoint has; 0 without one."""
    found = [int(path.name.rpartition("-")[2]) for path in run_directory.glob("checkpoint-*")]
    return max(found, default=0)


def kill_many(kills: int, seed: int, results: Results, save: Save) -> None:
    """Disturb runs until there were as many faults. Adds to `results`, and saves after each run."""
    clusters = {workers: Cluster(workers) for workers in WORKERS}
    results |= {"runs": 0, "identical": 0, "kills": [], "crashes": []}
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = {workers: Path(folder, f"undisturbed-{workers}") for workers in WORKERS}
        for workers, cluster in clusters.items():
            cluster.train(undisturbed[workers])
        while len(results["kills"]) < kills:
            moments = random.Random(f"{seed}/{results['runs']}")
            workers = WORKERS[results["runs"] % len(WORKERS)]
            cluster, run_directory = clusters[workers], Path(folder, f"run-{results['runs']}")
            for _ in range(min(KILLS_PER_RUN, kills - len(results["kills"]))):
                fault = disturb(cluster, run_directory, moments)
                if not fault:
                    break
                results["kills"].append(fault)
                print(json.dumps(fault), flush=True)
            cluster.train(run_directory)
            results["runs"] += 1
            results["identical"] += same_end(run_directory, undisturbed[workers])
            results["crashes"] = [each for c in clusters.values() for each in c.crashes]
            print(f"{results['runs']} runs, {results['identical']} identical", flush=True)
            save()


def cut_links(results: Results, save: Save, workers: int = 3) -> None:
    """Cut the link of a random host during training, for five seconds and for good. Needs root."""
    results["cuts"] = []
    with tempfile.TemporaryDirectory() as folder, Network(workers, gbit=1) as network:
        cluster = Cluster(workers, network)
        undisturbed = Path(folder, "undisturbed")
        cluster.train(undisturbed, CUT_ITERATIONS)
        for number, seconds in enumerate((CUT_SECONDS, None) * workers):
            run_directory, victim = Path(folder, str(number)), number // 2
            cut = _cut_link(cluster, network, run_directory, victim, seconds)
            cut["resumed"] = any(code != 0 for code in cut["codes"])
            if cut["resumed"]:
                cluster.train(run_directory, CUT_ITERATIONS)
            cut["identical"] = same_end(run_directory, undisturbed)
            results["cuts"].append(cut)
            print(json.dumps(cut), flush=True)
            save()


def _cut_link(
    cluster: Cluster, network: Network, run_directory: Path, victim: int, seconds: float | None
) -> Results:
    host = network.hosts[victim]
    with cluster.start(run_directory, TIMEOUT, CUT_ITERATIONS) as tasks:
        while "Iteration 50 " not in tasks.output(0) and None in tasks.wait(0.1):
            pass
        network.set_link(host, is_up=False)
        start, iteration = time.monotonic(), newest_iteration(run_directory)
        if seconds is not None:
            time.sleep(seconds)
            network.set_link(host, is_up=True)
            codes = tasks.wait(UNDISTURBED_SECONDS)
        else:
            codes = tasks.wait(TIMEOUT + END_SECONDS)
        taken = round(time.monotonic() - start, 2)
        network.set_link(host, is_up=True)
        told = {"victim": victim, "cut_seconds": seconds, "iteration": iteration, "seconds": taken}
        return {**told, "timeout": TIMEOUT, **describe_end(tasks, codes, None)}
