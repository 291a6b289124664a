"""A machine with several devices: one process for each. Logical CPUs stand in for GPUs."""

import pytest
from clusters import Tasks, distance
from helpers import run_main

PLACED = """
import sys
from mnist_graph.cli.quiet import import_tensorflow
import_tensorflow()
import tensorflow as tf
from mnist_graph.cli import run
from mnist_graph.cluster import server

plain = server.session_config
graphs = []

def with_logical_cpus(*arguments):
    config = plain(*arguments)
    config.device_count["CPU"] = 3
    return config

class Placed(tf.Graph):
    def __init__(self):
        super().__init__()
        self.place = self.device("/cpu:{device}")
        self.place.__enter__()
        graphs.append(self)

server.session_config = with_logical_cpus
tf.Graph = Placed
try:
    run()
finally:
    sums = {"CollectiveReduce", "CollectiveGather"}
    places = {op.device for graph in graphs for op in graph.get_operations() if op.type in sums}
    print(*sorted(places), file=sys.stderr)
"""


@pytest.mark.slow
def test_each_process_of_a_machine_trains_on_a_device_of_its_own(tmp_path):
    words = ("--model", "cnn", "--iterations", 20, "--set", "precision=float32", "--quiet")
    code = {rank: PLACED.replace("{device}", str(rank + 1)) for rank in range(2)}
    with Tasks(tmp_path, 2, (*words, "--run-dir", "many"), code=code) as tasks:
        outcomes = tasks.outcomes()
    for rank, outcome in enumerate(outcomes):
        assert outcome.code == 0, outcome.err
        assert outcome.err.splitlines()[-1] == f"/device:CPU:{rank + 1}"
    assert run_main(tmp_path, *words, "--run-dir", "one").code == 0
    assert distance(tmp_path / "one", tmp_path / "many") < 1e-3
