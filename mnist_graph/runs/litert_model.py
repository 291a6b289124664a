"""The LiteRT model of a trained network, where an export leaves it. Needs no runtime.

    <run>/model.tflite    float32, with the signatures of exports/saved_model.py
    <run>/model.json      its SHA-256, and the iterations after which it was made

The network in the package has its weights in weights.npz already; its litert.npz has the rest of
the model, and where in it the weights go.
"""

import hashlib
from typing import Any

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.files import cannot_write, read_bytes, read_json, write_json, write_whole
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import add_shipped, is_shipped, load_shipped, read_shipped

MODEL, DESCRIPTION = "model.tflite", "model.json"
DEFAULT_SIGNATURE, PIXELS_SIGNATURE = "serving_default", "pixels"
"""The names of the two ways into an exported network: float32 from 0 to 1, and uint8."""
REST = "litert.npz"
MAX_REST_BYTES = 2**18
"""The largest rest of the model in the package."""
MAX_MODEL_BYTES = 2**28
"""The largest model.tflite that is read: a network has at most 50 million parameters."""
LEAST_CUT = 1000
"""Weights of fewer values stay in the rest of the model."""
LAYOUTS = ((3, 0, 1, 2), (1, 0))
"""The orders of the axes in which LiteRT may have the weights of a convolution or a dense layer."""


def has_litert(run: Run) -> bool:
    """Whether `run`, a finished one, has a LiteRT model of its last weights."""
    if is_shipped(run):
        return (run.directory / REST).exists()
    return _description(run).get("iterations") == run.recipe.iterations


def _description(run: Run) -> dict[str, Any]:
    """Return what model.json says; nothing if there is none, or no model."""
    path = run.directory / DESCRIPTION
    if not (path.exists() and (run.directory / MODEL).exists()):
        return {}
    values = read_json(path)
    return values if isinstance(values, dict) else {}


def save_litert(run: Run, model: bytes) -> None:
    """Leave the LiteRT model of a finished run in its directory. Raises MnistGraphError if it
    cannot be written.
    """
    description = {"iterations": run.recipe.iterations, "sha256": hashlib.sha256(model).hexdigest()}
    try:
        write_whole(run.directory / MODEL, lambda path: path.write_bytes(model))
        write_json(run.directory / DESCRIPTION, description)
    except OSError as error:
        raise cannot_write(run.directory, error) from error


def load_litert(run: Run) -> bytes:
    """Return the LiteRT model of `run`. Raises MnistGraphError if it has none or it is damaged."""
    if not has_litert(run):
        raise MnistGraphError(f"{run.directory} has not been exported; export it with --export")
    if is_shipped(run):
        return join_model(read_shipped(run, REST), load_shipped(run))
    path = run.directory / MODEL
    model = read_bytes(path, MAX_MODEL_BYTES)
    if hashlib.sha256(model).hexdigest() != _description(run).get("sha256"):
        raise MnistGraphError(f"{path} is damaged (its SHA-256 differs); export the run again")
    return model


def save_shipped_litert(run: Run, model: bytes) -> None:
    """Leave the LiteRT model of a network in the package beside its weights. Raises
    MnistGraphError if the model has other weights, and OSError.
    """
    weights = load_shipped(run)
    parts = split_model(model, weights)
    if join_model(parts, weights) != model or parts["rest"].nbytes > MAX_REST_BYTES:
        raise MnistGraphError("the LiteRT model does not have the weights of the network")
    add_shipped(run, REST, parts)


def split_model(model: bytes, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cut large `weights`, float32 by name, out of a LiteRT model that has them bit for bit; return
    the rest and where they go: what `join_model` takes.
    """
    cuts = sorted(
        (start, name, layout)
        for name, value in weights.items()
        for layout, axes in enumerate(LAYOUTS)
        if value.size >= LEAST_CUT and len(axes) == value.ndim
        if (start := model.find(value.transpose(axes).tobytes())) >= 0
    )
    rest, end = b"", 0
    for start, name, _ in cuts:
        rest += model[end:start]
        end = start + weights[name].nbytes
    return {
        "rest": np.frombuffer(rest + model[end:], np.uint8),
        "starts": np.array([start for start, _, _ in cuts]),
        "names": np.array([name for _, name, _ in cuts]),
        "layouts": np.array([layout for _, _, layout in cuts]),
    }


def join_model(parts: dict[str, np.ndarray], weights: dict[str, np.ndarray]) -> bytes:
    """Return the LiteRT model that `split_model` cut up."""
    rest, model, used = parts["rest"].tobytes(), bytearray(), 0
    for start, name, layout in zip(
        parts["starts"].tolist(), parts["names"].tolist(), parts["layouts"].tolist(), strict=True
    ):
        missing = start - len(model)
        model += rest[used : used + missing]
        used += missing
        model += weights[name].transpose(LAYOUTS[layout]).tobytes()
    return bytes(model + rest[used:])
