"""A server in a process of its own, and the application in this process."""

import asyncio
import os
import signal
from typing import NamedTuple

import httpx
import pytest
from helpers import TEST_IMAGE, start_command

OWN = {"X-Mnist-Graph": "1"}
"""What the page sends along."""


class Server(NamedTuple):
    """A server that runs."""

    url: str
    pid: int


def start_server(cwd, *words):
    """Start a server; return the process and its address."""
    # Set by TensorFlow's import in this process; it would let the child's messages through.
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    words = ("--serve", "--port", "0", "--quiet", *words)
    process = start_command(cwd, *words, env=environment)
    line = process.stdout.readline()
    assert line.startswith("Serving at http://"), line + process.stderr.read()
    return process, line.removeprefix("Serving at ").strip()


def stop_server(process):
    """Stop a server as `kill` does; return its exit code and what it wrote since."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.fixture(scope="session")
def server(trained):
    """A server of the reader in the package and of softmax and mlp, trained briefly."""
    trained("mlp")
    process, url = start_server(trained("softmax").cwd)
    yield Server(url, process.pid)
    code, out, err = stop_server(process)
    assert (code, out, err) == (0, "", "")


@pytest.fixture(scope="session")
def served(trained):
    """The networks of that server, opened in this process."""
    from mnist_graph.serving.networks import find_served

    trained("mlp")
    return find_served(trained("softmax").directory.parents[1])


@pytest.fixture
def ask(served):
    """A function that asks an application of its own in this process: a method, a path and what
    httpx takes; the answer of httpx comes back.
    """
    from mnist_graph.serving.app import create_app

    def send(method, path, host="127.0.0.1", token=None, listens="127.0.0.1", **options):
        async def ask_once():
            app = create_app(served, listens, token)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            address = f"http://{host}:8000"
            async with httpx.AsyncClient(transport=transport, base_url=address) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask_once())

    return send


@pytest.fixture(scope="session")
def picture():
    """The bytes of a picture of a 2."""
    return TEST_IMAGE.read_bytes()
