"""Checkpoints: the state of a training run, each in a folder of its own.

checkpoint-<iteration>/
    model.*         the variables and the graph (tf.train.Saver); of a finished run, in model.npz
                    also the weights (weights.py)
    state.json      the number of iterations, the seconds they took, the SHA-256 of each file

A folder is written under a temporary name, flushed to disk and then renamed, so that a folder
with this name is complete. Later corruption is detected by SHA-256; the previous checkpoint is
kept for that case.
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
from mnist_graph.runs.files import file_sha256, read_json, synchronize, write_json

MODEL = "model"
"""The prefix of the saver's file names."""
STATE = "state.json"


class Checkpoint(NamedTuple):
    folder: Path
    iteration: int
    """The number of completed iterations."""
    seconds: float
    """Time spent in the training loop so far."""

    @property
    def prefix(self) -> str:
        """The path that `tf.train.Saver` takes."""
        return str(self.folder / MODEL)


def save_checkpoint(
    directory: Path, write: Callable[[str], Any], iteration: int, seconds: float
) -> None:
    """Save a checkpoint in the run `directory`; `write(prefix)` creates its files. Of the older
    checkpoints, only the newest undamaged one is kept.

    Raises OSError, or what `write` raises; the older checkpoints are then untouched.
    """
    folder = directory / f"checkpoint-{iteration}"
    if folder.exists() and find_damage(folder) is None:
        return
    written = directory / f".checkpoint-{iteration}"
    try:
        for leftover in directory.glob(".checkpoint-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        written.mkdir()
        write(str(written / MODEL))
        files = {path.name: file_sha256(path) for path in sorted(written.iterdir())}
        state = {"iteration": iteration, "seconds": seconds, "files": files}
        write_json(written / STATE, {**state, "sha256": _digest(state)})
        for path in (*written.iterdir(), written):
            synchronize(path)
        shutil.rmtree(folder, ignore_errors=True)
        written.rename(folder)
        synchronize(directory)
    except BaseException:
        shutil.rmtree(written, ignore_errors=True)
        raise
    before = [older for older in _folders(directory) if older != folder]
    kept = next((older for older in before if find_damage(older) is None), None)
    for older in before:
        if older != kept:
            shutil.rmtree(older, ignore_errors=True)


def find_checkpoint(directory: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint in the run `directory`; None if there are none.

    Warns with MnistGraphWarning about newer ones that are damaged. Raises MnistGraphError if
    all are damaged.
    """
    damages: list[str] = []
    for folder in _folders(directory):
        reason = find_damage(folder)
        if reason is None:
            if damages:
                warnings.warn(
                    f"{'; '.join(damages)}; using {folder.name} instead",
                    MnistGraphWarning,
                    stacklevel=2,
                )
            state = read_json(folder / STATE)
            return Checkpoint(folder, state["iteration"], state["seconds"])
        damages.append(f"{folder} is damaged ({reason})")
    if damages:
        raise MnistGraphError(f"{'; '.join(damages)}: no usable checkpoint is left; train again")
    return None


def find_damage(folder: Path) -> str | None:
    """Describe what is wrong with the checkpoint in `folder`; None if it is undamaged."""
    try:
        if folder.is_symlink():
            return "it is a link"
        state = read_json(folder / STATE)
        if not isinstance(state, dict) or state.pop("sha256", None) != _digest(state):
            return f"{STATE} has changed since it was written"
        if state["iteration"] != _iteration(folder):
            return f"{STATE} belongs to another checkpoint"
        for name, sha256 in state["files"].items():
            if not re.fullmatch(rf"{MODEL}\.[\w-]+", name):
                return f"{name!r} is not a checkpoint file"
            if file_sha256(folder / name) != sha256:
                return f"{name} has changed since it was written"
        return None if isinstance(state["seconds"], int | float) else f"{STATE} has no seconds"
    except (KeyError, TypeError, AttributeError):
        return f"{STATE} does not describe a checkpoint"
    except MnistGraphError as error:
        return str(error).replace(f"{folder}/", "")


def _folders(directory: Path) -> list[Path]:
    """The checkpoint folders in `directory`, newest first."""
    found = [p for p in directory.glob("checkpoint-*") if _iteration(p) is not None]
    return sorted(found, key=lambda folder: _iteration(folder) or 0, reverse=True)


def _iteration(folder: Path) -> int | None:
    found = re.fullmatch(r"checkpoint-(\d{1,18})", folder.name)
    return int(found[1]) if found else None


def _digest(state: dict[str, Any]) -> str:
    """Return the SHA-256 of everything else in state.json."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
