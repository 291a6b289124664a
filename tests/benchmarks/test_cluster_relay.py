"""The relay, between sockets of this machine."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from benchmarks.cluster.relay import Relay


@contextmanager
def relayed(delay):
    """A relay to a server; yields a connection to the relay, the server's side, the relay."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        relay = Relay([(("127.0.0.1", 0), door.getsockname())], delay)
        thread = threading.Thread(target=relay.run, args=(0.05,), daemon=True)
        thread.start()
        with socket.create_connection(relay.addresses[0], timeout=30) as client:
            server, _ = door.accept()
            server.settimeout(30)
            with server:
                yield client, server, relay
        relay.is_open = False
        thread.join(30)
        assert not thread.is_alive()


def receive_all(connection):
    return b"".join(iter(lambda: connection.recv(2**20), b""))


@pytest.mark.parametrize("delay", [0, 0.03])
def test_everything_arrives_in_order_in_both_directions(delay):
    content = bytes(range(256)) * 40_000  # more than the buffers of the sockets
    with relayed(delay) as (client, server, _):
        for source, target in ((client, server), (server, client)):
            sender = threading.Thread(target=source.sendall, args=(content,), daemon=True)
            sender.start()
            received = b""
            while len(received) < len(content):
                received += target.recv(2**20)
            assert received == content
            sender.join(30)


def test_a_message_takes_the_delay_at_least_each_way():
    with relayed(0.2) as (client, server, _):
        start = time.monotonic()
        client.sendall(b"there")
        assert server.recv(10) == b"there"
        assert time.monotonic() - start >= 0.2
        server.sendall(b"back")
        assert client.recv(10) == b"back"
        assert time.monotonic() - start >= 0.4


def test_a_message_is_received_while_another_one_waits():
    with relayed(60) as (client, _, relay):
        for count in (1, 2):
            client.sendall(b"x")
            while sum(lane.size for lane in relay.lanes) < count:
                time.sleep(0.01)
        (first, _), (second, _) = relay.lanes[0].waiting
        assert 0 < second - first < 60


def test_the_end_of_one_direction_is_passed_on_and_the_other_stays_open():
    with relayed(0.01) as (client, server, _):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert receive_all(server) == b"question"
        server.sendall(b"answer")
        server.close()
        assert receive_all(client) == b"answer"


def test_a_connection_without_a_server_is_closed():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        relay = Relay([(("127.0.0.1", 0), unused.getsockname())], 0)
        thread = threading.Thread(target=relay.run, args=(0.05,), daemon=True)
        thread.start()
        with socket.create_connection(relay.addresses[0], timeout=30) as client:
            assert client.recv(10) == b""
        relay.is_open = False
        thread.join(30)
