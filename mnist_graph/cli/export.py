"""Export the network of a finished run."""

import os
from pathlib import Path

from mnist_graph.cli.messages import note
from mnist_graph.cli.output import print_table
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import MnistGraphError
from mnist_graph.exports.formats import INSTALL, missing_packages


def export(request: Request) -> int:
    """Write the network in every format whose packages are installed, and print how each file
    compares with the session.
    """
    request.check()
    directory = Path(request.options.export)
    _require_writable(directory)
    from mnist_graph.runs.shipped import shipped_reader

    is_named = not request.uses_shipped_reader
    run = finished_run(request, or_shipped=True) if is_named else shipped_reader()
    data = request.read_data(run.recipe)
    import_tensorflow()
    from mnist_graph.exports.exporter import export as export_run
    from mnist_graph.exports.readme import table

    if missing := missing_packages():
        note(f"left out: {', '.join(missing)}; get them with: {INSTALL}")
    request.say(f"exporting {run.directory}; each file is run on all test images")
    try:
        with Interruptible():
            exported = export_run(run, directory, data=data)
    except Interrupted as stop:
        note("interrupted; nothing was exported")
        return stop.exit_code
    print_table(table(exported.checks, run.recipe.reads_strips))
    print(f"Exported to {exported.directory}", flush=True)
    return 0


def _require_writable(directory: Path) -> None:
    """Raise MnistGraphError if nothing can be written there, before a run is trained for it."""
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise MnistGraphError(f"cannot write to {directory}: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise MnistGraphError(f"cannot write to {directory}: no permission to write {existing}")
