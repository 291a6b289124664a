"""The server as it runs: at the command line, with signals, and with hostile clients."""

import asyncio
import http.client
import json
import shutil
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from helpers import assert_refused, start_command
from servers import OWN, start_server, stop_server

from mnist_graph.cli import serve
from mnist_graph.serving.server import listen


def connect(url):
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)


def ask_server(url, method, path, body=None, headers=OWN):
    connection = connect(url)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.slow
def test_it_answers_and_stops(trained, picture):
    process, url = start_server(trained("mlp").cwd, "--model", "mlp")
    status, body = ask_server(url, "GET", "/api/networks")
    assert status == 200
    assert [each["name"] for each in json.loads(body)["networks"]] == ["mlp"]
    waiting = connect(url)  # a request that is under way when the signal comes
    waiting.putrequest("POST", "/api/read")
    waiting.putheader("Content-Length", str(len(picture)))
    waiting.putheader("X-Mnist-Graph", "1")
    waiting.endheaders(picture[:10])
    time.sleep(0.3)
    stopped = []
    thread = threading.Thread(target=lambda: stopped.append(stop_server(process)))
    thread.start()
    time.sleep(0.5)
    waiting.send(picture[10:])
    answer = waiting.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["readings"]["mlp"]["digits"]
    waiting.close()
    thread.join()
    assert stopped == [(0, "", "")]


@pytest.mark.slow
def test_a_body_of_a_gigabyte(server):
    for headers in ({"Content-Length": str(2**30)}, {"Transfer-Encoding": "chunked"}):
        connection = connect(server.url)
        connection.putrequest("POST", "/api/read")
        for name, value in {**OWN, **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        chunk = bytes(2**20)
        try:
            for _ in range(2**10):
                framed = b"%x\r\n%s\r\n" % (len(chunk), chunk)
                connection.send(chunk if "Content-Length" in headers else framed)
        except OSError:
            pass  # the server hung up, as it should
        else:
            pytest.fail("all of it was taken")
    assert ask_server(server.url, "GET", "/healthz")[0] == 200


@pytest.mark.slow
def test_a_thousand_idle_connections(server):
    parts = urlsplit(server.url)
    address = parts.hostname, parts.port
    with_headers = b"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
    idle = [socket.create_connection(address) for _ in range(1000)]
    try:
        for each in idle:
            each.sendall(with_headers)
        start = time.monotonic()
        assert ask_server(server.url, "GET", "/healthz")[0] == 200
        assert time.monotonic() - start < 5
    finally:
        for each in idle:
            each.close()


@pytest.fixture(scope="module")
def hasty_server(two_runs):
    """A server that waits two seconds for what others wait twenty for."""
    process, url = start_server(two_runs, is_hasty=True)
    yield url
    assert stop_server(process) == (0, "", "")


def send_slowly(connection, piece):
    """Send `piece` ten times a second, until the server hangs up or ten seconds have passed."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            connection.sendall(piece)
        except OSError:
            return
        time.sleep(0.1)


@pytest.mark.slow
def test_a_body_a_byte_at_a_time(hasty_server):
    connection = connect(hasty_server)
    connection.putrequest("POST", "/v1/models/mlp:predict")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    send_slowly(connection.sock, b"[")
    answer = connection.getresponse()
    assert answer.status == 408
    assert b"did not arrive within 2 seconds" in answer.read()


@pytest.mark.slow
@pytest.mark.parametrize("is_second", [False, True], ids=["the first", "a later one"])
def test_a_head_a_byte_at_a_time(hasty_server, is_second):
    parts = urlsplit(hasty_server)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        if is_second:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        start = time.monotonic()
        send_slowly(connection, b"x")
        assert time.monotonic() - start < 8
    assert ask_server(hasty_server, "GET", "/healthz")[0] == 200


def test_answers_do_not_wait_for_acknowledgements():
    """asyncio sets TCP_NODELAY on what a listening socket of the protocol TCP accepts."""

    async def accept():
        taken = asyncio.Queue()
        with listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
            server = await asyncio.start_server(
                lambda _, writer: taken.put_nowait(writer), sock=listening
            )
            _, client = await asyncio.open_connection("127.0.0.1", port)
            writer = await taken.get()
            connection = writer.get_extra_info("socket")
            nodelay = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for each in (client, writer, server):
                each.close()
            return nodelay

    assert asyncio.run(accept())


@pytest.mark.slow
def test_two_cannot_have_one_port(server, tmp_path, command):
    port = urlsplit(server.url).port
    assert_refused(
        command("--serve", "--port", port), 1, f"cannot listen on 127.0.0.1, port {port}"
    )


@pytest.mark.slow
def test_another_host_needs_a_token(trained):
    process = start_command(
        trained("softmax").cwd, "--serve", "--model", "softmax", "--port", 0, "--host", "0.0.0.0"
    )
    try:
        line = process.stdout.readline()
        path, _, token = line.strip().partition("/?token=")
        assert len(token) >= serve.MIN_TOKEN
        url = path.removeprefix("Serving at ").replace("0.0.0.0", "127.0.0.1")
        assert ask_server(url, "GET", "/api/networks")[0] == 401
        allowed = {"Authorization": f"Bearer {token}"}
        assert ask_server(url, "GET", "/api/networks", headers=allowed)[0] == 200
    finally:
        code, _, _ = stop_server(process)
    assert code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--serve", "--port", "70000"), 2, "--port must be from 0 to 65535"),
        (("--serve", "--port", "x"), 2, "invalid int value"),
        (("--serve", "--host", "no.such.host.invalid"), 1, "cannot listen on no.such.host.invalid"),
        (("--serve", "--host", "192.0.2.1"), 1, "cannot listen on 192.0.2.1"),
        (
            ("--serve", "--host", "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 300),
            1,
            "no host has such a name",
        ),
        (("--serve", "--token", "short"), 2, "at least 16 ASCII characters"),
        (("--serve", "--model", "cmn"), 2, "did you mean"),
        (("--serve", "--iterations", "5"), 2, "--iterations needs --model"),
        (("--serve", "--predict", "x.png"), 2, "cannot be used together"),
        (("--serve", "--run-dir", "nowhere"), 1, "is not a run directory"),
        (("--port", "8000", "--model", "mlp"), 2, "--port needs --serve"),
        (("--serve", "--csv", "x.csv"), 2, "--csv needs --predict"),
    ],
)
def test_wrong_flags(command, words, code, said):
    assert_refused(command(*words), code, said)


def test_an_unfinished_run(trained, tmp_path, command):
    shutil.copytree(trained("softmax").directory, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    outcome = command("--serve", "--port", "0", "--run-dir", "run", "--quiet")
    assert_refused(outcome, 1, "is not finished; continue it with --resume")


def test_missing_packages(command, monkeypatch):
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    said = "--serve needs starlette, uvicorn, prometheus_client: pip install '.[serve]'"
    assert_refused(command("--serve"), 1, said)
