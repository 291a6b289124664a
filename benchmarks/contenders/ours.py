"""mnist_graph itself: `train`, with its history and its checkpoints."""

import tempfile
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import tensorflow as tf

from benchmarks.contenders import WARM, Timed
from mnist_graph import read_data_sets, recipes, train
from mnist_graph.hooks import Hook


class Stopwatch(Hook):
    """The seconds of the iterations behind the warm-up, and those of them spent in TensorFlow."""

    def __init__(self, iterations: int) -> None:
        self.warm = round(WARM * iterations)
        self.now = None
        self.inside = 0.0

    def after_iteration(self, iteration: int) -> None:
        self.now = iteration, time.perf_counter(), self.inside
        if iteration < self.warm:
            self.start = self.now

    def watch(self, make_callable: Callable) -> Callable:
        """`Session.make_callable`, whose callables are timed."""

        def make(*arguments: Any) -> Callable:
            call = make_callable(*arguments)

            def timed(*fed: Any) -> Any:
                begun = time.perf_counter()
                result = call(*fed)
                self.inside += time.perf_counter() - begun
                return result

            return timed

        return make


def contend(model: str, precision: str, iterations: int) -> Timed:
    recipe = recipes[model].override(precision=precision, iterations=iterations)
    data = read_data_sets(validation_size=recipe.validation_size)
    watch = Stopwatch(iterations)
    timed = watch.watch(tf.compat.v1.Session.make_callable)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(tf.compat.v1.Session, "make_callable", timed),
    ):
        result = train(recipe, data, runs_dir=folder, hooks=[watch]).result
    count, seconds, inside = (b - a for a, b in zip(watch.start, watch.now, strict=True))
    return Timed(1000 * seconds / count, result.test_accuracy, 1 - inside / seconds)


def record(seed: int) -> tuple[float, float]:
    """One run of mnist-99: the seconds of its loop, and the test accuracy."""
    recipe = recipes["mnist-99"].override(seed=seed)
    data = read_data_sets(validation_size=recipe.validation_size)
    with tempfile.TemporaryDirectory() as folder:
        result = train(recipe, data, runs_dir=folder).result
    return result.seconds, result.test_accuracy
