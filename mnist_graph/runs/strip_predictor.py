"""A trained network for strips, rows of digits: strips in, the probabilities of each column out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf

from mnist_graph.data.strips.form import pad_strips
from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT, WIDTH_STEP
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.layers import BATCH_NORM_EPSILON
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import TrainedNetwork, strips_per_call
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import SHIPPED, fold_normalization, save_shipped

MAX_WIDTH = 2**15
"""The widest strip, in pixels: 500 digits."""

Own = TypeVar("Own", bound="StripPredictor")


class StripPredictor(TrainedNetwork):
    """The trained network of a finished run that reads strips. See `TrainedNetwork`."""

    reads_strips = True

    @classmethod
    def shipped(cls: type[Own], device: str = "auto", precision: str = "float32") -> Own:
        """Load the network that is shipped in the package. Raises MnistGraphError if it is damaged.

        With precision auto it uses bfloat16 where the hardware supports it, which is two to four
        times as fast.
        """
        return cls(load_run(SHIPPED / "reader"), device, precision)

    def predict_columns(self, strips: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of each column of strips of one width: float32
        [n, width / 4 rounded up, classes + 1]. The last class is the blank: no digit here.

        `strips` are uint8 [n, 32, width], ink bright on 0, as `to_strip` makes them. Each is padded
        with paper to a multiple of 32 pixels. Raises MnistGraphError for another form, a closed
        session, and in a process that was forked from the one that opened it.
        """
        columns = self._run(strips, self.network.probabilities)
        return columns[:, : _count_columns(strips)]

    def predict_digits(self, strips: np.ndarray) -> np.ndarray:
        """Return what the most probable path of each strip reads as: int32 [n, columns], padded
        with -1. Takes and raises what `predict_columns` does.
        """
        return self._run(strips, self.network.predictions)

    def predict_strips(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the same as `predict_columns` for strips of any widths, uint8 [32, width]: of
        each, float32 [width / 4 rounded up, classes + 1].

        Strips of the same padded width are predicted together, so that the result does not depend
        on what else is read.
        """
        by_width: dict[int, list[int]] = {}
        for number, strip in enumerate(strips):
            _require_strips(np.asarray(strip)[np.newaxis])
            by_width.setdefault(_padded(strip.shape[1]), []).append(number)
        results: dict[int, np.ndarray] = {}
        for width, numbers in by_width.items():
            together = pad_strips([strips[number] for number in numbers], width)
            for number, columns in zip(numbers, self.predict_columns(together), strict=True):
                results[number] = columns[: _count_columns(strips[number])]
        return [results[number] for number in range(len(strips))]

    def _run(self, strips: np.ndarray, fetched: tf.Tensor) -> np.ndarray:
        _require_strips(strips)
        width = strips.shape[2]
        if not len(strips):  # TensorFlow's convolutions fail
            shape = (0, _count_columns(strips), *fetched.shape[2:])
            return np.zeros(shape, fetched.dtype.as_numpy_dtype)
        padded = np.pad(strips, ((0, 0), (0, 0), (0, _padded(width) - width)))
        size = strips_per_call(padded.shape[2])
        return self._run_batches(fetched, self.network.pixels, padded, size)


def ship(run: Run, folder: str | Path) -> None:
    """Write the trained network of a finished run to `folder`, as it is shipped in the package.

    Raises MnistGraphError if the run is unfinished, the weights are too large, or `folder` exists
    or cannot be written.
    """
    if Path(folder).exists():
        raise MnistGraphError(f"{folder} exists; name a new folder")
    with StripPredictor(run) as predictor:
        weights = fold_normalization(predictor.variables(), BATCH_NORM_EPSILON)
    save_shipped(run, weights, Path(folder))


def _padded(width: int) -> int:
    return -(-width // WIDTH_STEP) * WIDTH_STEP


def _count_columns(strips: np.ndarray) -> int:
    return -(-strips.shape[-1] // COLUMN_WIDTH)


def _require_strips(strips: np.ndarray) -> None:
    found = type(strips).__name__
    if isinstance(strips, np.ndarray):
        has_form = strips.dtype == np.uint8 and strips.ndim == 3 and strips.shape[1] == HEIGHT
        if has_form and 1 <= strips.shape[2] <= MAX_WIDTH:
            return
        found = f"{strips.dtype} {list(strips.shape)}"
    raise MnistGraphError(
        f"strips must be uint8 [n, {HEIGHT}, width], 1 to {MAX_WIDTH:,} pixels wide, not {found}"
    )
