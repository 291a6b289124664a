"""Training as one task of several: what TF_CONFIG says, and --workers, which starts all of them."""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import CLUSTER_FLAGS, Request, flag
from mnist_graph.cli.signals import Signals
from mnist_graph.cluster.launch import STARTED_BY, LocalTasks
from mnist_graph.cluster.tf_config import Cluster, read_tf_config
from mnist_graph.data.arguments import number, whole_number
from mnist_graph.errors import UsageError
from mnist_graph.runs.children import ROOT
from mnist_graph.runs.find import create_numbered
from mnist_graph.runs.run import RUNS_DIR

if TYPE_CHECKING:
    from mnist_graph.cluster.lead import Lead

TIMEOUT = 60.0
"""The default of --timeout, in seconds."""
MAX_WORKERS = 256
"""The most processes that --workers starts."""
Command = Callable[[Request, "Lead | None"], int]
"""Trains as the flags say, alone or leading other tasks; returns the exit code."""


def train_in_cluster(request: Request, command: Command) -> int:
    """Execute `command` in this process, unless it is one of several that train: then as the first
    of them, or train along. With --workers, start them all.
    """
    options = request.options
    timeout = TIMEOUT if options.timeout is None else number("--timeout", options.timeout)
    if not 1 <= timeout < 1e6:
        raise UsageError(f"--timeout must be at least 1 second, not {timeout:g}")
    config, is_child = os.environ.get("TF_CONFIG"), STARTED_BY in os.environ
    if options.workers is not None and not is_child:
        if config:
            raise UsageError(
                "--workers starts a cluster of its own, but TF_CONFIG says that this process is "
                "part of one; use one of them"
            )
        return _start_workers(request)
    if options.restarts is not None and not is_child:
        raise UsageError("--restarts needs --workers")
    cluster = read_tf_config(config) if config else None
    if cluster is None:
        for name in CLUSTER_FLAGS:
            if name in request.given and not is_child:
                raise UsageError(f"{flag(name)} needs --workers, or a cluster in TF_CONFIG")
        return command(request, None)
    if cluster.rank is None:
        note("nothing to do for an evaluator: the first worker tests the network itself")
        return 0
    request.check()
    return _train_as_task(request, command, cluster, timeout)


def _train_as_task(request: Request, command: Command, cluster: Cluster, timeout: float) -> int:
    recipe, options = request.recipe, request.options
    data = request.read_data(recipe)
    import_tensorflow()
    from mnist_graph.cluster.join import join
    from mnist_graph.cluster.lead import Lead
    from mnist_graph.graph.sessions import choose_device

    device, _ = choose_device(recipe, options.device)
    first = cluster.tasks[0]
    if cluster.rank == 0:
        request.say(f"{first}, waiting for {len(cluster.tasks) - 1} other workers")
    else:
        request.say(f"{cluster.task} of {len(cluster.tasks)}, trains along with {first}")
    facts: dict[str, Any] = {
        **_versions(),
        "precision": device.precision,
        "device": device.kind,
        "recipe": recipe.to_json(),
        "data": data.sha256,
        "--resume": options.resume,
        "--scale-batch": options.scale_batch,
    }
    signals = Signals()
    task = join(cluster, facts, device, recipe.network, timeout, complain, lambda: signals.received)
    if isinstance(task, Lead):
        with task:
            return command(request, task)
    signals.catch()
    return task.follow(request.read_data, options.device)


def _versions() -> dict[str, str]:
    """Return the versions of what trains; this program's is a digest of its files."""
    from mnist_graph.runs.find import versions

    own = hashlib.sha256()
    for path in sorted((ROOT / "mnist_graph").rglob("*.py")):
        own.update(path.read_bytes())
    found = {"mnist_graph": own.hexdigest()[:12], **versions()}
    return {f"its version of {name}": version for name, version in found.items()}


def _start_workers(request: Request) -> int:
    """Start all tasks on this machine; after a failure, start them again with --resume."""
    options = request.options
    count = whole_number("--workers", options.workers, 1, MAX_WORKERS)
    restarts = whole_number("--restarts", options.restarts or 0, 0)
    request.check()
    if not options.resume and not options.scale_batch:
        from mnist_graph.data.batches import require_rows  # NumPy

        require_rows(count, request.recipe.batch_size)
    words, directory = list(request.words), options.run_dir
    if directory is None and not options.resume:
        directory = str(create_numbered(Path(RUNS_DIR) / request.recipe.model))
        words += ["--run-dir", directory]
    for attempt in range(restarts + 1):
        is_begun = directory is not None and Path(directory, "recipe.json").exists()
        resumed = [] if options.resume or not (attempt and is_begun) else ["--resume"]
        code = _run_workers([*words, *resumed], count)
        if code in (0, UsageError.exit_code) or code > 128 or attempt == restarts:
            break
        note(f"resuming after a failure ({attempt + 1} of at most {restarts} times)")
    if directory is not None and not options.run_dir:
        _remove_if_empty(Path(directory))
    return code


def _run_workers(words: list[str], count: int) -> int:
    """Run all tasks until they have ended; return the exit code of the first."""
    signals = Signals()
    signals.catch()
    try:
        with LocalTasks(count, sys.argv[0], words) as tasks:
            return tasks.wait(lambda: signals.received)
    finally:
        signals.restore()


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
