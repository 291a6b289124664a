"""The formats of an export, their files, and what they need. Imports no runtime."""

from collections.abc import Sequence
from importlib.util import find_spec

SAVED_MODEL, LITERT, LITERT_INT8, ONNX = (
    "saved_model.pb",
    "model.tflite",
    "model-int8.tflite",
    "model.onnx",
)
FILES = {"savedmodel": (SAVED_MODEL,), "litert": (LITERT, LITERT_INT8), "onnx": (ONNX,)}
"""The files of each format; the weights of a SavedModel are in variables/."""
FORMATS = tuple(FILES)
PACKAGES: dict[str, tuple[str, ...]] = {
    "savedmodel": (),
    "litert": ("ai_edge_litert",),
    "onnx": ("tf2onnx", "onnx", "onnxruntime"),
}
"""What each format needs besides TensorFlow."""
INSTALL = "pip install '.[export]'"


def missing_packages(formats: Sequence[str] = FORMATS) -> dict[str, list[str]]:
    """Return the packages that are missing, for each of the `formats` that cannot be written."""
    missing = {
        each: [package for package in PACKAGES[each] if find_spec(package) is None]
        for each in formats
    }
    return {each: packages for each, packages in missing.items() if packages}
