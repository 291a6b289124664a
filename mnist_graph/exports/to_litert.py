"""Convert a SavedModel to LiteRT, in a process of its own:

    python -m mnist_graph.exports.to_litert SAVED_MODEL FILE [SAMPLES]

Converted from a session it would lose its signatures. With SAMPLES, an .npz file of inputs by name,
each of one batch, it is quantized to int8: weights for each channel, what lies between the layers
by the ranges that the samples give it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from mnist_graph.exports.arrays import Arrays, read_arrays
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, PIXELS_SIGNATURE


def convert(saved_model: str, samples: str | None = None) -> bytes:
    """Return the LiteRT model: with both signatures in float32, with the default one in int8."""
    signatures = [DEFAULT_SIGNATURE] if samples else [DEFAULT_SIGNATURE, PIXELS_SIGNATURE]
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=signatures)
    if samples is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _one_by_one(samples)
    return converter.convert()


def _one_by_one(samples: str) -> Iterator[Arrays]:
    inputs = read_arrays(Path(samples))
    for number in range(min(map(len, inputs.values()))):
        yield {name: values[number : number + 1] for name, values in inputs.items()}


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(convert(sys.argv[1], *sys.argv[3:]))
