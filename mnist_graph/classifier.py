"""A trained run, ready to read."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

from mnist_graph.datasets import BUNDLED_SHA256
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph import build_network
from mnist_graph.handwriting.page import Digit, read_digits, read_ink
from mnist_graph.handwriting.paper import Ink
from mnist_graph.recipes import find_recipe
from mnist_graph.runs import Run, find_run, load_run
from mnist_graph.sessions import choose_device, open_session
from mnist_graph.training import EVALUATION_BATCH, restore


class Classifier:
    """The network of a finished run with the weights it learned, in a session of its own.

    Use it as a context manager, or `close` it. Whatever the run was trained in, it multiplies
    in `precision`, and float32 is at hand on every machine.
    """

    def __init__(self, run: Run, device: str = "auto", precision: str = "float32") -> None:
        checkpoint = run.checkpoint()
        if run.result is None or checkpoint is None:
            raise MnistGraphError(f"{run.directory} is not finished; go on with it by --resume")
        self.run = run
        chosen = choose_device(device, precision)
        recipe = run.recipe.override(precision=chosen.precision)
        self._network = build_network(recipe, run.image_shape, run.classes)
        self._session = open_session(self._network.graph, chosen)
        restore(self._session, self._network, checkpoint)

    @classmethod
    def restore(cls, directory: str | Path, device: str = "auto") -> "Classifier":
        """The classifier of the finished run in `directory`.

        Raises MnistGraphError where there is none, or its checkpoint is damaged.
        """
        return cls(load_run(directory), device)

    @classmethod
    def from_model(
        cls, model: str, runs_dir: str | Path = "runs", device: str = "auto", **overrides: Any
    ) -> "Classifier":
        """The newest finished run of recipe `model` on the bundled MNIST; `overrides` are
        hyperparameters that differ from the recipe's.

        Raises MnistGraphError where there is no such run.
        """
        recipe = find_recipe(model).override(**overrides)
        run = find_run(runs_dir, recipe, BUNDLED_SHA256)
        if run is None:
            raise MnistGraphError(f"{runs_dir} has no finished run of {model}; train it first")
        return cls(run, device)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The probabilities of each class, calibrated: float32 [n, classes].

        `images` are light on dark, as MNIST's: floats in [0, 1] or integers in 0..255,
        [n, height * width] or [n, height, width]. Raises MnistGraphError for images of another
        size.
        """
        images = np.asarray(images)
        height, width = self.run.image_shape
        if images.shape[1:] not in ((height * width,), (height, width), (height, width, 1)):
            raise MnistGraphError(
                f"images must be [n, {height * width}] or [n, {height}, {width}], "
                f"not {list(images.shape)}"
            )
        scale = 255 if np.issubdtype(images.dtype, np.integer) else 1
        flat = images.reshape(len(images), height * width).astype(np.float32) / np.float32(scale)
        network = self._network
        starts = range(0, max(1, len(flat)), EVALUATION_BATCH)
        pieces = (flat[start : start + EVALUATION_BATCH] for start in starts)
        return np.concatenate(
            [self._session.run(network.probabilities, {network.images: piece}) for piece in pieces]
        )

    def read(self, picture: str | Path | Image.Image) -> list[Digit]:
        """The digits in a picture, a file or an image of Pillow's, in reading order: row by
        row from the top, each from left to right; none where there is nothing like a digit.

        Raises MnistGraphError for what is not a picture that can be read.
        """
        return self.read_ink(read_ink(picture))

    def read_ink(self, ink: Ink) -> list[Digit]:
        """The same for a picture's ink, as `handwriting.read_ink` gives it."""
        return read_digits(ink, self.run.image_shape, self.predict)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> "Classifier":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
