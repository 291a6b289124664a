"""What the page asks: which networks there are, and what they read."""

import base64
import io

import numpy as np
import pytest
from helpers import ROOT, TEST_IMAGE
from PIL import Image
from servers import OWN

from mnist_graph import Classifier, normalise


def encode(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def test_networks(ask, trained):
    answer = ask("GET", "/api/networks").json()
    assert [each["name"] for each in answer["networks"]] == ["reader", "softmax", "mlp"]
    assert [each["reads"] for each in answer["networks"]] == ["rows", "digits", "digits"]
    assert answer["default"] == "reader"
    softmax = answer["networks"][1]
    assert softmax["parameters"] == 7850
    assert f"test set: {softmax['accuracy']:.6g}" in trained("softmax").outcome.out


def test_a_picture_is_read_as_on_the_command_line(ask, picture, trained):
    answer = ask("POST", "/api/read?networks=reader,mlp", content=picture, headers=OWN).json()
    width, height = Image.open(TEST_IMAGE).size
    assert (answer["width"], answer["height"]) == (width, height)
    assert set(answer["readings"]) == {"reader", "mlp"}
    (seen,) = answer["seen"]
    pixels = np.frombuffer(base64.b64decode(seen["pixels"]), np.uint8).reshape(28, 28)
    np.testing.assert_array_equal(pixels, normalise(TEST_IMAGE))
    with Classifier.restore(trained("mlp").directory) as classifier:
        (expected,) = classifier.read(TEST_IMAGE)
    (digit,) = answer["readings"]["mlp"]["digits"]
    assert digit["label"] == expected.label
    assert digit["box"] == list(expected.box)
    np.testing.assert_allclose(digit["probabilities"], expected.probabilities, atol=1e-6)
    (digit,) = answer["readings"]["reader"]["digits"]
    assert digit["label"] == 2
    assert digit["probability"] > 0.9


def test_where_the_ink_and_its_centre_of_mass_are(ask, picture):
    answer = ask("POST", "/api/read?networks=softmax", content=picture, headers=OWN).json()
    (seen,) = answer["seen"]
    left, top, right, bottom = seen["ink"]
    assert max(right - left, bottom - top) in (19, 20)
    assert seen["centre"] == pytest.approx([14, 14], abs=0.75)


def test_as_the_tutorials_do(ask, mnist):
    picture = np.full((300, 400), 255, np.uint8)
    picture[20:132, 30:142] -= np.kron(mnist.test.pixels[0], np.ones((4, 4), np.uint8))
    path = "/api/read?networks=reader,mlp&view=tutorials"
    answer = ask("POST", path, content=encode(picture), headers=OWN).json()
    assert set(answer["readings"]) == {"mlp"}
    (seen,) = answer["seen"]
    assert seen["box"] == [0, 0, answer["width"], answer["height"]]
    pixels = np.frombuffer(base64.b64decode(seen["pixels"]), np.uint8).reshape(28, 28)
    shrunk = Image.fromarray(picture).resize((28, 28), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(pixels, 255 - np.asarray(shrunk))
    assert pixels.any()


@pytest.mark.parametrize("view", ["mnist", "tutorials"])
def test_an_empty_picture(ask, view):
    content = encode(np.full((420, 840), 255, np.uint8))
    path = f"/api/read?networks=reader,softmax&view={view}"
    answer = ask("POST", path, content=content, headers=OWN).json()
    assert answer["seen"] == []
    assert all(reading["digits"] == [] for reading in answer["readings"].values())


def test_a_row_of_digits(ask, mnist):
    row = np.hstack([np.pad(mnist.test.pixels[k], 2) for k in range(4)])
    picture = 255 - np.asarray(Image.fromarray(row).resize((row.shape[1] * 4, 128)))
    answer = ask("POST", "/api/read", content=encode(picture), headers=OWN).json()
    digits = answer["readings"]["reader"]["digits"]
    assert [digit["label"] for digit in digits] == [7, 2, 1, 0]
    assert [digit["column"] for digit in digits] == [0, 1, 2, 3]
    lefts = [digit["box"][0] for digit in digits]
    assert lefts == sorted(lefts)
    assert len(answer["seen"]) == 4


@pytest.mark.parametrize(
    ("path", "content", "status", "said"),
    [
        ("/api/read", b"", 400, "the picture"),
        ("/api/read", b"no picture", 400, "is not a picture that can be read"),
        ("/api/read?networks=none", b"x", 404, "no network 'none'"),
        ("/api/read?networks=../runs", b"x", 404, "no network '../runs'"),
        ("/api/read?networks=", b"x", 404, "no network ''"),
        ("/api/read?view=other", b"x", 400, "view must be one of mnist, tutorials"),
        ("/api/read/..%2f..%2fetc", b"x", 404, "Not Found"),
        ("/page/../app.py", b"", 404, "Not Found"),
    ],
)
def test_wrong_requests(ask, path, content, status, said):
    answer = ask("POST" if "api" in path else "GET", path, content=content, headers=OWN)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert str(ROOT) not in answer.text


def test_a_decompression_bomb(ask):
    pixels = np.zeros((9000, 9000), np.uint8)
    answer = ask("POST", "/api/read", content=encode(pixels), headers=OWN)
    assert answer.status_code == 400
    assert "64 million pixels" in answer.json()["error"]


def test_wrong_method(ask):
    answer = ask("GET", "/api/read")
    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})


def test_health_and_metrics(ask, picture):
    assert ask("GET", "/healthz").text == "ok\n"
    ask("POST", "/api/read", content=picture, headers=OWN)
    text = ask("GET", "/metrics").text
    assert 'mnist_graph_requests_total{route="read",status="200"}' in text
    assert 'mnist_graph_request_seconds_bucket{le="0.1",route="read"}' in text
