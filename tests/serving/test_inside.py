"""Inside a network: layers, evidence, weights, and the nearest training digits."""

import base64

import numpy as np
import pytest
from servers import OWN

from mnist_graph import Classifier
from mnist_graph.serving.inside import PATCH, find_evidence, find_nearest, look_inside

A_TWO = 1
"""The number of a test image of a 2."""


def decode(text, dtype=np.uint8):
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.fixture(scope="module")
def two(mnist):
    return mnist.test.pixels[A_TWO]


@pytest.fixture(scope="module")
def networks(served):
    return {each.name: each.network for each in served}


def test_activations_are_what_numpy_computes(networks, two):
    network = networks["mlp"]
    weights = network.variables()
    found = network.activations(two)
    assert list(found) == ["dense1", "dense2", "dense3"]
    hidden = two.reshape(-1).astype(np.float32) / 255
    for name, output in found.items():
        hidden = np.maximum(hidden @ weights[f"{name}/weights"] + weights[f"{name}/biases"], 0)
        np.testing.assert_allclose(output, hidden, atol=1e-4)
    logits = hidden @ weights["output/weights"] + weights["output/biases"]
    assert logits.argmax() == network.predict(two[np.newaxis]).argmax()


def test_activations_of_convolutions_are_those_after_pooling(trained, two):
    with Classifier.restore(trained("cnn").directory) as network:
        shapes = {name: output.shape for name, output in network.activations(two).items()}
        described = look_inside(network, two, 2)
    assert shapes == {"conv1": (14, 14, 32), "conv2": (7, 7, 64), "dense1": (1024,)}
    assert described["weights"] is None
    for layer in described["layers"]:
        values = decode(layer["values"])
        assert values.size == np.prod(layer["shape"])
        assert values.max() == 255


def test_evidence_is_what_erasing_changes(networks, two):
    network = networks["mlp"]
    evidence = find_evidence(network, two, 2)
    row, column = np.unravel_index(np.abs(evidence).argmax(), evidence.shape)
    reach = PATCH // 2
    erased = two.copy()
    erased[row - reach : row + reach + 1, column - reach : column + reach + 1] = 0
    before, after = network.predict(np.stack([two, erased]))[:, 2]
    assert evidence[row, column] == pytest.approx(np.log(before / after), rel=1e-3)
    assert evidence[0, 0] == 0  # no ink is near the corner


def test_a_blank_image_has_no_evidence(networks):
    blank = np.zeros((28, 28), np.uint8)
    assert not find_evidence(networks["softmax"], blank, 3).any()


def test_weights_of_softmax_and_what_they_add_up_to(networks, two):
    network = networks["softmax"]
    weights = look_inside(network, two, 2)["weights"]
    probabilities = np.exp(weights["logits"]) / np.exp(weights["logits"]).sum()
    np.testing.assert_allclose(probabilities, network.predict(two[np.newaxis])[0], atol=1e-5)
    trained = network.variables()["output/weights"].T
    shown = decode(weights["values"], np.int8).reshape(trained.shape)
    np.testing.assert_allclose(shown / 127 * np.abs(trained).max(), trained, atol=0.01)


def test_the_nearest_digit_of_a_training_digit_is_itself(mnist):
    image = mnist.train.pixels[7]
    first, second, *_ = find_nearest(image)["digits"]
    assert (decode(first["pixels"]).reshape(28, 28) == image).all()
    assert first["difference"] == pytest.approx(0, abs=1e-3)
    assert first["label"] == mnist.train.sparse_labels[7]
    other = decode(second["pixels"]).reshape(28, 28).astype(float)
    expected = np.sqrt(np.mean(((other - image) / 255) ** 2))
    assert second["difference"] == pytest.approx(expected, rel=1e-3)


def test_both_are_answered(ask, two):
    answer = ask("POST", "/api/inside?network=mlp&label=2", content=two.tobytes(), headers=OWN)
    assert answer.status_code == 200
    assert len(decode(answer.json()["evidence"]["values"])) == 784
    answer = ask("POST", "/api/nearest", content=two.tobytes(), headers=OWN)
    assert [digit["label"] for digit in answer.json()["digits"]][:3] == [2, 2, 2]


@pytest.mark.parametrize(
    ("address", "size", "status", "reason"),
    [
        ("inside?network=mlp&label=2", 783, 400, "the body must be the 784 pixels"),
        ("inside?network=mlp&label=10", 784, 400, "label must be a digit"),
        ("inside?network=mlp&label=²", 784, 400, "label must be a digit"),
        ("inside?network=mlp", 784, 400, "label must be a digit"),
        ("inside?network=reader&label=2", 784, 400, "choose a network of single digits"),
        ("inside?network=../mlp&label=2", 784, 404, "no network '../mlp'"),
        ("inside?label=2", 784, 404, "no network ''"),
        ("inside?network=mlp,softmax&label=2", 784, 400, "choose one network"),
        ("nearest", 0, 400, "the body must be the 784 pixels"),
    ],
)
def test_refused(ask, address, size, status, reason):
    answer = ask("POST", f"/api/{address}", content=bytes(size), headers=OWN)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
