"""Compare two finished runs: their recipes, their results, and their predictions image by image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.data.arguments import checked_path
from mnist_graph.data.batches import test_examples
from mnist_graph.data.datasets import DataSets, read_data_sets
from mnist_graph.data.held_out import find_held_out, hold_out
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.experiments.mcnemar import mcnemar
from mnist_graph.experiments.setting import describe_reading
from mnist_graph.runs.digit_samples import are_wrong
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Run


class Comparison(NamedTuple):
    """Two runs on the same images."""

    runs: tuple[Run, Run]
    pixels: np.ndarray
    """The images, uint8 [n, *image_shape]."""
    labels: np.ndarray
    """int32 [n]; of strips [n, longest], padded with -1."""
    predictions: tuple[np.ndarray, np.ndarray]
    """Of each run, as the labels."""

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """The hyperparameters that differ, with both values."""
        one, other = (run.recipe.to_json() for run in self.runs)
        return {name: (one[name], other[name]) for name in one if one[name] != other[name]}

    @property
    def wrong(self) -> tuple[np.ndarray, np.ndarray]:
        """Which images each run misclassifies: bool [n]."""
        one, other = self.predictions
        return are_wrong(self.labels, one), are_wrong(self.labels, other)

    @property
    def accuracies(self) -> tuple[float, float]:
        """The share of images that each run classifies correctly."""
        one, other = self.wrong
        return float(1 - one.mean()), float(1 - other.mean())

    @property
    def only_one(self) -> np.ndarray:
        """Which images only the first run classifies correctly: bool [n]."""
        one, other = self.wrong
        return ~one & other

    @property
    def only_other(self) -> np.ndarray:
        """Which images only the second run classifies correctly: bool [n]."""
        one, other = self.wrong
        return one & ~other

    @property
    def both_wrong(self) -> np.ndarray:
        """Which images both misclassify, each in its own way: bool [n]."""
        one, other = self.wrong
        return one & other & are_wrong(*self.predictions)

    @property
    def disagreements(self) -> int:
        """The number of images on which they disagree."""
        return int((self.only_one | self.only_other | self.both_wrong).sum())

    @property
    def probability(self) -> float:
        """How probable such a difference would be by chance alone, by McNemar's test. It is about
        these two trained networks: with another seed, each recipe gives another one.
        """
        return mcnemar(int(self.only_one.sum()), int(self.only_other.sum()))


def compare(
    one: str | Path,
    other: str | Path,
    *,
    data_dir: str | Path | None = None,
    pictures: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Comparison:
    """Compare the finished runs in two directories on their test images; runs of a sweep, on the
    training images that were held out. `data_dir` has the data that they were trained on;
    `pictures` is as in `sweep`.

    Raises UsageError for runs of different data or of different kinds, or if `data_dir` has other
    data; and MnistGraphError if one of them is unfinished, damaged or no run.
    """
    paths = checked_path("one", one), checked_path("other", other)
    first, second = (load_run(path) for path in paths)
    check_comparable(first, second)
    data = _read_data(first, describe_reading(data_dir, pictures))
    pixels, labels = test_examples(data, first.recipe.reads_strips)
    predictions = _predict(first, pixels, device), _predict(second, pixels, device)
    return Comparison((first, second), pixels, labels, predictions)


def check_comparable(one: Run, other: Run) -> None:
    """Raise UsageError or MnistGraphError if these runs cannot be compared."""
    if one.directory.resolve() == other.directory.resolve():
        raise UsageError(f"{one.directory} is compared with itself; name two runs")
    for run in (one, other):
        if run.result is None:
            raise MnistGraphError(f"{run.directory} is not finished; continue it with --resume")
    if one.tested_on != other.tested_on:
        sweep = one if one.tested_on != "test" else other
        raise UsageError(
            f"{sweep.directory} is of a sweep, which leaves the test images alone; compare it with "
            "a run of the same sweep, or train its recipe by itself"
        )
    if one.sha256 != other.sha256:
        what = "data" if one.tested_on == "test" else "data or held-out images"
        raise UsageError(f"{one.directory} and {other.directory} are runs of different {what}")
    if one.recipe.reads_strips != other.recipe.reads_strips:
        raise UsageError(
            f"only one of {one.directory} and {other.directory} reads rows of digits; the other "
            "reads images of one digit"
        )


def _read_data(run: Run, given: dict[str, Any]) -> DataSets:
    """Return the data whose test images the run was tested on."""
    held_out = find_held_out(run.sha256)
    data = read_data_sets(**given, validation_size=0)
    if held_out is not None:
        if held_out.stop > data.train.num_examples:
            raise UsageError(f"{run.directory} was trained on other data; give its --data-dir")
        data = hold_out(data, held_out, validation_size=0)
    run.require_data(data.sha256)
    return data


def _predict(run: Run, pixels: np.ndarray, device: str) -> np.ndarray:
    """Return the run's predictions, as `DigitSample` has them."""
    from mnist_graph.runs.predictor import Predictor  # TensorFlow
    from mnist_graph.runs.strip_predictor import StripPredictor

    # In the precision of training, if the machine supports it.
    if run.recipe.reads_strips:
        with StripPredictor(run, device, run.recipe.precision) as reader:
            return reader.predict_digits(pixels)
    with Predictor(run, device, run.recipe.precision) as predictor:
        return predictor.predict(pixels).argmax(axis=1).astype(np.int32)
