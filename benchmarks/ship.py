"""Write a trained network into the package, where it is found without training.

    python main.py --model reader
    python -m benchmarks.ship runs/reader/1

replaces mnist_graph/runs/shipped/reader and prints its size. The package has `reader`,
`cnn-best` and `cnn-scan`.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from mnist_graph.exports.exporter import export
from mnist_graph.exports.formats import LITERT
from mnist_graph.runs.find import load_run
from mnist_graph.runs.litert_model import save_shipped_litert
from mnist_graph.runs.ship import ship
from mnist_graph.runs.shipped import SHIPPED, WEIGHTS


def main() -> None:
    """Ship the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the directory of the finished run")
    parser.add_argument("--folder", type=Path, help="write to this new folder instead")
    options = parser.parse_args()
    run = load_run(options.run)
    folder = options.folder or SHIPPED / run.recipe.model
    written = folder.with_name(f"{folder.name}.new")
    ship(run, written)
    _add_litert(written)
    if options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    written.rename(folder)
    print(f"{folder}: {(folder / WEIGHTS).stat().st_size:,} bytes of weights")


def _add_litert(folder: Path) -> None:
    """Export the network in `folder`, which compares it with the session, and keep its LiteRT
    model beside its weights.
    """
    run = load_run(folder)
    with tempfile.TemporaryDirectory() as place:
        exported = export(run, place, formats=["litert"])
        save_shipped_litert(run, (exported.directory / LITERT).read_bytes())


if __name__ == "__main__":
    main()
