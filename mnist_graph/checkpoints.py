"""Checkpoints: the state of a training, each in a folder of its own.

checkpoint-<iteration>/
    model.*         the variables and the graph (tf.train.Saver)
    state.json      the iterations done, the seconds they took, and the SHA-256 of each file

A folder is written under another name, put on the disk and only then renamed, so that one
of this name is whole; what a disk did to it afterwards is seen by its SHA-256. The one
before stays, to go on from then.
"""

import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.errors import MnistGraphError, MnistGraphWarning
from mnist_graph.files import open_file, read_json, synchronise, write_json

MODEL = "model"
"""What the names of the saver's files begin with."""
STATE = "state.json"


class Checkpoint(NamedTuple):
    folder: Path
    iteration: int
    """The number of iterations done."""
    seconds: float
    """In the training loop until then."""

    @property
    def prefix(self) -> str:
        """As `tf.train.Saver` takes it."""
        return str(self.folder / MODEL)


def save_checkpoint(
    directory: Path, write: Callable[[str], Any], iteration: int, seconds: float
) -> None:
    """Have `write`, which is given the prefix of their names, make the files of a checkpoint
    in the run `directory`. Of the others the newest that is whole is kept.

    Raises OSError, or what `write` raises; what was there before is then still there.
    """
    folder = directory / f"checkpoint-{iteration}"
    if folder.exists() and fault(folder) is None:
        return
    written = directory / f".checkpoint-{iteration}"
    try:
        for left_by_a_kill in directory.glob(".checkpoint-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        written.mkdir()
        write(str(written / MODEL))
        files = {path.name: _sha256(path) for path in sorted(written.iterdir())}
        state = {"iteration": iteration, "seconds": seconds, "files": files}
        write_json(written / STATE, {**state, "sha256": _digest(state)})
        for path in (*written.iterdir(), written):
            synchronise(path)
        shutil.rmtree(folder, ignore_errors=True)
        written.rename(folder)
        synchronise(directory)
    except BaseException:
        shutil.rmtree(written, ignore_errors=True)
        raise
    before = [older for older in _folders(directory) if older != folder]
    kept = next((older for older in before if fault(older) is None), None)
    for older in before:
        if older != kept:
            shutil.rmtree(older, ignore_errors=True)


def find_checkpoint(directory: Path) -> Checkpoint | None:
    """The newest whole checkpoint in the run `directory`; None where there is none at all.

    Warns with MnistGraphWarning of newer ones that are damaged; raises MnistGraphError where
    all are.
    """
    faults = []
    for folder in _folders(directory):
        reason = fault(folder)
        if reason is None:
            if faults:
                warnings.warn(
                    f"{'; '.join(faults)}; using {folder.name}, the one before",
                    MnistGraphWarning,
                    stacklevel=2,
                )
            state = read_json(folder / STATE)
            return Checkpoint(folder, state["iteration"], state["seconds"])
        faults.append(f"{folder} is damaged ({reason})")
    if faults:
        raise MnistGraphError(f"{'; '.join(faults)}: no checkpoint is left; train again")
    return None


def fault(folder: Path) -> str | None:
    """What is wrong with the checkpoint in `folder`; None where it is whole."""
    try:
        if folder.is_symlink():
            return "it is a link"
        state = read_json(folder / STATE)
        if not isinstance(state, dict) or state.pop("sha256", None) != _digest(state):
            return f"{STATE} is not what was written"
        if state["iteration"] != _iteration(folder):
            return f"{STATE} is of another checkpoint"
        for name, sha256 in state["files"].items():
            if not re.fullmatch(rf"{MODEL}\.[\w-]+", name):
                return f"{name!r} is no file of a checkpoint"
            if _sha256(folder / name) != sha256:
                return f"{name} is not what was written"
        return None if isinstance(state["seconds"], int | float) else f"no seconds in {STATE}"
    except (KeyError, TypeError, AttributeError):
        return f"{STATE} is not of a checkpoint"
    except MnistGraphError as error:
        return str(error).replace(f"{folder}/", "")


def _folders(directory: Path) -> list[Path]:
    """Those of the checkpoints in `directory`, the newest first."""
    found = [p for p in directory.glob("checkpoint-*") if _iteration(p) is not None]
    return sorted(found, key=lambda folder: _iteration(folder) or 0, reverse=True)


def _iteration(folder: Path) -> int | None:
    found = re.fullmatch(r"checkpoint-(\d{1,18})", folder.name)
    return int(found[1]) if found else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()


def _digest(state: dict[str, Any]) -> str:
    """Of what state.json says besides."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
