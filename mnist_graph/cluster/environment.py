"""What a cluster says of this task in environment variables, as TF_CONFIG.

TF_CONFIG itself comes from Kubeflow's TFJob, Vertex AI or a person. Without one, it is derived from
Vertex AI's CLUSTER_SPEC, from the index of a Kubernetes Indexed Job, or from Slurm. Only Python's
standard library is needed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_graph.cluster.slurm import expand_counts, expand_hosts
from mnist_graph.errors import UsageError

Environment = Mapping[str, str]

PORT = 2222
"""The port of every task where each has a host of its own: TensorFlow's customary one."""
SLURM_PORTS = range(20_000, 32_000)
"""The ports of Slurm's tasks: below those that Linux gives to outgoing connections."""
TASKS_PER_NODE = 12
"""Slurm's jobs whose numbers follow each other are given ports this far apart."""
WAIT_SECONDS = 600
"""How long to wait for the names of the other tasks: enough for a node that is started for them and
loads the image."""
VERTEX_POOLS = {"workerpool0": "chief", "workerpool1": "worker"}
"""What Vertex AI's worker pools are in TF_CONFIG."""


def tf_config(environment: Environment) -> str | None:
    """Return the TF_CONFIG of this task, or None outside of a cluster. One that is set already is
    returned as it is.

    Raises UsageError for variables that are missing, invalid or contradict each other.
    """
    if environment.get("TF_CONFIG"):
        return environment["TF_CONFIG"]
    for variable, derive in (
        ("CLUSTER_SPEC", _from_vertex),
        ("JOB_COMPLETION_INDEX", _from_kubernetes),
        ("MNIST_GRAPH_WORKERS", _from_kubernetes),
        ("SLURM_PROCID", _from_slurm),
    ):
        if environment.get(variable):
            return json.dumps(derive(environment))
    return None


def wait_seconds(environment: Environment) -> int:
    """Return how many seconds to wait for the names of the other tasks: MNIST_GRAPH_WAIT."""
    return _number(environment, "MNIST_GRAPH_WAIT", WAIT_SECONDS)


def _from_vertex(environment: Environment) -> dict[str, Any]:
    """Return the TF_CONFIG of a replica of a Vertex AI custom job."""
    try:
        spec = json.loads(environment["CLUSTER_SPEC"])
        pools, task = dict(spec["cluster"]), spec["task"]
        pool, index = task["type"], task["index"]
        used = {name: [str(each) for each in hosts] for name, hosts in pools.items() if hosts}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"CLUSTER_SPEC is not as Vertex AI sets it ({error!r})") from None
    if others := sorted(name for name in {*used, pool} if name not in VERTEX_POOLS):
        raise UsageError(
            f"the training has no use for {', '.join(others)}: parameter servers and evaluators "
            "are not supported; give the job the worker pools 0 and 1 alone"
        )
    cluster = {VERTEX_POOLS[name]: hosts for name, hosts in used.items()}
    return {"cluster": cluster, "task": {"type": VERTEX_POOLS[pool], "index": index}}


def _from_kubernetes(environment: Environment) -> dict[str, Any]:
    """Return the TF_CONFIG of a pod of an Indexed Job, whose headless Service gives each pod the
    name JOB-INDEX.SERVICE.
    """
    if not environment.get("JOB_COMPLETION_INDEX"):
        raise UsageError(
            "JOB_COMPLETION_INDEX is not set; the Kubernetes Job needs completionMode: Indexed"
        )
    workers = _number(environment, "MNIST_GRAPH_WORKERS")
    index = _number(environment, "JOB_COMPLETION_INDEX")
    if index >= workers:
        raise UsageError(
            f"JOB_COMPLETION_INDEX is {index}, but MNIST_GRAPH_WORKERS is {workers}; it has to be "
            "the Job's completions and parallelism"
        )
    job, service = _text(environment, "MNIST_GRAPH_JOB"), _text(environment, "MNIST_GRAPH_SERVICE")
    port = _port(environment, PORT)
    return _workers([f"{job}-{each}.{service}:{port}" for each in range(workers)], index)


def _from_slurm(environment: Environment) -> dict[str, Any]:
    """Return the TF_CONFIG of a task that srun has started; tasks of one node have ports that
    follow each other.
    """
    rank, tasks = _number(environment, "SLURM_PROCID"), _number(environment, "SLURM_NTASKS", 1)
    if tasks > 1 and not environment.get("SLURM_STEP_ID"):
        raise UsageError(f"this is one process of a job of {tasks} tasks; start it with srun")
    nodes = expand_hosts(_of_step(environment, "NODELIST", "SLURM_JOB_NODELIST"))
    counts = expand_counts(_of_step(environment, "TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"))
    if len(nodes) != len(counts) or sum(counts) != tasks or rank >= tasks:
        raise UsageError(
            f"Slurm's variables contradict each other: task {rank} of {tasks}, "
            f"{sum(counts)} tasks on {len(counts)} of {len(nodes)} nodes"
        )
    places = [(node, local) for node, count in enumerate(counts) for local in range(count)]
    own = (
        _number(environment, "SLURM_NODEID", places[rank][0]),
        _number(environment, "SLURM_LOCALID", places[rank][1]),
    )
    if own != places[rank]:
        raise UsageError(
            f"task {rank} is on node {own[0]}, not {places[rank][0]}; give srun "
            "--distribution=block"
        )
    first = _port(environment, _slurm_port(_number(environment, "SLURM_JOB_ID", 0)))
    return _workers([f"{nodes[node]}:{first + local}" for node, local in places], rank)


def _of_step(environment: Environment, name: str, of_job: str) -> str:
    """Return a variable of the job step; older versions of Slurm have only that of the job."""
    return environment.get(f"SLURM_STEP_{name}") or _text(environment, of_job)


def _slurm_port(job: int) -> int:
    """Return the first port of a job, so that jobs which share a node have different ones."""
    return SLURM_PORTS[job * TASKS_PER_NODE % len(SLURM_PORTS)]


def _workers(addresses: Sequence[str], index: int) -> dict[str, Any]:
    """Return the TF_CONFIG of worker `index` at these addresses."""
    return {"cluster": {"worker": [*addresses]}, "task": {"type": "worker", "index": index}}


def _port(environment: Environment, default: int) -> int:
    """Return MNIST_GRAPH_PORT, a port, or the default."""
    port = _number(environment, "MNIST_GRAPH_PORT", default)
    if not 1 <= port <= 65_535:
        raise UsageError(f"MNIST_GRAPH_PORT is {port}; a port is between 1 and 65535")
    return port


def _text(environment: Environment, name: str) -> str:
    """Return a variable. Raises UsageError if it is not set, or empty."""
    if not environment.get(name):
        raise UsageError(f"the environment variable {name} is not set; see docs/cluster.md")
    return environment[name]


def _number(environment: Environment, name: str, default: int | None = None) -> int:
    """Return a variable that is a whole number from 0, or the default where it is not set."""
    if default is not None and not environment.get(name):
        return default
    text = _text(environment, name)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError(f"the environment variable {name} is {text!r}, not a whole number")
    return int(text)
