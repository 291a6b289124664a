"""Exported networks as their own runtimes run them; and one run in a process of its own:

    python -m mnist_graph.exports.runtimes PATH SIGNATURE INPUTS OUTPUTS

reads the .npz file INPUTS and writes OUTPUTS. Imports the runtime that the path needs and no other.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mnist_graph.exports.arrays import Arrays, read_arrays, write_arrays
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE

BATCH, BATCH_PIXELS = 256, 2**18
"""How many digits or strips a call gets at most, and how many of their pixels: of strips that are
224 pixels wide, 36."""

Exported = Callable[..., Arrays]
"""A signature: inputs by name in, outputs by name out."""


def open_exported(path: Path, signature: str = DEFAULT_SIGNATURE, threads: int = 0) -> Exported:
    """Return a signature of the exported network at `path`: a SavedModel's folder, or a .tflite or
    .onnx file. LiteRT and ONNX Runtime use `threads` threads (0: their own choice); TensorFlow uses
    all that it is set to.
    """
    if path.suffix == ".tflite":
        return _open_litert(path, signature, threads)
    if path.suffix == ".onnx":
        return _open_onnx(path, threads)
    return _open_saved_model(path, signature)


def _open_saved_model(folder: Path, signature: str) -> Exported:
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    function = model.signatures[signature]

    def call(**inputs: np.ndarray) -> Arrays:
        _ = model  # its variables live as long
        outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return call


def _open_litert(path: Path, signature: str, threads: int) -> Exported:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads or None)
    return interpreter.get_signature_runner(signature)


def _open_onnx(path: Path, threads: int) -> Exported:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda **inputs: dict(zip(names, session.run(names, inputs), strict=True))


def run_in_batches(call: Exported, inputs: Arrays) -> Arrays:
    """Return the outputs for all `inputs`, a few at a time."""
    count = len(next(iter(inputs.values())))
    row = sum(value[0].size for value in inputs.values())
    step = min(BATCH, max(1, BATCH_PIXELS // row))
    parts = [
        call(**{name: value[start : start + step] for name, value in inputs.items()})
        for start in range(0, count, step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main(path: str, signature: str, inputs: str, outputs: str) -> None:
    """Run the network at `path` on the arrays in file `inputs`; save its outputs."""
    call = open_exported(Path(path), signature)
    write_arrays(Path(outputs), run_in_batches(call, read_arrays(Path(inputs))))


if __name__ == "__main__":
    main(*sys.argv[1:])
