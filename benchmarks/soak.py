"""Soak the server: valid and hostile requests at full load, for minutes.

    python -m benchmarks.soak [--minutes 10] [--clients 16]

Serves the reader in the package and the newest finished runs. Clients in this process send, one
request after the other, pictures and images whose answers are known, and requests that must be
refused; one saves corrections, compares and deletes them. Event streams and stalled connections
are open meanwhile. Prints, and writes to benchmarks/results/soak.json and .md: how many of each
were sent, how many were answered wrongly, and the memory of the server as it goes on.
"""

import argparse
import http.client
import json
import random
import socket
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT
from benchmarks.serving import BATCHED, start_server
from mnist_graph import read_data_sets

SAMPLE_SECONDS = 10.0
"""How often the memory of the server is read."""
STREAMS = 100
"""Event streams that are open."""
WARM_UP_SHARE = 0.1
"""The share of the time after which memory should grow no more."""
OWN = {"X-Mnist-Graph": "1"}

Check = Callable[[bytes], bool]


class Case(NamedTuple):
    """A request and what must be answered."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = OWN
    status: int = 200
    check: Check = lambda _: True
    """Whether a body is the right answer."""


def main() -> None:
    """Soak the server and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    process, url = start_server(None, BATCHED)
    try:
        results = soak(url, process.pid, 60 * options.minutes, options.clients)
    finally:
        process.terminate()
        code = process.wait()
    results |= {"machine": machine.describe(), "exit_code": code}
    results |= {"minutes": options.minutes, "clients": options.clients}
    print(json.dumps(results))
    (RESULTS / "soak.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "soak.md").write_text(format_report(results))


def soak(url: str, pid: int, seconds: float, clients: int) -> dict:
    """Return how often each case was sent and answered wrongly, and the memory over time."""
    cases = [_with_answer(url, case) for case in make_cases(_find_networks(url))]
    sent: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    end = time.monotonic() + seconds

    def work(seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < end:
            case = rng.choice(cases)
            status, body = _send(url, case)
            sent[case.name] += 1
            statuses[str(status)] += 1
            if status != case.status or not case.check(body):
                wrong[case.name] += status != 503  # a full queue may say so
                if status not in (case.status, 503):
                    print("wrong:", case.name, status, body[:200], flush=True)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(clients)]
    workers.append(threading.Thread(target=_stall, args=(url, end)))
    workers.append(threading.Thread(target=_correct, args=(url, end, sent, wrong)))
    workers.append(threading.Thread(target=_follow, args=(url, end, sent, wrong)))
    for worker in workers:
        worker.start()
    memory = []
    while time.monotonic() < end:
        memory.append(round(_read_memory(pid), 1))
        time.sleep(min(SAMPLE_SECONDS, max(end - time.monotonic(), 0)))
    for worker in workers:
        worker.join()
    memory.append(round(_read_memory(pid), 1))
    return {
        "requests": sent.total(),
        "sent": dict(sorted(sent.items())),
        "wrong": wrong.total(),
        "statuses": dict(sorted(statuses.items())),
        "memory_mib": memory,
    }


def make_cases(networks: list[str]) -> list[Case]:
    """Return requests of every kind; valid ones are predicted by the networks of single digits."""
    data = read_data_sets().test
    picture = (ROOT / "test_img.png").read_bytes()
    cases = [
        Case("page", "GET", "/", headers={}, check=lambda body: b"mnist_graph" in body),
        Case("healthz", "GET", "/healthz", headers={}, check=lambda body: body == b"ok\n"),
        Case("metrics", "GET", "/metrics", headers={}),
        Case("picture", "POST", "/api/read", picture, check=_reads("2")),
        Case("nearest", "POST", "/api/nearest", data.pixels[1].tobytes()),
        Case("foreign host", "GET", "/", headers={"Host": "evil.example"}, status=421),
        Case("foreign page", "GET", "/api/networks", headers={"Origin": "null"}, status=403),
        Case("no header", "POST", "/api/read", picture, headers={}, status=403),
        Case("bomb", "POST", "/api/read", make_bomb(), status=400),
        Case("noise", "POST", "/api/read", random.Random(0).randbytes(10_000), status=400),
        Case(
            "large",
            "POST",
            "/api/read",
            headers={**OWN, "Content-Length": "9999999999"},
            status=413,
        ),
        Case("no model", "GET", "/v1/models/..%2F..%2Fetc", headers={}, status=404),
        Case("no page", "GET", "/page/..%2f..%2fapp.py", headers={}, status=404),
    ]
    for name in networks:
        path = f"/v1/models/{name}:predict"
        for number in range(3):
            body = {"signature_name": "pixels", "instances": [data.pixels[number].tolist()]}
            cases.append(Case("prediction", "POST", path, json.dumps(body).encode(), {}))
        for broken in (b"{", b'{"instances": [[NaN]]}', b"[" * 5000, b'{"instances": 1e999}'):
            cases.append(Case("broken JSON", "POST", path, broken, {}, 400))
        inside = f"/api/inside?network={name}&label=2"
        cases.append(Case("inside", "POST", inside, data.pixels[1].tobytes()))
    return cases


def _reads(digits: str) -> Check:
    def check(body: bytes) -> bool:
        readings = json.loads(body)["readings"].values()
        return all("".join(str(d["label"]) for d in each["digits"]) == digits for each in readings)

    return check


def _with_answer(url: str, case: Case) -> Case:
    """Return a prediction with a check that it is answered as it is while nothing else is asked."""
    if case.name != "prediction":
        return case
    (expected,) = json.loads(_send(url, case)[1])["predictions"]

    def check(body: bytes) -> bool:
        (found,) = json.loads(body)["predictions"]
        return found["classes"] == expected["classes"] and np.allclose(
            found["probabilities"], expected["probabilities"], atol=1e-5
        )

    return case._replace(check=check)


def make_bomb() -> bytes:
    """Return a PNG file of a few hundred kilobytes that claims 100,000 x 100,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    side = (100_000).to_bytes(4, "big")
    parts = (b"IHDR", side + side + bytes([8, 0, 0, 0, 0])), (b"IDAT", zlib.compress(bytes(2**26)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in (*parts, (b"IEND", b"")))


def _send(url: str, case: Case) -> tuple[int, bytes]:
    """Return the status and the body of the answer; status 0 if there is none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        connection.request(case.method, case.path, case.body or None, case.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError as error:
        return 0, str(error).encode()
    finally:
        connection.close()


def _stall(url: str, end: float) -> None:
    """Open connections that send a byte now and then, twenty at a time."""
    parts = urlsplit(url)
    stalled: list[socket.socket] = []
    while time.monotonic() < end:
        stalled.append(socket.create_connection((str(parts.hostname), parts.port)))
        for each in stalled:
            with suppress(OSError):  # the server has hung up
                each.send(b"G")
        if len(stalled) > 20:
            stalled.pop(0).close()
        time.sleep(0.5)
    for each in stalled:
        each.close()


def _correct(url: str, end: float, sent: Counter[str], wrong: Counter[str]) -> None:
    """Save a correction, compare what was saved, and delete it; again and again."""
    picture = (ROOT / "test_img.png").read_bytes()
    path = "/api/corrections"
    save = Case("", "POST", f"{path}?label=2&read=7&box=0,0,20,20", picture)
    first = None
    while time.monotonic() < end:
        status, body = _send(url, save)
        saved = f"{path}/{json.loads(body)['id']}" if status == 201 else ""
        shown, content = _send(url, Case("", "GET", f"{saved}.png"))
        deleted, _ = _send(url, Case("", "DELETE", saved))
        gone, _ = _send(url, Case("", "GET", f"{saved}.png"))
        first = first or content
        sent["correction"] += 4
        wrong["correction"] += (shown, deleted, gone, content) != (200, 200, 404, first)


def _follow(url: str, end: float, sent: Counter[str], wrong: Counter[str]) -> None:
    """Keep event streams open, each of which must begin with an event; open the oldest anew."""
    parts = urlsplit(url)
    streams: deque[socket.socket] = deque()
    request = f"GET /api/training/events HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    while time.monotonic() < end:
        stream = socket.create_connection((str(parts.hostname), parts.port), timeout=60)
        stream.sendall(request)
        began = b""
        while b"data: " not in began and (more := stream.recv(4096)):
            began += more
        sent["event stream"] += 1
        wrong["event stream"] += b"data: " not in began
        streams.append(stream)
        if len(streams) > STREAMS:
            streams.popleft().close()
            time.sleep(0.1)
    for each in streams:
        each.close()


def _find_networks(url: str) -> list[str]:
    """Return the names of the networks of single digits."""
    _, body = _send(url, Case("networks", "GET", "/api/networks", headers={}))
    return [each["name"] for each in json.loads(body)["networks"] if each["reads"] == "digits"]


def _read_memory(pid: int) -> float:
    """Return the memory that a process holds, in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def format_report(results: dict) -> str:
    """Return the report of `results`, in Markdown."""
    memory = results["memory_mib"]
    start = max(1, round(len(memory) * WARM_UP_SHARE))
    lines = [
        "# Soak",
        "",
        f"{results['minutes']:g} minutes, {results['clients']} clients that send one request after "
        f"the other, one that saves and deletes corrections, {STREAMS} event streams and twenty "
        f"stalled connections, on {machine.summarize(results['machine'])}; "
        "clients and server share the cores. One run.",
        "Reproduce: `python -m benchmarks.soak`.",
        "",
        f"- Requests: {results['requests']:,}; wrong answers: {results['wrong']:,}; "
        f"exit code after SIGTERM: {results['exit_code']}",
        "- Statuses: " + ", ".join(f"{key}: {n:,}" for key, n in results["statuses"].items()),
        f"- Memory, MiB: {memory[0]:.0f} at first, {memory[start]:.0f} after a tenth of the time, "
        f"at most {max(memory[start:]):.0f} since, {memory[-1]:.0f} at the end",
        "",
        "| request | sent |",
        "| --- | --- |",
        *(f"| {name} | {count:,} |" for name, count in results["sent"].items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
