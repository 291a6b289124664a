"""The REST interface of TensorFlow Serving: the status and the signatures of a model, predictions.

https://www.tensorflow.org/tfx/serving/api_rest: requests in row form ("instances") are answered
with "predictions", in column form ("inputs") with "outputs", errors with {"error": "..."}.
"""

import json
import math
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, PIXELS_SIGNATURE
from mnist_graph.serving.bodies import RefusedError
from mnist_graph.serving.networks import Served

MAX_ROWS = 4096
"""The most images or strips in one request."""
MAX_STRIP_WIDTH = 4096
"""The widest strip in a request, in pixels."""

Json = dict[str, Any]


class Call(NamedTuple):
    """A request for predictions, checked."""

    inputs: np.ndarray
    """What the network is given: float32 or uint8 [n, ...]."""
    widths: np.ndarray | None
    """Of strips, in pixels: int [n]."""
    in_rows: bool
    """Whether it came in row form."""


def status(served: Served) -> Json:
    """Return the status of the only version of a model."""
    return {
        "model_version_status": [
            {
                "version": str(served.version),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def metadata(served: Served) -> Json:
    """Return the signatures of a model, as saved_model.pb has them after an export."""
    columns = (-1,) if served.reads_strips else ()
    classes = served.run.classes + served.reads_strips
    outputs = {
        "classes": _tensor("DT_INT32", (-1, *columns)),
        "probabilities": _tensor("DT_FLOAT", (-1, *columns, classes)),
    }
    widths = {"widths": _tensor("DT_INT32", (-1,))} if served.reads_strips else {}
    signatures = {
        name: {
            "inputs": {key: _tensor(dtype, (-1, *shape)), **widths},
            "outputs": outputs,
            "method_name": "tensorflow/serving/predict",
        }
        for name, (key, dtype, shape) in _inputs(served).items()
    }
    return {
        "model_spec": {
            "name": served.name,
            "signature_name": "",
            "version": str(served.version),
        },
        "metadata": {
            "signature_def": {
                "@type": "type.googleapis.com/tensorflow.serving.SignatureDefMap",
                "signature_def": signatures,
            }
        },
    }


def _inputs(served: Served) -> dict[str, tuple[str, str, tuple[int, ...]]]:
    """Return the main input of each signature: name, dtype, and shape of one example."""
    shape = served.run.image_shape
    if served.reads_strips:
        shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((HEIGHT, -1), (HEIGHT, -1))
    else:
        shapes = ((math.prod(shape),), shape)
    return {
        DEFAULT_SIGNATURE: ("images", "DT_FLOAT", shapes[0]),
        PIXELS_SIGNATURE: ("pixels", "DT_UINT8", shapes[1]),
    }


def _tensor(dtype: str, shape: tuple[int, ...]) -> Json:
    dimensions = [{"size": str(size), "name": ""} for size in shape]
    return {"dtype": dtype, "tensor_shape": {"dim": dimensions, "unknown_rank": False}, "name": ""}


def parse_call(body: bytes, served: Served) -> Call:
    """Return what a request for predictions asks for. Raises RefusedError if it is malformed."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise RefusedError(400, "the body must be a JSON object")
    signature = values.get("signature_name", DEFAULT_SIGNATURE) or DEFAULT_SIGNATURE
    inputs = _inputs(served)
    if not isinstance(signature, str) or signature not in inputs:
        raise RefusedError(400, f"signature_name must be one of {', '.join(inputs)}")
    if ("instances" in values) == ("inputs" in values):
        raise RefusedError(400, 'the body must have either "instances" or "inputs"')
    key, dtype, shape = inputs[signature]
    in_rows = "instances" in values
    names = [key, "widths"] if served.reads_strips else [key]
    if in_rows:
        columns = _from_rows(values["instances"], names)
    else:
        columns = _from_columns(values["inputs"], names)
    main = _as_array(columns[key], key, dtype, shape)
    widths = None
    if served.reads_strips:
        main, widths = _check_strips(main, columns["widths"])
    return Call(main, widths, in_rows)


def _from_rows(instances: Any, names: list[str]) -> dict[str, Any]:
    if not isinstance(instances, list) or not instances:
        raise RefusedError(400, '"instances" must be a list that is not empty')
    if len(names) == 1 and not isinstance(instances[0], dict):
        return {names[0]: instances}
    for number, instance in enumerate(instances):
        if not isinstance(instance, dict) or set(instance) != set(names):
            raise RefusedError(
                400, f"instance {number} must be an object with {' and '.join(names)}"
            )
    return {name: [instance[name] for instance in instances] for name in names}


def _from_columns(inputs: Any, names: list[str]) -> dict[str, Any]:
    if len(names) == 1 and not isinstance(inputs, dict):
        return {names[0]: inputs}
    if not isinstance(inputs, dict) or set(inputs) != set(names):
        raise RefusedError(400, f'"inputs" must be an object with {" and ".join(names)}')
    return inputs


def _as_array(values: Any, name: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return `values` as an array [n, *shape]; -1 in `shape` stands for any size."""
    expected = f"{name} must be {dtype} {[-1, *shape]}"
    try:
        array = np.array(values)
    except ValueError:
        raise RefusedError(400, f"{expected}; the lists are of different lengths") from None
    if array.dtype.kind not in "iuf":
        raise RefusedError(400, f"{expected}; some values are no numbers")
    fits = all(size in (-1, found) for size, found in zip(shape, array.shape[1:], strict=False))
    if array.ndim != 1 + len(shape) or not fits:
        raise RefusedError(400, f"{expected}, not {list(array.shape)}")
    if not 1 <= len(array) <= MAX_ROWS:
        raise RefusedError(400, f"{name} must have 1 to {MAX_ROWS:,} rows, not {len(array):,}")
    highest = 1 if dtype == "DT_FLOAT" else 255
    if not (array.min() >= 0 and array.max() <= highest):  # false for NaN
        raise RefusedError(400, f"{name} must be from 0 to {highest}")
    if dtype == "DT_UINT8":
        if array.dtype.kind == "f":
            raise RefusedError(400, f"{expected}; some values are no integers")
        return array.astype(np.uint8)
    return array.astype(np.float32)


def _check_strips(strips: np.ndarray, widths: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return strips as uint8, since the reader takes pixels, and their widths."""
    if strips.shape[2] > MAX_STRIP_WIDTH or not strips.shape[2]:
        raise RefusedError(400, f"strips must be 1 to {MAX_STRIP_WIDTH:,} pixels wide")
    is_right = isinstance(widths, list) and all(type(width) is int for width in widths)
    if not is_right or len(widths) != len(strips):
        raise RefusedError(400, f"widths must be DT_INT32 [{len(strips)}]")
    if strips.dtype != np.uint8:
        strips = np.rint(strips * 255).astype(np.uint8)
    return strips, np.clip(np.array(widths, np.int64), 0, strips.shape[2])


async def predict(call: Call, served: Served) -> Json:
    """Return the predictions for a checked call."""
    probabilities = await served.batcher.run(call.inputs)
    if call.widths is not None:
        starts = COLUMN_WIDTH * np.arange(probabilities.shape[1])
        is_after = starts >= call.widths[:, np.newaxis]
        blank = np.eye(probabilities.shape[2], dtype=np.float32)[-1]
        probabilities = np.where(is_after[..., np.newaxis], blank, probabilities)
    classes = probabilities.argmax(axis=-1).tolist()
    columns = {"classes": classes, "probabilities": probabilities.tolist()}
    if not call.in_rows:
        return {"outputs": columns}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}
