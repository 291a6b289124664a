"""Export a trained network: write it in every format, run each, and only then give it its name."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mnist_graph.data.arguments import checked_path, require
from mnist_graph.data.datasets import DataSets, read_data_sets
from mnist_graph.errors import MnistGraphError, MnistGraphWarning, UsageError
from mnist_graph.exports.arrays import write_arrays
from mnist_graph.exports.check import Check, as_inputs, check_file, expect
from mnist_graph.exports.child import run_module
from mnist_graph.exports.formats import (
    FILES,
    FORMATS,
    INSTALL,
    LITERT,
    LITERT_INT8,
    ONNX,
    missing_packages,
)
from mnist_graph.exports.readme import README, describe
from mnist_graph.exports.saved_model import write_saved_model
from mnist_graph.runs.files import cannot_write, synchronize
from mnist_graph.runs.find import next_number
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, save_litert
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import is_shipped
from mnist_graph.runs.strip_predictor import StripPredictor

CALIBRATION = 500
"""How many images, or strips, give the ranges for int8."""
OPSET = 17
"""The version of ONNX's operators; ONNX Runtime has it since 1.12."""


class Export(NamedTuple):
    """What has been exported."""

    directory: Path
    """<directory>/<model>/<number>."""
    checks: list[Check]
    """One for each file."""


def export(
    run: Run,
    directory: str | Path,
    formats: Sequence[str] | None = None,
    data: DataSets | None = None,
) -> Export:
    """Export the network of a finished run to the next free number in directory/<model>/.

    Each file is run by its own runtime, in a process of its own, on all test images. In float32 it
    must give the same classes as the session, and probabilities that differ by 1e-5 at most.

    Args:
        formats: some of "savedmodel", which is always written, "litert" and "onnx"; default: all
            whose packages are installed.
        data: what the run was trained on; default: MNIST.

    Raises MnistGraphError, and leaves nothing behind, if the run is unfinished or damaged, a
    package is missing or fails, a file differs, or the folder cannot be written; UsageError for
    an unknown format or other data.
    """
    require("run", run, Run, "a Run (see train)")
    directory = checked_path("directory", directory)
    chosen = _choose_formats(formats)
    data = read_data_sets() if data is None else data
    run.require_data(data.sha256)
    parent = directory / run.recipe.model
    try:
        parent.mkdir(parents=True, exist_ok=True)
        written = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=parent))
    except OSError as error:
        raise cannot_write(parent, error) from error
    try:
        checks = _write(run, data, chosen, written)
        exported = Export(_publish(written, parent), checks)
    except (OSError, tf.errors.OpError) as error:
        raise cannot_write(parent, error) from error
    finally:
        shutil.rmtree(written, ignore_errors=True)
        with suppress(OSError):
            parent.rmdir()  # if it is empty
    if "litert" in chosen and not is_shipped(run):
        _leave_in_run(run, exported.directory / LITERT)
    return exported


def _leave_in_run(run: Run, model: Path) -> None:
    """Leave the LiteRT model where predictions with the run find it."""
    try:
        save_litert(run, model.read_bytes())
    except MnistGraphError as error:
        warnings.warn(f"predictions will not use LiteRT: {error}", MnistGraphWarning, stacklevel=3)


def _choose_formats(formats: Sequence[str] | None) -> list[str]:
    if formats is None:
        missing = missing_packages()
        return [each for each in FORMATS if each not in missing]
    unknown = [each for each in formats if each not in FORMATS]
    if unknown or isinstance(formats, str):
        raise UsageError(f"formats must be some of {', '.join(FORMATS)}, not {formats!r}")
    for each, packages in missing_packages(formats).items():
        raise MnistGraphError(f"{each} needs {', '.join(packages)}: {INSTALL}")
    return [each for each in FORMATS if each in {*formats, "savedmodel"}]


def _write(run: Run, data: DataSets, formats: list[str], folder: Path) -> list[Check]:
    """Write and check everything in the empty `folder`."""
    kind = StripPredictor if run.recipe.reads_strips else Predictor
    # In a folder of its own, since the calibration samples and the arrays of the checks are large.
    with kind(run, "cpu") as network, tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        model = place / "model"  # TensorFlow's builder takes no folder that exists
        write_saved_model(network, model)
        for path in model.iterdir():
            path.rename(folder / path.name)
        for each in formats:
            CONVERTERS[each](folder, place, data, network.reads_strips)
        expected = expect(network, data)
        names = [name for each in formats for name in FILES[each]]
        checks = [check_file(folder, name, expected, place) for name in names]
    readme = describe(run, folder, checks)
    (folder / README).write_text(readme, encoding="utf-8")
    return checks


def _to_litert(folder: Path, scratch: Path, data: DataSets, reads_strips: bool) -> None:
    module, samples = "mnist_graph.exports.to_litert", scratch / "samples.npz"
    run_module(module, folder, folder / LITERT, task="the conversion to LiteRT")
    pixels = _calibration_pixels(data, reads_strips)
    write_arrays(samples, as_inputs(pixels, DEFAULT_SIGNATURE, reads_strips))
    run_module(module, folder, folder / LITERT_INT8, samples, task="the conversion to int8")


def _calibration_pixels(data: DataSets, reads_strips: bool) -> np.ndarray:
    """Return validation images or, where all are for training, training images; or strips that
    are made from them.
    """
    part = data.validation if data.validation.num_examples else data.train
    if not reads_strips:
        return part.pixels[:CALIBRATION]
    from mnist_graph.data.strips.maker import make_test_strips  # OpenCV

    return make_test_strips(part, CALIBRATION).pixels


def _to_onnx(folder: Path, scratch: Path, data: DataSets, reads_strips: bool) -> None:
    places: list[str | Path] = ["--saved-model", folder, "--output", folder / ONNX]
    settings = ["--opset", str(OPSET), "--tag", "serve", "--signature_def", DEFAULT_SIGNATURE]
    run_module("tf2onnx.convert", *places, *settings, task="the conversion to ONNX")


CONVERTERS: dict[str, Callable[[Path, Path, DataSets, bool], None]] = {
    "savedmodel": lambda *_: None,  # written already: the others are converted from it
    "litert": _to_litert,
    "onnx": _to_onnx,
}


def _publish(written: Path, parent: Path) -> Path:
    """Flush everything in `written` to disk and give it the next free number in `parent`."""
    written.chmod(0o755)
    for path in (*written.rglob("*"), written):
        synchronize(path)
    while True:
        final = parent / str(next_number(parent))
        try:
            os.rename(written, final)  # fails if another process has just written it
        except OSError:
            if final.exists():
                continue
            raise
        synchronize(parent)
        return final
