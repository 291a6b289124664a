"""The port of a task answers on the task's own address."""

import socket
import sys

import pytest

from mnist_graph.cluster.listening import listen, own_address, restrict
from mnist_graph.cluster.tf_config import Cluster, Task
from mnist_graph.errors import MnistGraphError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")


def answers(address, port):
    try:
        socket.create_connection((address, port), 0.5).close()
    except OSError:
        return False
    return True


@LINUX
@pytest.mark.parametrize("dual", [False, True])
def test_a_restricted_port_answers_on_one_address_only(dual):
    family, everywhere = (socket.AF_INET6, "::") if dual else (socket.AF_INET, "")
    with socket.socket(family) as opened:
        if dual:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.bind((everywhere, 0))
        opened.listen()
        port = opened.getsockname()[1]
        addresses = ("127.0.0.1", "127.0.0.2", "::1") if dual else ("127.0.0.1", "127.0.0.2")
        assert all(answers(address, port) for address in addresses)
        for chosen in addresses:
            assert restrict(port, chosen)
            assert [address for address in addresses if answers(address, port)] == [chosen]


def test_a_port_in_use_is_refused_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        task = Task("worker", 1, f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(MnistGraphError, match=r"worker 1 \(127.* cannot listen .* in use"):
            listen(task, "127.0.0.1")


@pytest.mark.parametrize(
    ("addresses", "own"),
    [
        (["127.0.0.1:1", "127.0.0.1:2"], "127.0.0.1"),
        (["127.0.0.1:1", "192.0.2.1:2"], None),  # as in Debian's /etc/hosts
        (["192.0.2.1:1", "192.0.2.2:2"], None),  # the address of a router
        (["no-such-host.invalid:1", "127.0.0.1:2"], None),
    ],
)
def test_an_address_that_is_not_surely_the_tasks_own_is_not_used(addresses, own):
    tasks = tuple(Task("worker", n, address) for n, address in enumerate(addresses))
    assert own_address(Cluster(tasks, 0)) == own
