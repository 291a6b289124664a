"""Which tasks cannot be reached from this one."""

import socket
from concurrent.futures import ThreadPoolExecutor

from mnist_graph.cluster.tf_config import Cluster


def find_unreachable(cluster: Cluster, seconds: float) -> list[int]:
    """Return the ranks of the tasks whose ports cannot be connected to within `seconds`."""

    def is_unreachable(rank: int) -> bool:
        task = cluster.tasks[rank]
        try:
            socket.create_connection((task.host, task.port), seconds).close()
        except OSError:
            return True
        return False

    others = [rank for rank in range(len(cluster.tasks)) if rank != cluster.rank]
    with ThreadPoolExecutor(len(others)) as threads:
        found = threads.map(is_unreachable, others)
        return [rank for rank, unreachable in zip(others, found, strict=True) if unreachable]
