"""A trained network for strips, rows of digits, whatever computes it: strips in, the probabilities
of each column out.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from mnist_graph.data.strips.form import pad_strips
from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT, WIDTH_STEP
from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.run import Run

MAX_WIDTH = 2**15
"""The widest strip, in pixels: 500 digits."""


class StripNetwork(ABC):
    """The trained network of a finished run that reads strips."""

    run: Run
    reads_strips = True

    def predict_columns(self, strips: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of each column of strips of one width: float32
        [n, width / 4 rounded up, classes + 1]. The last class is the blank: no digit here.

        `strips` are uint8 [n, 32, width], ink bright on 0, as `to_strip` makes them. Each is padded
        with paper to a multiple of 32 pixels. Raises MnistGraphError for another form, a closed
        network, and in a process that was forked from the one that opened it.
        """
        require_strips(strips)
        columns = count_columns(strips)
        if not len(strips):  # TensorFlow's convolutions fail
            return np.zeros((0, columns, self.run.classes + 1), np.float32)
        return self._predict_padded(pad(strips))[:, :columns]

    def predict_strips(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the same as `predict_columns` for strips of any widths, uint8 [32, width]: of
        each, float32 [width / 4 rounded up, classes + 1].

        Strips of the same padded width are predicted together, so that the result does not depend
        on what else is read.
        """
        by_width: dict[int, list[int]] = {}
        for number, strip in enumerate(strips):
            require_strips(np.asarray(strip)[np.newaxis])
            by_width.setdefault(padded_width(strip.shape[1]), []).append(number)
        results: dict[int, np.ndarray] = {}
        for width, numbers in by_width.items():
            together = pad_strips([strips[number] for number in numbers], width)
            for number, columns in zip(numbers, self.predict_columns(together), strict=True):
                results[number] = columns[: count_columns(strips[number])]
        return [results[number] for number in range(len(strips))]

    @abstractmethod
    def _predict_padded(self, strips: np.ndarray) -> np.ndarray:
        """Return the probabilities for uint8 [n, 32, width], the width a multiple of 32."""


def pad(strips: np.ndarray) -> np.ndarray:
    """Pad strips of one width with paper to a multiple of 32 pixels."""
    width = strips.shape[2]
    return np.pad(strips, ((0, 0), (0, 0), (0, padded_width(width) - width)))


def padded_width(width: int) -> int:
    """Return `width` rounded up to a multiple of 32."""
    return -(-width // WIDTH_STEP) * WIDTH_STEP


def count_columns(strips: np.ndarray) -> int:
    """Return the number of columns of each strip."""
    return -(-strips.shape[-1] // COLUMN_WIDTH)


def require_strips(strips: np.ndarray) -> None:
    """Raise MnistGraphError unless `strips` are uint8 [n, 32, width]."""
    found = type(strips).__name__
    if isinstance(strips, np.ndarray):
        has_form = strips.dtype == np.uint8 and strips.ndim == 3 and strips.shape[1] == HEIGHT
        if has_form and 1 <= strips.shape[2] <= MAX_WIDTH:
            return
        found = f"{strips.dtype} {list(strips.shape)}"
    raise MnistGraphError(
        f"strips must be uint8 [n, {HEIGHT}, width], 1 to {MAX_WIDTH:,} pixels wide, not {found}"
    )
