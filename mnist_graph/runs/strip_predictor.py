"""A trained network for strips, rows of digits, as TensorFlow computes it."""

from typing import TypeVar

import numpy as np
import tensorflow as tf

from mnist_graph.runs.batches import strips_per_call
from mnist_graph.runs.predictor import Predictor, TrainedNetwork
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import shipped_reader
from mnist_graph.runs.strip_network import StripNetwork, count_columns, pad, require_strips

Own = TypeVar("Own", bound="StripPredictor")


class StripPredictor(StripNetwork, TrainedNetwork):
    """The trained network of a finished run that reads strips. See `TrainedNetwork`."""

    @classmethod
    def shipped(cls: type[Own], device: str = "auto", precision: str = "float32") -> Own:
        """Load the network that is shipped in the package. Raises MnistGraphError if it is damaged.

        With precision auto it uses bfloat16 where the hardware supports it, which is two to four
        times as fast.
        """
        return cls(shipped_reader(), device, precision)

    def predict_digits(self, strips: np.ndarray) -> np.ndarray:
        """Return what the most probable path of each strip reads as: int32 [n, columns], padded
        with -1. Takes and raises what `predict_columns` does.
        """
        require_strips(strips)
        if not len(strips):
            return np.zeros((0, count_columns(strips)), np.int32)
        return self._run(pad(strips), self.network.predictions)

    def _predict_padded(self, strips: np.ndarray) -> np.ndarray:
        return self._run(strips, self.network.probabilities)

    def _run(self, strips: np.ndarray, fetched: tf.Tensor) -> np.ndarray:
        return self._run_batches(
            fetched, self.network.pixels, strips, strips_per_call(strips.shape[2])
        )


def read_variables(run: Run, device: str = "auto") -> dict[str, np.ndarray]:
    """Return the trained variables of a finished run of either kind, float32 by name; see
    `TrainedNetwork`.
    """
    kind = StripPredictor if run.recipe.reads_strips else Predictor
    with kind(run, device) as network:
        return network.variables()
