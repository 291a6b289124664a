"""A trained network as LiteRT computes it, which is there in a tenth of TensorFlow's time."""

import os
import threading
from typing import TypeVar

import numpy as np

from mnist_graph.errors import MnistGraphError
from mnist_graph.runs.batches import BATCH, batch_slices, strips_per_call
from mnist_graph.runs.image_network import ImageNetwork
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE, PIXELS_SIGNATURE, load_litert
from mnist_graph.runs.run import Run
from mnist_graph.runs.strip_network import StripNetwork

Own = TypeVar("Own", bound="LiteRTNetwork")


class LiteRTNetwork:
    """The network of a finished run in a LiteRT interpreter. Use it as a context manager, or call
    `close`. It can be used by several threads, one after the other.

    Raises MnistGraphError if the run has no LiteRT model or it is damaged, and ImportError without
    the package ai-edge-litert.
    """

    def __init__(self, run: Run) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.run = run
        model = load_litert(run)
        threads = os.cpu_count() or 1
        try:
            self._interpreter = Interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()  # at once, since it writes to standard error
        except (ValueError, RuntimeError) as error:
            raise MnistGraphError(f"LiteRT cannot load the model of {run.directory}") from error
        self._process, self._lock = os.getpid(), threading.Lock()

    def _call(self, signature: str, size: int, **inputs: np.ndarray) -> np.ndarray:
        """Return the probabilities for `inputs`, at most `size` of them at a time."""
        if self._process != os.getpid():
            raise MnistGraphError(
                "LiteRT does not run in a process forked from the one that opened the network"
            )
        if self._interpreter is None:
            raise MnistGraphError("the network is closed; open the run again")
        parts = []
        with self._lock:
            runner = self._interpreter.get_signature_runner(signature)
            for part in batch_slices(len(next(iter(inputs.values()))), size):
                outputs = runner(**{name: values[part] for name, values in inputs.items()})
                parts.append(outputs["probabilities"])
        return np.concatenate(parts)

    def close(self) -> None:
        """Free the interpreter."""
        self._interpreter = None

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LiteRTPredictor(LiteRTNetwork, ImageNetwork):
    """A network that classifies images, in LiteRT."""

    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        return self._of_some(PIXELS_SIGNATURE, pixels=pixels)

    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        return self._of_some(DEFAULT_SIGNATURE, images=images)

    def _of_some(self, signature: str, **inputs: np.ndarray) -> np.ndarray:
        if not all(map(len, inputs.values())):  # LiteRT has no empty tensors
            return np.zeros((0, self.run.classes), np.float32)
        return self._call(signature, BATCH, **inputs)


class LiteRTStripPredictor(LiteRTNetwork, StripNetwork):
    """A network that reads strips, in LiteRT."""

    def _predict_padded(self, strips: np.ndarray) -> np.ndarray:
        widths = np.full(len(strips), strips.shape[2], np.int32)
        size = strips_per_call(strips.shape[2])
        return self._call(PIXELS_SIGNATURE, size, pixels=strips, widths=widths)
