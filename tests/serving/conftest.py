"""A server in a process of its own, the application in this process, and pages in a browser."""

import asyncio
import shutil
from contextlib import contextmanager
from typing import NamedTuple

import httpx
import pytest
from helpers import TEST_IMAGE
from servers import start_server, stop_server


class Server(NamedTuple):
    """A server that runs."""

    url: str
    pid: int


@pytest.fixture(scope="session")
def two_runs(trained, tmp_path_factory):
    """A folder with runs of softmax and mlp alone, whatever else other tests train."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("softmax", "mlp"):
        shutil.copytree(trained(name).directory, folder / "runs" / name / "1")
    return folder


@pytest.fixture(scope="session")
def server(two_runs):
    """A server of the reader in the package and of softmax and mlp, trained briefly."""
    process, url = start_server(two_runs)
    yield Server(url, process.pid)
    code, out, err = stop_server(process)
    assert (code, out, err) == (0, "", "")


@pytest.fixture(scope="session")
def served(two_runs):
    """The networks of that server, opened in this process."""
    from mnist_graph.serving.networks import find_served

    return find_served(two_runs / "runs")


@pytest.fixture
def corrections_folder(tmp_path):
    """Where the application of `ask` saves corrections."""
    return tmp_path / "corrections"


@pytest.fixture
def ask(served, corrections_folder):
    """A function that asks an application of its own in this process: a method, a path and what
    httpx takes; the answer of httpx comes back.
    """
    from mnist_graph.serving.app import create_app

    def send(method, path, host="127.0.0.1", token=None, listens="127.0.0.1", **options):
        async def ask_once():
            app = create_app(served, listens, token, corrections_folder)
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


@pytest.fixture(scope="module")
def browser():
    """Chromium, closed after each file of tests: Playwright's event loop excludes that of `ask`."""
    from browsing import CHROMIUM, FLAGS, sync_api

    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, server):
    """A context of a page that has loaded, which must stay within its origin and say nothing on
    the console, except about failed requests if `may_fail`.
    """

    @contextmanager
    def open_page(address="", width=1280, height=900, may_fail=False, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        said, foreign = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((server.url, "blob:")) or foreign.append(request.url)
            ),
        )
        page.goto(server.url + address)
        page.wait_for_selector(".card")
        try:
            yield page
            if may_fail:
                said = [text for text in said if not text.startswith("Failed to load resource")]
            assert (said, foreign) == ([], [])
        finally:
            context.close()

    return open_page
