"""What an export consists of, and what each runtime makes of it."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from environment import make_environment, run_lines
from helpers import ROOT, TEST_IMAGE

from mnist_graph import Classifier, Reader, find_strips, normalise, read_data_sets
from mnist_graph.exports.check import read_columns
from mnist_graph.exports.runtimes import open_exported
from mnist_graph.runs.files import file_sha256

RUNTIMES = {
    "TensorFlow": "tensorflow",
    "LiteRT": "ai-edge-litert",
    "ONNX Runtime": "onnxruntime",
}
MODELS = ("mlp", pytest.param("reader", marks=pytest.mark.slow))
"""The first has dropout; the second strips, batch normalization and averaged weights."""


def lines_for(folder, heading):
    """Return the lines of Python under a heading of the README in an export."""
    text = (folder / "README.md").read_text()
    return re.search(rf"## {heading}\n.*?```python\n(.*?)```", text, re.DOTALL).group(1)


@pytest.mark.parametrize("model", MODELS)
def test_everything_is_there(exported, model):
    found = {path.relative_to(exported(model)).as_posix() for path in exported(model).rglob("*")}
    assert found == {
        "README.md",
        "model-int8.tflite",
        "model.onnx",
        "model.tflite",
        "saved_model.pb",
        "variables",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    }
    assert [path.name for path in exported(model).parent.iterdir()] == ["1"], "nothing is left over"


def test_the_readme_has_every_checksum(exported):
    text = (exported("mlp") / "README.md").read_text()
    for path in exported("mlp").rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert f"`{file_sha256(path)}`" in text
    recipe = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1))
    assert recipe["model"] == "mlp"


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("model", MODELS)
def test_the_lines_in_the_readme_run_with_that_runtime_alone(
    exported, trained, tmp_path, model, runtime
):
    folder, place = exported(model), tmp_path / "export"
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).symlink_to(path)
    feed = lines_for(folder, "What to feed it")
    (place / "test_img.png").symlink_to(TEST_IMAGE)
    names = {"mlp": ("normalise", "digit.npy"), "reader": ("find_strips", "strip.npy")}
    function, file = names[model]
    assert f"mnist_graph.{function}(" in feed
    given = normalise(TEST_IMAGE) if model == "mlp" else find_strips(TEST_IMAGE)[0]
    np.save(place / file, given)

    environment = make_environment(tmp_path / "packages", RUNTIMES[runtime], "numpy")
    lines = lines_for(folder, runtime)
    assert len(lines.strip().splitlines()) <= 12
    printed = run_lines(environment, place, lines).split()
    if model == "mlp":
        with Classifier.restore(trained(model).directory) as network:
            expected = network.predict(given[np.newaxis])[0]
        assert int(printed[0]) == expected.argmax()
        assert float(printed[1]) == pytest.approx(expected.max(), abs=1e-5)
    else:
        with Reader.restore(trained(model).directory) as network:
            best = network.predict_columns(given[np.newaxis])[0].argmax(axis=-1)
        assert list(map(int, printed)) == read_columns(best)


def test_the_lines_that_make_the_input_need_no_tensorflow(exported, tmp_path):
    (tmp_path / "test_img.png").symlink_to(TEST_IMAGE)
    lines = lines_for(exported("mlp"), "What to feed it")
    blocked = f"import sys; sys.modules['tensorflow'] = None; sys.path.insert(0, {str(ROOT)!r})"
    subprocess.run([sys.executable, "-c", f"{blocked}\n{lines}"], cwd=tmp_path, check=True)
    digit = np.load(tmp_path / "digit.npy")
    assert (digit.dtype, digit.shape) == (np.uint8, (28, 28))


def test_signatures_as_saved_model_cli_shows_them(exported):
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "show"]
    words = ["--dir", str(exported("mlp")), "--tag_set", "serve", "--signature_def"]
    for signature, name, dtype, shape in (
        ("serving_default", "images", "DT_FLOAT", "(-1, 784)"),
        ("pixels", "pixels", "DT_UINT8", "(-1, 28, 28)"),
    ):
        done = subprocess.run(
            [*command, *words, signature], capture_output=True, text=True, check=True
        )
        shown = " ".join(done.stdout.split())
        assert f"inputs['{name}'] tensor_info: dtype: {dtype} shape: {shape}" in shown
        assert "outputs['classes'] tensor_info: dtype: DT_INT32 shape: (-1)" in shown
        assert "outputs['probabilities'] tensor_info: dtype: DT_FLOAT shape: (-1, 10)" in shown
        assert shown.count("inputs[") == 1
        assert shown.count("outputs[") == 2


def test_the_graph_is_for_predicting_alone(exported):
    import tensorflow as tf

    prefix = exported("mlp") / "variables" / "variables"
    names = {name for name, _ in tf.train.list_variables(str(prefix))}
    layers = {name.rpartition("/")[0] for name in names if name.endswith("weights")}
    wanted = {f"{layer}/{kind}" for layer in layers for kind in ("weights", "biases")}
    assert names == {*wanted, *(name for name in names if name.startswith("_CHECKPOINT"))}
    model = tf.saved_model.load(str(exported("mlp")))
    for signature, name in (("serving_default", "images"), ("pixels", "pixels")):
        operations = model.signatures[signature].graph.get_operations()
        kinds = {each.type for each in operations}
        assert not any("Random" in kind or kind == "PlaceholderWithDefault" for kind in kinds)
        fed = {each.name for each in operations if each.type == "Placeholder"}
        assert {each for each in fed if "unused" not in each} == {name, *_captured(operations)}


def _captured(operations):
    """Return the placeholders of a TensorFlow 2 function that hold its variables."""
    return {each.name for each in operations if each.type == "Placeholder" and _is_resource(each)}


def _is_resource(operation):
    return operation.outputs[0].dtype.name == "resource"


def test_names_shapes_and_dtypes_in_onnx(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported("mlp") / "model.onnx"))
    ((name, shape, kind),) = [(i.name, i.shape, i.type) for i in session.get_inputs()]
    assert (name, shape[1:], kind) == ("images", [784], "tensor(float)")
    outputs = {each.name: (each.shape[1:], each.type) for each in session.get_outputs()}
    assert outputs == {
        "classes": ([], "tensor(int32)"),
        "probabilities": ([10], "tensor(float)"),
    }


def test_names_and_dtypes_in_litert(exported, mnist):
    from ai_edge_litert.interpreter import Interpreter

    signatures = {"serving_default": ["images"], "pixels": ["pixels"]}
    for file, expected in (
        ("model.tflite", signatures),
        ("model-int8.tflite", {"serving_default": ["images"]}),
    ):
        found = Interpreter(str(exported("mlp") / file)).get_signature_list()
        assert {name: each["inputs"] for name, each in found.items()} == expected
        outputs = {tuple(sorted(each["outputs"])) for each in found.values()}
        assert outputs == {("classes", "probabilities")}
    int8 = open_exported(exported("mlp") / "model-int8.tflite")
    given = int8(images=mnist.test.pixels[:2].reshape(2, 784) / np.float32(255))
    assert (given["probabilities"].dtype, given["classes"].dtype) == (np.float32, np.int32)


@pytest.mark.slow
def test_columns_after_the_width_of_a_strip_are_blank(exported):
    strip = find_strips(TEST_IMAGE)[0]
    wide = np.pad(strip, ((0, 0), (0, 320 - strip.shape[1])), constant_values=255)
    network = open_exported(exported("reader") / "model.tflite", "pixels")
    widths = np.array([strip.shape[1]], np.int32)
    found = network(pixels=wide[np.newaxis], widths=widths)
    columns = -(-strip.shape[1] // 4)
    assert found["probabilities"].shape == (1, 80, 11)
    assert (found["classes"][0, columns:] == 10).all()
    assert (found["probabilities"][0, columns:, 10] == 1).all()
    assert not (found["probabilities"][0, :columns, 10] == 1).all()


def test_int8_is_calibrated_on_validation_images(exported):
    text = (exported("mlp") / "README.md").read_text()
    accuracy = {
        name: float(re.search(rf"\| {name} \| [^|]+ \| ([\d.]+) ", text).group(1))
        for name in ("saved_model.pb", "model-int8.tflite")
    }
    assert abs(accuracy["saved_model.pb"] - accuracy["model-int8.tflite"]) < 0.01
    sizes = [
        (exported("mlp") / name).stat().st_size for name in ("model-int8.tflite", "model.tflite")
    ]
    assert sizes[0] < 0.3 * sizes[1]
    assert read_data_sets().validation.num_examples >= 500
