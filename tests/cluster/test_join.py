"""The meeting of all tasks before training, between threads of this process."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mnist_graph import recipes
from mnist_graph.cluster.join import _meet as meet
from mnist_graph.cluster.join import _report as report
from mnist_graph.cluster.launch import free_ports
from mnist_graph.cluster.tf_config import Cluster, Task
from mnist_graph.errors import MnistGraphError

RECIPE = recipes["softmax"]
FACTS = {"its version of tensorflow": "2.21.0", "recipe": RECIPE.to_json(), "data": {"a": "b"}}


def connect(port):
    """Connect to a port of this machine as soon as something listens on it."""
    end = time.monotonic() + 5
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def tell(*changes, timeout=5.0, count=None, strangers=()):
    """Let a first task and others with these changes of the facts meet; return what each says."""
    count = 1 + len(changes) if count is None else count
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    tasks = tuple(Task("worker", number, address) for number, address in enumerate(addresses))
    facts = {**FACTS, "tasks": [list(task) for task in tasks]}

    def come(rank):
        cluster = Cluster(tasks, rank)
        try:
            if rank == 0:
                for channel in meet(cluster, facts, timeout, "127.0.0.1").values():
                    channel.close()
            else:
                report(cluster, {**facts, **changes[rank - 1]}, timeout, "127.0.0.1").close()
        except MnistGraphError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(count + 1) as threads:
        said = [threads.submit(come, 0)]
        for sent in strangers:
            with connect(tasks[0].port) as stranger:
                stranger.sendall(sent)
        said += [threads.submit(come, rank) for rank in range(1, 1 + len(changes))]
        return [each.result() for each in said]


def test_tasks_with_the_same_facts_meet():
    assert tell({}, {}, {}) == [None] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"its version of tensorflow": "2.20.0"},
            "its version of tensorflow is 2.20.0, not 2.21.0",
        ),
        ({"recipe": RECIPE.override(seed=5).to_json()}, "seed is 5, not 0"),
        ({"recipe": {"seed": 5}}, "its recipe lacks"),
        ({"data": {"a": "c"}}, "its data has another SHA-256"),
        ({"tasks": [["worker", 0, "10.0.0.1:1"]]}, "the TF_CONFIG of a task has 10.0.0.1:1"),
    ],
)
def test_all_are_told_how_one_differs(change, said):
    first, *others = tell({}, change)
    assert said in first
    assert others == [first, first]


def test_all_are_told_which_task_did_not_come():
    first, *others = tell({}, timeout=1.0, count=3)
    assert first.startswith("worker 2 (127.0.0.1:")
    assert first.endswith(") did not come within 1 seconds")
    assert others == [first]


def test_others_that_try_the_port_are_ignored():
    strangers = [b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"rank": 1}\n', b"\xff" * 2**10, b""]
    assert tell({}, strangers=strangers) == [None, None]


def test_a_first_task_that_is_another_program_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        tasks = (Task("chief", 0, address), Task("worker", 0, f"127.0.0.1:{free_ports(1)[0]}"))

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with ThreadPoolExecutor(1) as threads:
            threads.submit(answer)
            with pytest.raises(MnistGraphError, match=r"the chief \(.*\) has ended, or is another"):
                report(Cluster(tasks, 1), {**FACTS, "tasks": []}, 5.0, None)


def test_a_first_task_that_is_not_there_is_named():
    tasks = tuple(Task("worker", n, f"127.0.0.1:{port}") for n, port in enumerate(free_ports(2)))
    with pytest.raises(MnistGraphError, match=r"worker 0 .* cannot be reached within 1 seconds"):
        report(Cluster(tasks, 1), {**FACTS, "tasks": []}, 1.0, None)
