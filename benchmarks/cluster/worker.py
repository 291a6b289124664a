"""One task of a measurement: `python -m benchmarks.cluster.worker EXPERIMENTS`, with TF_CONFIG.

EXPERIMENTS is a JSON list of objects:

    {"kind": "call"}                                      a session call that does nothing
    {"kind": "sums", "words": 250, "chain": 4, "way": "ring"}    float32 vectors added up, in turn
    {"kind": "steps", "model": "cnn", "plan": "exchanged"}       training steps of a recipe

Vectors are summed in a ring or in rounds, or gathered ("way"). Steps take the worker's share of
each batch. Their "plan" is how gradients are added up (PLANS); "workers" is how many share the
batch (default: as many as there are); with "sleep_ms", computing is replaced by waiting so long,
while what is sent stays: "sendings" lists ways and sizes in bytes. Every experiment is repeated
"times" times. The plan "alone" sends nothing; only the first task computes it.

The first task prints a JSON list: for each experiment the seconds of every session call, the steps
per call, the bytes that were received and sent per step (headers included), the features, units and
bytes of a number of each dense layer, the bytes of the vectors that are summed in a step, and
whether the last of them is the first layer's.
"""

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mnist_graph.cli.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow.compat.v1 as tf1  # noqa: E402

from benchmarks.cluster.model import TURNS  # noqa: E402
from mnist_graph import read_data_sets, recipes  # noqa: E402
from mnist_graph.cluster.reach import find_unreachable  # noqa: E402
from mnist_graph.cluster.server import Server  # noqa: E402
from mnist_graph.cluster.tf_config import Cluster, read_tf_config  # noqa: E402
from mnist_graph.data.batches import training_batches  # noqa: E402
from mnist_graph.graph.build import build_graph  # noqa: E402
from mnist_graph.graph.collectives import Collectives  # noqa: E402
from mnist_graph.graph.multistep import add_multistep  # noqa: E402
from mnist_graph.graph.sessions import choose_device  # noqa: E402
from mnist_graph.graph.share import Share  # noqa: E402

WARM_UP = 2
"""Calls before those that are measured; in the first ones, the tasks connect."""
TRACED = 5
"""Steps that are traced."""
STEPS_PER_CALL = 4
"""Of recipes that take several steps per session call."""
NUMBERS = itertools.count(1)
"""The numbers of the sums: one server remembers those of all graphs."""
COUNTERS = "/sys/class/net/eth0/statistics/{}_bytes"


class Recorded(Collectives):
    """Collectives that record the bytes of each vector that is summed."""

    def __init__(self, index: int, count: int) -> None:
        super().__init__(index, count, NUMBERS)
        self.summed: list[int] = []

    def sum(self, vector: tf.Tensor) -> tf.Tensor:
        self.summed.append(vector.shape.num_elements() * vector.dtype.size)
        return super().sum(vector)

    def repeat(self, vector: tf.Tensor, way: str) -> tf.Tensor:
        """Sum a vector in a ring or in rounds, or gather it as one row of each process."""
        if way == "gather":
            return self.gather(vector[tf.newaxis])
        return self.sum_in_ring(vector) if way == "ring" else self.sum_in_rounds(vector)


class Silent(Recorded):
    """Sends nothing, and returns a process's own vectors in place of the sums."""

    def sum_in_rounds(self, vector: tf.Tensor) -> tf.Tensor:
        return tf.identity(vector)

    sum_in_ring = sum_in_rounds


class Exchanged(Share):
    """A share that records its dense layers."""

    def __init__(self, index: int, count: int, batch_size: int) -> None:
        super().__init__(index, count, batch_size)
        self.collectives: Recorded = Recorded(index, count)
        self.dense: dict[str, tuple[int, int, int]] = {}
        """Features, units, and the bytes of a number, by the name of the weights."""
        self.has_late = False
        """Whether the last vector that is summed is that of the first layer alone."""

    def multiply(self, inputs: tf.Tensor, weights: tf.Tensor, name: str) -> tf.Tensor:
        if inputs.shape.rank == 2:
            self.dense[name] = (*weights.shape.as_list(), inputs.dtype.size)
        return super().multiply(inputs, weights, name)

    def _list_late(self, names: Sequence[str]) -> list[str]:
        self.has_late = True
        return super()._list_late(names)


class Summed(Exchanged):
    """Sums every gradient, those of dense layers too."""

    def _exchanges(self, features: int, units: int, size: int) -> bool:
        return False


class Alone(Summed):
    """A share that is computed as in a cluster, but nothing is sent."""

    def __init__(self, index: int, count: int, batch_size: int) -> None:
        super().__init__(index, count, batch_size)
        self.collectives = Silent(index, count)

    def _list_late(self, names: Sequence[str]) -> list[str]:
        # A dense layer that comes first is assumed to be exchanged, as in all MODELS.
        return [] if names[0] in self.dense else super()._list_late(names)


class Together(Exchanged):
    """Sums the first layer's gradients together with the others."""

    def _list_late(self, names: Sequence[str]) -> list[str]:
        return []


class Late(Exchanged):
    """Sends nothing before the whole backward pass is done."""

    def add_up(
        self, gradients: Sequence[tf.Tensor], names: Sequence[str], *others: tf.Tensor
    ) -> list[tf.Tensor]:
        with tf.control_dependencies([*gradients]):
            return super().add_up([tf.identity(each) for each in gradients], names, *others)


class Halved(Exchanged):
    """Sums gradients in bfloat16: half of the bytes."""

    def totals(self, parts: Sequence[tf.Tensor], name: str = "totals") -> list[tf.Tensor]:
        halves = [tf.cast(part, tf.bfloat16) for part in parts]
        return [tf.cast(total, tf.float32) for total in super().totals(halves, name)]


PLANS: dict[str, type[Exchanged]] = {
    "exchanged": Exchanged,
    "together": Together,
    "alone": Alone,
    "late": Late,
    "summed": Summed,
    "bfloat16": Halved,
}


class Experiment:
    """A session call to be measured."""

    def __init__(self, session: tf1.Session, call: Callable[[], Any], steps: int = 1) -> None:
        self.session, self.call, self.steps = session, call, steps
        self.summed: list[int] = []
        self.dense: list[tuple[int, int, int]] = []
        self.has_late = False
        self.moments: dict[str, float] = {}
        """When in a step something happens, as shares of its time; see `_find_moments`."""
        self.seconds: list[float] = []
        self.moved = np.zeros(2)
        """Bytes received and sent."""

    def measure(self, times: int) -> None:
        """Call it again and again."""
        for _ in range(WARM_UP):
            self.call()
        before = _count_bytes()
        for _ in range(times):
            start = time.perf_counter()
            self.call()
            self.seconds.append(time.perf_counter() - start)
        self.moved += _count_bytes() - before

    def result(self) -> dict[str, Any]:
        """Return what has been measured."""
        received, sent = map(float, self.moved / (len(self.seconds) * self.steps))
        moved = {"received": received, "sent": sent}
        sizes = {"summed": self.summed, "has_late": self.has_late, "dense": self.dense}
        shape = {"steps": self.steps, "moments": self.moments}
        return {"seconds": self.seconds, **shape, **sizes, **moved}


def _count_bytes() -> np.ndarray:
    paths = [Path(COUNTERS.format(direction)) for direction in ("rx", "tx")]
    return np.array([int(path.read_text()) for path in paths])


class Worker:
    """A task, with its server once all tasks have theirs."""

    def __init__(self, cluster: Cluster) -> None:
        assert cluster.rank is not None
        self.cluster, self.rank, self.count = cluster, cluster.rank, len(cluster.tasks)
        self.device, _ = choose_device(recipes["cnn"], "cpu")
        self.server = Server(cluster, self.device, "cnn", None)
        # Recipes have variables of the same names and other shapes.
        self.server.config.isolate_session_state = True
        while find_unreachable(cluster, 1.0):
            time.sleep(0.1)

    def prepare(self, what: dict[str, Any]) -> Experiment:
        """Build the graph of an experiment."""
        if what["kind"] == "call":
            return self._fetch(tf.no_op)
        if what["kind"] == "sums":
            return self._fetch(lambda: self._chain(what["words"], what["chain"], what["way"]))
        if what.get("sleep_ms") is not None:
            return self._sleeping(what)
        return self._training(what)

    def _fetch(self, build: Callable[[], tf.Operation]) -> Experiment:
        with tf.Graph().as_default() as graph:
            fetched, initialize = build(), tf1.global_variables_initializer()
        session = self.server.open_session(graph)
        session.run(initialize)
        return Experiment(session, session.make_callable(fetched))

    def _chain(self, words: int, chain: int, way: str) -> tf.Operation:
        collectives = Recorded(self.rank, self.count)
        vector = tf1.get_variable("vector", [words], tf.float32, tf1.ones_initializer())
        total = vector
        for _ in range(chain):
            with tf.control_dependencies([total]):
                total = collectives.repeat(tf.identity(vector), way)
        return tf.group(total)

    def _sleeping(self, what: dict[str, Any]) -> Experiment:
        """Return steps that sleep, in equal parts, before each vector that is sent."""
        collectives = Recorded(self.rank, self.count)
        part = what["sleep_ms"] / 1000 / len(what["sendings"])
        is_alone = what["plan"] == "alone"

        def sleep() -> np.ndarray:
            time.sleep(part)
            return np.zeros(0, np.float32)

        def build() -> tf.Operation:
            total: tf.Tensor | None = None
            for number, (way, size) in enumerate(what["sendings"]):
                name, shape = f"vector{number}", [size // 4]
                vector = tf1.get_variable(name, shape, tf.float32, tf1.ones_initializer())
                with tf.control_dependencies([] if total is None else [total]):
                    slept = tf.numpy_function(sleep, [], tf.float32)
                with tf.control_dependencies([slept]):
                    copied = tf.identity(vector)
                    total = copied if is_alone else collectives.repeat(copied, way)
            return tf.group(total)

        return self._fetch(build)

    def _training(self, what: dict[str, Any]) -> Experiment:
        _, recipe = choose_device(recipes[what["model"]], "cpu")
        data = read_data_sets(validation_size=recipe.validation_size)
        share = PLANS[what["plan"]](self.rank, what.get("workers", self.count), recipe.batch_size)
        graph = build_graph(recipe, data.image_shape, data.classes)
        multistep = add_multistep(graph, recipe, share)
        session = self.server.open_session(graph.graph)
        session.run(graph.initialize)
        steps = 1 if multistep.takes_one else STEPS_PER_CALL
        take_steps = session.make_callable(
            multistep.losses,
            [multistep.pixels, multistep.labels, multistep.keep_prob, multistep.steps],
        )
        ranges = [range(steps)]
        ((_, (pixels, labels)),) = training_batches(
            data, recipe, recipe.reads_strips, ranges, share.rows
        )
        feeds = (pixels, labels, np.float32(recipe.fed_keep_prob), steps)
        made = Experiment(session, lambda: take_steps(*feeds), steps)
        made.summed, made.dense = share.collectives.summed, list(share.dense.values())
        made.has_late = share.has_late
        if what["plan"] == "alone":
            one = (*(each[: share.size] for each in feeds[:2]), feeds[2], 1)
            made.moments = _find_moments(lambda **traced: take_steps(*one, **traced))
        return made


def _find_moments(take_step: Callable[..., Any]) -> dict[str, float]:
    """Trace steps, and return when all factors of dense layers are known ("factors"), when all
    gradients but the first layer's are ("early"), when these are too ("gradients"), and how long
    Adam then takes for dense layers ("adam"), as shares of the step's time: medians.
    """
    found = []
    for number in range(WARM_UP + TRACED):
        trace = tf1.RunMetadata()
        options = tf1.RunOptions(trace_level=tf1.RunOptions.FULL_TRACE)
        take_step(options=options, run_metadata=trace)
        if number < WARM_UP:
            continue
        nodes = [node for device in trace.step_stats.dev_stats for node in device.node_stats]
        starts = [node.all_start_micros for node in nodes]
        begin = min(starts)
        seconds = max(s + n.all_end_rel_micros for s, n in zip(starts, nodes, strict=True)) - begin

        def find(*words: str) -> list[Any]:
            said = [(node, f"{node.node_name} {node.timeline_label}") for node in nodes]  # noqa: B023
            return [node for node, text in said if all(word in text for word in words)]

        products = [node.all_start_micros for node in find("dense1/MatMul_grad")]
        early, gradients = (
            max(node.all_start_micros for node in find("ConcatV2", name)) for name in ("early", "")
        )
        adam = sum(node.all_end_rel_micros for node in find("ResourceApplyAdam", "dense"))
        known = (min(products, default=begin + seconds), early, gradients)
        found.append([*((each - begin) / seconds for each in known), adam / seconds])
    names = ("factors", "early", "gradients", "adam")
    return dict(zip(names, np.median(found, axis=0), strict=True))


def main() -> None:
    cluster = read_tf_config(os.environ["TF_CONFIG"])
    assert cluster is not None
    worker = Worker(cluster)
    experiments = json.loads(sys.argv[1])
    own = [what for what in experiments if worker.rank == 0 or what.get("plan") != "alone"]
    prepared = [worker.prepare(what) for what in own]
    for _ in range(TURNS):
        for what, experiment in zip(own, prepared, strict=True):
            experiment.measure(-(-what["times"] // TURNS))
    if worker.rank == 0:
        print(json.dumps([experiment.result() for experiment in prepared]), flush=True)
    signal.pause()  # others may still receive from this task


if __name__ == "__main__":
    main()
