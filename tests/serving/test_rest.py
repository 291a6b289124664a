"""The REST interface of TensorFlow Serving; replies are parsed by its own messages."""

import asyncio
import contextlib
import json

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from mnist_graph.exports.saved_model import build_signatures
from mnist_graph.runs.shipped import folded_recipe
from mnist_graph.serving import batching, rest
from mnist_graph.serving.bodies import RefusedError

PREDICT = "/v1/models/mlp:predict"


def network(served, name):
    return next(each for each in served if each.name == name)


@pytest.mark.parametrize("path", ["/v1/models/mlp", "/v1/models/mlp/versions/1"])
def test_status(ask, path):
    answer = ask("GET", path)
    message = get_model_status_pb2.GetModelStatusResponse()
    (version,) = json_format.Parse(answer.text, message).model_version_status
    assert (version.version, version.State.Name(version.state)) == (1, "AVAILABLE")


@pytest.mark.parametrize("name", ["mlp", "reader"])
def test_metadata_is_that_of_the_export(ask, served, name):
    answer = ask("GET", f"/v1/models/{name}/metadata")
    message = get_model_metadata_pb2.GetModelMetadataResponse()
    message = json_format.Parse(answer.text, message)
    assert message.model_spec.name == name
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert message.metadata["signature_def"].Unpack(signatures)
    run = network(served, name).run
    with tf.Graph().as_default():
        exported = build_signatures(folded_recipe(run.recipe), run.image_shape, run.classes)
    assert set(signatures.signature_def) == set(exported)
    for key, signature in signatures.signature_def.items():
        for found, tensors in zip(
            (signature.inputs, signature.outputs), exported[key], strict=True
        ):
            assert set(found) == set(tensors)
            for tensor, expected in tensors.items():
                assert found[tensor].dtype == expected.dtype.as_datatype_enum
                sizes = [dimension.size for dimension in found[tensor].tensor_shape.dim]
                assert sizes == [-1 if n is None else n for n in expected.shape.as_list()]


@pytest.mark.parametrize("path", [PREDICT, PREDICT.replace(":", "/versions/1:")])
def test_rows_and_columns(ask, served, mnist, path):
    images = mnist.test.images[:3]
    expected = network(served, "mlp").network.predict(images)
    rows = ask("POST", path, json={"instances": images.tolist()}).json()["predictions"]
    assert [row["classes"] for row in rows] == expected.argmax(axis=1).tolist()
    found = np.array([row["probabilities"] for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    instances = [{"images": image.tolist()} for image in images]
    assert ask("POST", path, json={"instances": instances}).json()["predictions"] == rows
    columns = ask("POST", path, json={"inputs": {"images": images.tolist()}}).json()["outputs"]
    assert columns["classes"] == [row["classes"] for row in rows]
    assert columns["probabilities"] == [row["probabilities"] for row in rows]


def test_pixels(ask, served, mnist):
    pixels = mnist.test.pixels[:2].reshape(2, 28, 28)
    body = {"signature_name": "pixels", "instances": pixels.tolist()}
    rows = ask("POST", PREDICT, json=body).json()["predictions"]
    expected = network(served, "mlp").network.predict(pixels)
    np.testing.assert_allclose([row["probabilities"] for row in rows], expected, atol=1e-6)


def test_strips_are_blank_after_their_width(ask, served):
    strips = np.zeros((2, 32, 64), np.uint8)
    strips[:, 8:24, 10:14] = 255
    body = {"pixels": strips.tolist(), "widths": [64, 20]}
    body = {"signature_name": "pixels", "inputs": body}
    columns = ask("POST", "/v1/models/reader:predict", json=body).json()["outputs"]
    probabilities = np.array(columns["probabilities"])
    expected = network(served, "reader").network.predict_columns(strips)
    np.testing.assert_allclose(probabilities[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(probabilities[1, :5], expected[1, :5], atol=1e-5)
    assert (probabilities[1, 5:, 10] == 1).all()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"[1]", "must be a JSON object"),
        (b"{}", 'either "instances" or "inputs"'),
        (b'{"instances": [[0]], "inputs": [[0]]}', 'either "instances" or "inputs"'),
        (b'{"instances": []}', "not empty"),
        (b'{"instances": 3}', "must be a list"),
        (b'{"instances": [[0, 1]]}', "images must be DT_FLOAT [-1, 784], not [1, 2]"),
        (b'{"instances": [[0, [1]]]}', "of different lengths"),
        (b'{"instances": [["a"]]}', "no numbers"),
        (b'{"instances": [{"picture": []}]}', "instance 0 must be an object with images"),
        (b'{"inputs": {"picture": []}}', "must be an object with images"),
        (b'{"instances": [[0]], "signature_name": "other"}', "signature_name must be one of"),
        (b'{"instances": [[0]], "signature_name": 3}', "signature_name must be one of"),
        (b"[" * 100_000, "not JSON"),
        (b'{"instances": [[' + b"NaN," * 783 + b"NaN]]}", "images must be from 0 to 1"),
        (b'{"instances": [[' + b"255," * 783 + b"255]]}", "images must be from 0 to 1"),
    ],
)
def test_malformed_requests(ask, body, said):
    answer = ask("POST", PREDICT, content=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize("name", ["none", "mlp/versions/7", "..", "mlp/versions/1/../2"])
def test_models_that_are_not_there(ask, name):
    answer = ask("GET", f"/v1/models/{name}")
    assert answer.status_code == 404
    assert "Not Found" in answer.text or "Servable not found" in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["images", "pixels", "widths", "x"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(
    body=st.dictionaries(
        st.sampled_from(["instances", "inputs", "signature_name"]), JSON | st.just("pixels")
    ),
    name=st.sampled_from(["mlp", "reader"]),
)
@settings(max_examples=300, deadline=None)
def test_any_json_is_refused_or_checked(served, body, name):
    with contextlib.suppress(RefusedError):
        call = rest.parse_call(json.dumps(body).encode(), network(served, name))
        assert len(call.inputs)


def test_requests_that_arrive_together_are_run_together():
    sizes = []

    def compute(inputs):
        sizes.append(len(inputs))
        return inputs * 2

    async def ask_all():
        batcher = batching.Batcher(compute)
        waiting = [batcher.run(np.full((1 + k % 3, 4), k)) for k in range(20)]
        return await asyncio.gather(*waiting)

    answers = asyncio.run(ask_all())
    for k, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, np.full((1 + k % 3, 4), 2 * k))
    assert len(sizes) <= 2


def test_different_kinds_are_not_run_together_and_an_error_hits_its_batch_alone():
    def compute(inputs):
        if inputs.dtype == np.uint8:
            raise ValueError("wrong")
        return inputs

    async def ask_all():
        batcher = batching.Batcher(compute)
        inputs = [np.zeros((1, 4), np.uint8), np.ones((1, 4)), np.ones((1, 5))]
        waiting = [batcher.run(each) for each in inputs]
        return await asyncio.gather(*waiting, return_exceptions=True)

    wrong, *right = asyncio.run(ask_all())
    assert isinstance(wrong, ValueError)
    assert [answer.shape for answer in right] == [(1, 4), (1, 5)]
