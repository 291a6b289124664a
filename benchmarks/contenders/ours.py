"""mnist_graph itself: `train`, including its history and its checkpoints; its sessions predict."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import tensorflow as tf

from benchmarks.contenders import WARM_UP, Finish, Timing, time_predictions
from benchmarks.exports_child import open_run
from mnist_graph import export, read_data_sets, recipes, train
from mnist_graph.exports.arrays import write_arrays
from mnist_graph.runs.predictor import Predictor
from mnist_graph.training.hooks import Hook


class Stopwatch(Hook):
    """A timer for the iterations after the warm-up, and for their time inside TensorFlow.

    `start` and `latest` are (iteration, time, seconds spent inside TensorFlow so far), taken
    after the warm-up and after the latest iteration.
    """

    def __init__(self, iterations: int) -> None:
        self.warm_up = round(WARM_UP * iterations)
        self.latest = None
        self.inside = 0.0

    def after_iteration(self, iteration: int) -> None:
        self.latest = iteration, time.perf_counter(), self.inside
        if iteration < self.warm_up:
            self.start = self.latest

    def wrap(self, make_callable: Callable) -> Callable:
        """Wrap `Session.make_callable` so that calls of the callables it makes are timed."""

        def make_timed_callable(*arguments: Any) -> Callable:
            call = make_callable(*arguments)

            def timed_call(*feeds: Any) -> Any:
                start = time.perf_counter()
                result = call(*feeds)
                self.inside += time.perf_counter() - start
                return result

            return timed_call

        return make_timed_callable


def measure_speed(model: str, precision: str, iterations: int) -> Timing:
    recipe = recipes[model].override(precision=precision, iterations=iterations)
    data = read_data_sets(validation_size=recipe.validation_size)
    stopwatch = Stopwatch(iterations)
    timed = stopwatch.wrap(tf.compat.v1.Session.make_callable)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(tf.compat.v1.Session, "make_callable", timed),
    ):
        result = train(recipe, data, runs_dir=folder, hooks=[stopwatch]).result
    count, seconds, inside = (
        end - start for start, end in zip(stopwatch.start, stopwatch.latest, strict=True)
    )
    return Timing(1000 * seconds / count, result.test_accuracy, 1 - inside / seconds)


def train_to_99(seed: int, precision: str) -> Finish:
    """Train mnist-99."""
    recipe = recipes["mnist-99"].override(seed=seed, precision=precision)
    data = read_data_sets(validation_size=recipe.validation_size)
    with tempfile.TemporaryDirectory() as folder:
        result = train(recipe, data, runs_dir=folder).result
    return Finish(result.seconds, result.test_accuracy)


def prepare_predictions(model: str, folder: str, iterations: int) -> dict[str, str]:
    """Train for some iterations and write to `folder` what all contenders predict with. Returns
    the path of each by its name: the run, the exported network, and the variables as arrays.
    """
    recipe = recipes[model].override(iterations=iterations)
    data = read_data_sets(validation_size=recipe.validation_size)
    run = train(recipe, data, runs_dir=folder)
    weights = Path(folder, "weights.npz")
    with Predictor(run, "cpu") as predictor:
        write_arrays(weights, predictor.variables())
    exported = export(run, Path(folder, "exports"), data=data).directory
    return {"run": str(run.directory), "exported": str(exported), "weights": str(weights)}


def measure_predictions(paths: dict[str, str], precision: str, images: int) -> Timing:
    """Time the session of a trained network."""
    return time_predictions(open_run(paths["run"], precision), images)
