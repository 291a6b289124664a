"""How fast a link between two hosts is for plain TCP: round trips and bandwidth.

python -m benchmarks.cluster.link serve 10.77.0.2:2223
python -m benchmarks.cluster.link measure 10.77.0.2:2223
"""

import json
import socket
import subprocess
import sys
import time
from statistics import median

from benchmarks.cluster.hosts import Network

TRIPS, TRIP, END = 200, b"t", b"e"
VOLUME = 64 * 2**20
"""Bytes that are sent to measure the bandwidth."""


def measure_link(network: Network) -> dict[str, float]:
    """Return the median round trip in ms and the Gbit/s between the first two hosts."""
    first, second = network.hosts[:2]
    command = [sys.executable, "-m", "benchmarks.cluster.link"]
    words = [*command, "serve", second.address]
    server = second.start(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    client = first.start([*command, "measure", second.address], stdout=subprocess.PIPE, text=True)
    out, _ = client.communicate(timeout=120)
    server.kill()
    return json.loads(out)


def serve(door: socket.socket) -> None:
    """Send each trip back, and an answer at the end of what is sent in bulk; for one client."""
    connection, _ = door.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while chunk := connection.recv(2**20):
            if chunk == TRIP or chunk.endswith(END):
                connection.sendall(TRIP)


def measure(host: str, port: int) -> dict[str, float]:
    """Return what `measure_link` does."""
    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times = []
        for _ in range(TRIPS):
            start = time.perf_counter()
            connection.sendall(TRIP)
            connection.recv(1)
            times.append(time.perf_counter() - start)
        content = bytes(VOLUME - 1) + END
        start = time.perf_counter()
        connection.sendall(content)
        connection.recv(1)
        seconds = time.perf_counter() - start
    return {"trip_ms": 1000 * median(times), "gbit": 8 * VOLUME / seconds / 1e9}


def main() -> None:
    host, _, port = sys.argv[2].rpartition(":")
    if sys.argv[1] == "serve":
        door = socket.create_server((host, int(port)))
        print("ready", flush=True)
        serve(door)
    else:
        print(json.dumps(measure(host, int(port))))


if __name__ == "__main__":
    main()
