"""Serve a page to draw on and a prediction service."""

import secrets
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mnist_graph.cli.parser import HOST, PORT
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.runs.run import RUNS_DIR

if TYPE_CHECKING:
    from mnist_graph.serving.networks import Served

PACKAGES = ("starlette", "uvicorn", "prometheus_client")
INSTALL = "pip install '.[serve]'"
MIN_TOKEN = 16
"""The shortest token, in characters."""


def serve(request: Request) -> int:
    """Print the address and answer requests until Ctrl-C or SIGTERM."""
    options = request.options
    host = HOST if options.host is None else options.host
    port = PORT if options.port is None else options.port
    if not 0 <= port <= 65535:
        raise UsageError(f"--port must be from 0 to 65535, not {port}")
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise MnistGraphError(f"--serve needs {', '.join(missing)}: {INSTALL}")
    from mnist_graph.serving import server

    token = _choose_token(host, options.token)
    request.check()
    with server.listen(host, port) as listening:
        networks = _find_networks(request)
        from mnist_graph.serving.app import create_app  # TensorFlow

        networks[0].network  # noqa: B018 - opened now, so that the first answer is quick
        number = listening.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{number}/" + (f"?token={token}" if token else "")
        request.say(f"serving {', '.join(each.name for each in networks)}; Ctrl-C stops")
        app = create_app(networks, host, token)
        when_up = lambda: print(f"Serving at {address}", flush=True)  # noqa: E731
        server.serve(app, listening, when_up, app.state.trainings.close)
    return 0


def _choose_token(host: str, given: str | None) -> str | None:
    """Return the token that requests need; None if only this machine can ask."""
    if given is not None and (len(given) < MIN_TOKEN or not given.isascii() or " " in given):
        raise UsageError(f"--token must have at least {MIN_TOKEN} ASCII characters and no spaces")
    from mnist_graph.serving.guard import LOOPBACK

    if given is None and host not in LOOPBACK:
        return secrets.token_urlsafe(24)
    return given


def _find_networks(request: Request) -> "list[Served]":
    """Return the network of the recipe or run that the flags name, or the reader in the package and
    the newest finished run of every recipe.
    """
    is_named = not request.uses_shipped_reader
    run = finished_run(request, or_shipped=True) if is_named else None
    if run is not None and run.tested_on != "test":
        raise UsageError(
            f"{run.directory} is of a sweep and has no test accuracy; train its recipe"
        )
    if run is not None and run.reads_whole:
        raise UsageError(
            f"{run.directory} classifies whole pictures, and --serve is for digits; use --predict"
        )
    import_tensorflow()
    from mnist_graph.serving.networks import Served, find_served

    device = request.options.device
    return find_served(RUNS_DIR, device) if run is None else [Served(run, device)]
