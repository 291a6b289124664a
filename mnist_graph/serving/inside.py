"""Inside a network: what its layers make of a digit, which pixels speak for it, and the training
digits that are most like it.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.data.datasets import read_data_sets
from mnist_graph.reading.classifier import Classifier
from mnist_graph.serving.pictures import encode

PATCH = 5
"""Side of the square that is erased, in pixels: about as wide as a stroke and its edges."""
NEAREST = 8
"""How many training digits are shown."""
CHUNK = 6000
"""Training images that are compared at a time: 19 MB as float32."""
LEAST = 1e-6
"""A lower probability counts as this: its logarithm stays finite."""

Json = dict[str, Any]


def look_inside(network: Classifier, pixels: np.ndarray, label: int) -> Json:
    """Describe what `network` makes of a digit in MNIST's form, uint8 [28, 28], and which pixels
    speak for the class `label`.
    """
    layers = [
        {"name": name, "shape": list(output.shape), "values": _to_bytes(_channels_first(output))}
        for name, output in network.activations(pixels).items()
    ]
    evidence = find_evidence(network, pixels, label)
    return {
        "label": label,
        "layers": layers,
        "weights": None if layers else _describe_weights(network, pixels),
        "evidence": {"values": _to_signed_bytes(evidence), "strongest": _strongest(evidence)},
    }


def find_evidence(network: Classifier, pixels: np.ndarray, label: int) -> np.ndarray:
    """Return by how much the logarithm of the probability of `label` falls if the square of 5x5
    around a pixel is erased: float64 [28, 28]. Positive where a pixel speaks for the class,
    negative where it speaks against it.

    Occlusion, after Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks"
    (2014).
    """
    height, width = pixels.shape
    reach = PATCH // 2
    erased = [pixels]
    places = []
    for row, column in np.ndindex(height, width):
        square = np.s_[
            max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
        ]
        if pixels[square].any():  # elsewhere nothing changes
            without = pixels.copy()
            without[square] = 0
            erased.append(without)
            places.append((row, column))
    likely = np.log(np.maximum(network.predict(np.stack(erased))[:, label], LEAST), dtype=float)
    evidence = np.zeros(pixels.shape)
    if places:
        evidence[tuple(np.transpose(places))] = likely[0] - likely[1:]
    return evidence


class TrainingDigits(NamedTuple):
    """MNIST's 60,000 training digits."""

    pixels: np.ndarray
    """uint8 [60000, 784]."""
    labels: np.ndarray
    """uint8 [60000]."""
    squares: np.ndarray
    """float32 [60000]: the sum of each image's squared pixels."""


@cache
def training_digits() -> TrainingDigits:
    """Return them, read once."""
    data = read_data_sets(validation_size=0).train
    pixels = data.pixels.reshape(data.num_examples, -1)
    chunks = [
        np.einsum("ij,ij->i", *[chunk.astype(np.float32)] * 2)
        for chunk in np.split(pixels, range(CHUNK, len(pixels), CHUNK))
    ]
    return TrainingDigits(pixels, data.sparse_labels, np.concatenate(chunks))


def find_nearest(pixels: np.ndarray) -> Json:
    """Describe the training digits that differ least from a digit in MNIST's form, uint8 [28, 28]:
    by the root of the mean squared difference of their pixels, each from 0 to 1.
    """
    digits = training_digits()
    wanted = pixels.reshape(-1).astype(np.float32)
    products = np.concatenate(
        [
            chunk.astype(np.float32) @ wanted
            for chunk in np.split(digits.pixels, range(CHUNK, len(digits.pixels), CHUNK))
        ]
    )
    squares = digits.squares - 2 * products + wanted @ wanted
    nearest = np.argpartition(squares, NEAREST)[:NEAREST]
    nearest = nearest[np.argsort(squares[nearest], kind="stable")]
    return {
        "digits": [
            {
                "number": int(number),
                "label": int(digits.labels[number]),
                "difference": float(np.sqrt(max(squares[number], 0) / pixels.size) / 255),
                "pixels": encode(digits.pixels[number]),
            }
            for number in nearest
        ]
    }


def _describe_weights(network: Classifier, pixels: np.ndarray) -> Json:
    """Describe the weights of softmax regression, a picture for each class, and the logits that
    they add up to.
    """
    variables = network.variables()
    weights, biases = variables["output/weights"], variables["output/biases"]
    sums = pixels.reshape(-1) / 255 @ weights
    return {
        "values": _to_signed_bytes(weights.T),
        "sums": sums.tolist(),
        "biases": biases.tolist(),
        "logits": (sums + biases).tolist(),
    }


def _channels_first(output: np.ndarray) -> np.ndarray:
    return np.moveaxis(output, -1, 0)


def _to_bytes(values: np.ndarray) -> str:
    """Encode values as bytes, of which 255 is the greatest value and 0 is 0 or less."""
    greatest = float(values.max(initial=0)) or 1.0
    return encode(np.rint(np.clip(values / greatest, 0, 1) * 255).astype(np.uint8))


def _to_signed_bytes(values: np.ndarray) -> str:
    """Encode values as signed bytes, of which 127 is the greatest magnitude."""
    return encode(np.rint(values / (_strongest(values) or 1.0) * 127).astype(np.int8))


def _strongest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0))
