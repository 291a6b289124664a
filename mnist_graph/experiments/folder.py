"""Folders of sweeps and searches, sweeps/<number>/, found again by what stands in them.

sweep.json      what it is: the recipe, what is tried, the data
runs/<number>/  a run directory for each training, as runs/ has them
results.csv     a line for each training that has ended
sweep.png       of a sweep, accuracy and time against the values of each knob
study.db        of a search, Optuna's study
failures.json   trainings that were given up because the loss became NaN or infinite
.lock           locked while a process works in it
"""

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from mnist_graph.data.arguments import checked_path
from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.files import cannot_write, read_json, write_json, write_output
from mnist_graph.runs.find import create_numbered, numbered
from mnist_graph.runs.locks import locked

SWEEPS_DIR = "sweeps"
"""The default folder of all sweeps and searches."""
DESCRIPTION, FAILURES = "sweep.json", "failures.json"


@contextmanager
def sweep_folder(
    sweeps_dir: str | Path, description: dict[str, Any], shared: bool = False
) -> Iterator[Path]:
    """Yield the newest folder in `sweeps_dir` with exactly this description, locked; or a new one.

    Raises MnistGraphError if it cannot be written or another process works in it; one that is
    `shared` then gets another folder instead.
    """
    sweeps_dir = checked_path("sweeps_dir", sweeps_dir)
    described = json.loads(json.dumps(description))
    with ExitStack() as stack:
        for folder in _find(sweeps_dir, described):
            try:
                stack.enter_context(locked(folder, "used"))
                break
            except MnistGraphError:
                if not shared:
                    raise
        else:
            folder = _create(sweeps_dir, description)
            stack.enter_context(locked(folder, "used"))
        yield folder


def _find(sweeps_dir: Path, described: Any) -> Iterator[Path]:
    """Yield the folders with this description, the newest first; damaged ones are skipped."""
    try:
        folders = numbered(sweeps_dir)
    except OSError as error:
        raise MnistGraphError(f"cannot read {sweeps_dir}: {error.strerror}") from error
    for folder in folders:
        try:
            found = read_json(folder / DESCRIPTION)
        except MnistGraphError:
            continue
        if found == described:
            yield folder


def _create(sweeps_dir: Path, description: dict[str, Any]) -> Path:
    folder = sweeps_dir
    try:
        folder = create_numbered(sweeps_dir)
        (folder / "runs").mkdir()
        write_json(folder / DESCRIPTION, description)
        return folder
    except OSError as error:
        if folder != sweeps_dir:
            shutil.rmtree(folder, ignore_errors=True)
        raise cannot_write(sweeps_dir, error) from error


def read_failures(folder: Path) -> dict[str, str]:
    """Return what went wrong in the trainings that were given up, by their number."""
    path = folder / FAILURES
    values = read_json(path) if path.exists() else {}
    if not isinstance(values, dict):
        raise MnistGraphError(f"{path} is damaged; delete it")
    return {str(number): str(error) for number, error in values.items()}


def add_failure(folder: Path, number: int, error: str) -> None:
    """Record that a training was given up. Raises MnistGraphError if that cannot be written."""
    try:
        write_json(folder / FAILURES, {**read_failures(folder), str(number): error})
    except OSError as failure:
        raise cannot_write(folder, failure) from failure


def write_results(folder: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Replace results.csv. Raises MnistGraphError if it cannot be written."""

    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])

    write_output(folder / "results.csv", write)
