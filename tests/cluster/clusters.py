"""Clusters on this machine, for tests: each task a process of its own, told by TF_CONFIG."""

import contextlib
import json
import subprocess
import sys

import numpy as np
from helpers import ROOT, Outcome, inherited, variables

from mnist_graph.cluster.launch import free_ports

COMMAND = "from mnist_graph.cli import run; run()"


class Tasks:
    """`count` tasks that execute the command with `words`, in the folder `cwd`. `own` has further
    words of some, `code` other Python code that some execute, both by rank. On exit, all are
    killed.
    """

    def __init__(self, cwd, count, words, own=None, code=None, addresses=None):
        self.addresses = addresses or [f"127.0.0.1:{port}" for port in free_ports(count)]
        self.processes = []
        for rank in range(count):
            job, index = ("chief", 0) if rank == 0 else ("worker", rank - 1)
            config = {
                "cluster": {"chief": self.addresses[:1], "worker": self.addresses[1:]},
                "task": {"type": job, "index": index},
            }
            self.processes.append(
                subprocess.Popen(
                    [
                        *(sys.executable, "-c", (code or {}).get(rank, COMMAND)),
                        *map(str, (*words, *(own or {}).get(rank, ()))),
                    ],
                    cwd=cwd,
                    env={
                        **inherited(),
                        "TF_CONFIG": json.dumps(config),
                        "PYTHONPATH": str(ROOT),
                    },
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.communicate()

    def wait_for_lines(self, count):
        """Wait until the first task has printed `count` lines."""
        for _ in range(count):
            assert self.processes[0].stdout.readline(), self.processes[0].communicate()[1]

    def outcomes(self, *ranks):
        """Wait for the tasks of these ranks (default: all); return their outcomes."""
        found = []
        for rank in ranks or range(len(self.processes)):
            out, err = self.processes[rank].communicate(timeout=120)
            found.append(Outcome(self.processes[rank].returncode, out, err))
        return found


def last_line(outcome):
    """Return the last line on standard error, without the name of the program."""
    assert "Traceback" not in outcome.err, outcome.err
    return outcome.err.splitlines()[-1].removeprefix("mnist-graph: ")


def distance(one, other):
    """Return the largest difference between the variables of two runs that are trained by
    gradients: that of the vectors, relative to the length of the first.
    """
    first, second = variables(one), variables(other)
    assert first.keys() == second.keys()
    return max(
        np.linalg.norm(first[name] - second[name]) / np.linalg.norm(first[name])
        for name in first
        if name.endswith(("/weights", "/biases", "/offset"))
    )
