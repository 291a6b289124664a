"""TF_CONFIG, the environment variable by which clusters tell TensorFlow's programs who they are."""

import json
import re
from typing import Any, NamedTuple

from mnist_graph.errors import UsageError

FIRST_JOBS = ("chief", "master")
"""The job of the first task; the older name is still in use. Without it, worker 0 is the first."""
ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
"""A host and a port, as in worker-1.example:2222, 10.0.0.1:2222 or [::1]:2222."""


class Task(NamedTuple):
    """One process of a cluster."""

    job: str
    number: int
    address: str

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def __str__(self) -> str:
        name = f"the {self.job}" if self.job in FIRST_JOBS else f"{self.job} {self.number}"
        return f"{name} ({self.address})"


class Cluster(NamedTuple):
    """All tasks that train, and which one this process is."""

    tasks: tuple[Task, ...]
    """The first leads: it prints, logs and saves."""
    rank: int | None
    """The place of this process in `tasks`; None for an evaluator, which does not train."""

    @property
    def task(self) -> Task:
        """The task of this process."""
        assert self.rank is not None
        return self.tasks[self.rank]

    @property
    def addresses(self) -> list[str]:
        """The addresses of all tasks."""
        return [task.address for task in self.tasks]

    @property
    def neighbours(self) -> list[int]:
        """The ranks of all tasks on this task's host, this one included."""
        return [rank for rank, task in enumerate(self.tasks) if task.host == self.task.host]


def read_tf_config(text: str) -> Cluster | None:
    """Return the cluster that the JSON `text` describes; None if it describes none, or a single
    process.

    Raises UsageError for text that TensorFlow would not understand, and for a cluster with
    parameter servers.
    """
    config = _parse(text)
    jobs, task = config.get("cluster") or {}, config.get("task") or {}
    _require(isinstance(jobs, dict), "its cluster must be a table of jobs")
    _require(isinstance(task, dict), "its task must have a type and an index")
    tasks = _list_tasks(jobs)
    job, index = task.get("type"), _index(task.get("index", 0))
    if job == "evaluator":
        return Cluster(tasks, None)
    if not tasks:
        return None
    _require(bool(task), "it has a cluster, but no task: which of them is this process?")
    if job == "ps":
        raise _no_parameter_servers()
    names = sorted({task.job for task in tasks})
    _require(job in names, f"its task is a {job!r}, but its cluster has only {', '.join(names)}")
    rank = next((n for n, t in enumerate(tasks) if (t.job, t.number) == (job, index)), None)
    count = sum(t.job == job for t in tasks)
    _require(rank is not None, f"its task is {job} {index}, but there are {count}, from 0")
    return Cluster(tasks, rank) if len(tasks) > 1 else None


def _parse(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"TF_CONFIG is not JSON: {error}") from None
    _require(isinstance(config, dict), "it must be a table with cluster and task")
    return config


def _list_tasks(jobs: dict[str, Any]) -> tuple[Task, ...]:
    """Return the tasks of the jobs that train, the first one first."""
    tasks: list[Task] = []
    for job, addresses in jobs.items():
        _require(isinstance(addresses, list), f"its {job!r} must be a list of addresses")
        if not addresses or job == "evaluator":
            continue
        if job == "ps":
            raise _no_parameter_servers()
        _require(
            job in (*FIRST_JOBS, "worker"),
            f"it has a job {job!r}; the jobs are chief (or master), worker and evaluator",
        )
        for index, address in enumerate(addresses):
            found = ADDRESS.fullmatch(address) if isinstance(address, str) else None
            fits = found is not None and 0 < int(found[2]) < 2**16
            _require(fits, f"{address!r} is not an address such as 10.0.0.1:2222")
            tasks.append(Task(job, index, address))
    first = [task for task in tasks if task.job in FIRST_JOBS]
    _require(len(first) <= 1, "there can be only one chief (or master)")
    addresses = [task.address for task in tasks]
    twice = [address for address in addresses if addresses.count(address) > 1]
    _require(not twice, f"two tasks have the address {twice[0] if twice else ''}")
    return (*first, *(task for task in tasks if task not in first))


def _index(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    fits = isinstance(value, int) and not isinstance(value, bool)
    _require(fits, f"the index of its task must be a whole number, not {value!r}")
    return int(value)


def _require(fits: bool, fault: str) -> None:
    if not fits:
        raise UsageError(f"TF_CONFIG is wrong: {fault}")


def _no_parameter_servers() -> UsageError:
    return UsageError(
        "TF_CONFIG has parameter servers (ps), which are not supported: the workers add up their "
        "gradients among themselves; leave ps out of the cluster"
    )
