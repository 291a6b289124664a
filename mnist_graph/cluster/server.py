"""TensorFlow's server, by which the tasks add up their gradients, and the session in it."""

import os

import tensorflow as tf
import tensorflow.compat.v1 as tf1
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

from mnist_graph.cluster.listening import cannot_listen, restrict
from mnist_graph.cluster.tf_config import Cluster
from mnist_graph.graph.sessions import Device, session_config

UNPROXIED = "no_grpc_proxy"
"""The environment variable with the hosts that gRPC connects to directly."""
JOB = "worker"
"""What TensorFlow calls all tasks, whatever TF_CONFIG calls them: the first is number 0."""


class Server:
    """The server of this task. It answers on `address` alone if that is given and possible.

    Raises MnistGraphError if the port is in use.
    """

    def __init__(self, cluster: Cluster, device: Device, network: str, address: str | None) -> None:
        neighbours = cluster.neighbours
        config = session_config(device, network, len(neighbours))
        config.use_per_session_threads = False  # not supported here
        # Fuses bfloat16 convolutions into operations that a server's session has no kernels for.
        config.graph_options.rewrite_options.remapping = RewriterConfig.OFF
        config.experimental.collective_group_leader = f"/job:{JOB}/replica:0/task:0"
        config.device_filters.append(f"/job:{JOB}/task:{cluster.rank}")
        if device.kind == "gpu":  # pragma: no cover - needs GPUs
            gpus = len(tf.config.list_physical_devices("GPU"))
            own = choose_gpu(cluster, gpus)
            config.gpu_options.visible_device_list = str(own)
            # NVIDIA's NCCL adds up on GPUs, unless two processes share one.
            config.experimental.collective_nccl = len(neighbours) <= gpus
        self.config = config
        _bypass_proxies(cluster)
        tasks = tf.train.ClusterSpec({JOB: cluster.addresses})
        try:
            self.server = tf.distribute.Server(tasks, JOB, cluster.rank, config=config)
        except tf.errors.OpError as error:
            raise cannot_listen(cluster.task, error) from error
        if address is not None:
            restrict(cluster.task.port, address)

    def open_session(self, graph: tf.Graph) -> tf1.Session:
        """Open a session for `graph` on this task's own device."""
        return tf1.Session(self.server.target, graph, self.config)


def _bypass_proxies(cluster: Cluster) -> None:
    """Have gRPC connect to the tasks directly, also where http_proxy is set."""
    before = os.environ.get(UNPROXIED) or os.environ.get("no_proxy", "")
    hosts = [*filter(None, before.split(",")), *(task.host for task in cluster.tasks)]
    os.environ[UNPROXIED] = ",".join(dict.fromkeys(hosts))


def choose_gpu(cluster: Cluster, count: int) -> int:
    """Return which of the `count` GPUs of its machine this task uses: the tasks of a machine take
    turns.
    """
    assert cluster.rank is not None
    return cluster.neighbours.index(cluster.rank) % max(1, count)
