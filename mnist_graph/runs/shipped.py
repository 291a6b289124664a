"""A trained network in a few files, small enough to ship in the package.

<folder>/
    recipe.json     as in a run directory
    result.json     as in a run directory
    weights.npz     float16, by the names of the variables
    litert.npz      the rest of its LiteRT model (see litert_model.py)
    weights.json    the SHA-256 of both; of a reader, also of the files that strips are made from

The folder is loaded like a finished run. It has no checkpoint, so it cannot be trained any further.
Batch normalization is folded into the weights: its network has biases instead.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.arrays import read_bounded_arrays
from mnist_graph.runs.files import (
    cannot_write,
    file_sha256,
    read_json,
    write_json,
    write_whole,
)
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Run

SHIPPED = Path(__file__).parent / "shipped"
"""Has a folder for every model that is shipped."""
WEIGHTS, CHECKSUMS = "weights.npz", "weights.json"
MAX_BYTES = 2**22
"""The largest weights.npz: what the package may grow by."""
MAX_ARRAY_BYTES = 2**24
"""The largest size of the arrays in it, uncompressed."""


def find_shipped(recipe: Recipe, sha256: dict[str, str]) -> Run | None:
    """Return the network in the package if `recipe` trained it on data with these SHA-256."""
    folder = SHIPPED / recipe.model
    run = load_run(folder) if folder.exists() else None
    return run if run and (run.recipe, run.sha256) == (recipe, sha256) else None


def shipped_reader() -> Run:
    """Return the reader in the package. Raises MnistGraphError if it is damaged."""
    return load_run(SHIPPED / "reader")


def shipped_scan() -> Run:
    """Return `cnn-scan`, the network in the package for single digits as they come out of pictures.
    Raises MnistGraphError if it is damaged.
    """
    return load_run(SHIPPED / "cnn-scan")


def is_shipped(run: Run) -> bool:
    """Whether the weights of `run` are in weights.npz instead of a checkpoint."""
    return (run.directory / WEIGHTS).exists()


def folded_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of the network that has the same outputs with folded weights."""
    if not recipe.batch_normalization:
        return recipe
    return recipe.override(batch_normalization=False, average_weights=False)


def fold_normalization(values: dict[str, np.ndarray], epsilon: float) -> dict[str, np.ndarray]:
    """Return the weights and biases that replace those of batch-normalized layers, by name.

    `values` are the network's variables by name; `epsilon` is added to the variances.
    """
    folded = {}
    for name, value in values.items():
        layer, _, kind = name.rpartition("/")
        if kind == "weights" and f"{layer}/moving_mean" in values:
            mean, variance, offset = (
                values[f"{layer}/{kind}"] for kind in ("moving_mean", "moving_variance", "offset")
            )
            factor = 1 / np.sqrt(variance + epsilon)
            folded[name] = value * factor
            folded[f"{layer}/biases"] = offset - mean * factor
        elif kind in ("weights", "biases"):
            folded[name] = value
    return folded


def save_shipped(run: Run, weights: dict[str, np.ndarray], folder: Path) -> None:
    """Write the recipe and the result of a finished `run`, and its folded `weights` by name, to a
    new `folder`.

    Raises MnistGraphError if that fails; nothing is left then.
    """
    sources: tuple[Path, ...] = ()
    if run.recipe.reads_strips:
        # OpenCV, which loading does not need
        from mnist_graph.data.strips.hands import SOURCE_FILES

        sources = SOURCE_FILES
    small = {name: value.astype(np.float16) for name, value in weights.items()}
    try:
        folder.mkdir(parents=True)
        try:
            write_whole(folder / WEIGHTS, lambda path: _write_arrays(path, small))
            files = {path.name: file_sha256(path) for path in (folder / WEIGHTS, *sources)}
            write_json(folder / CHECKSUMS, files)
            for name in ("result.json", "recipe.json"):
                write_json(folder / name, read_json(run.directory / name))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise cannot_write(folder, error) from error


def _write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    if path.stat().st_size > MAX_BYTES:
        raise MnistGraphError(
            f"the weights take {path.stat().st_size:,} bytes, and the limit is {MAX_BYTES:,}; "
            "train a smaller network"
        )


def add_shipped(run: Run, name: str, arrays: dict[str, np.ndarray]) -> None:
    """Add a file of `arrays` by name to a shipped network. Raises OSError."""
    path = run.directory / name
    write_whole(path, lambda written: _write_arrays(written, arrays))
    checksums = read_json(run.directory / CHECKSUMS)
    write_json(run.directory / CHECKSUMS, {name: file_sha256(path), **checksums})


def load_shipped(run: Run) -> dict[str, np.ndarray]:
    """Return the weights that `save_shipped` wrote, float32 by name. Raises MnistGraphError if they
    are damaged.
    """
    return {name: value.astype(np.float32) for name, value in read_shipped(run, WEIGHTS).items()}


def read_shipped(run: Run, name: str) -> dict[str, np.ndarray]:
    """Return the arrays by name in a file of a shipped network. Raises MnistGraphError if it is
    damaged.
    """
    path, checksums = run.directory / name, read_json(run.directory / CHECKSUMS)
    damaged = MnistGraphError(f"{path} is damaged (its SHA-256 differs); install the package again")
    if not isinstance(checksums, dict) or checksums.get(name) != file_sha256(path):
        raise damaged
    try:
        return read_bounded_arrays(path, MAX_BYTES, MAX_ARRAY_BYTES)
    except ValueError as error:
        raise damaged from error
