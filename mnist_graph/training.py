"""The loop: a session, batches, train_step, and now and then a look at loss and accuracy."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import tensorflow as tf

from mnist_graph.batches import batches, sparse_labels
from mnist_graph.datasets import DataSet, DataSets
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph import Graph, build_graph
from mnist_graph.recipe import Recipe
from mnist_graph.runs import Evaluation, Result, Run, create_run, load_run
from mnist_graph.sessions import Device, choose_device, open_session

EVALUATION_BATCH = 250
"""Images judged at a time: enough to keep the cores busy, few enough to keep memory flat."""


class Hook:
    """Something that goes along with a training; the loop knows of it only this."""

    def begin(self, run: Run, iteration: int) -> None:
        """Before the loop, which starts at `iteration`."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """The batch just trained on was judged."""

    def after_iteration(self, iteration: int) -> None:
        """`iteration` is done. Raising Stop ends the loop here, with a checkpoint."""

    def end(self) -> None:
        """After the loop, however it ended."""


class Stop(Exception):  # noqa: N818 - nothing went wrong
    """Raised by a hook to stop a training, and passed on by it once its state is saved."""

    run: Run
    iteration: int
    """The last that was done."""


class History(Hook):
    """Keeps history.csv."""

    def begin(self, run: Run, iteration: int) -> None:
        self.run = run
        run.write_history([e for e in run.history if e.iteration < iteration])

    def evaluated(self, evaluation: Evaluation) -> None:
        self.run.append_history(evaluation)


def train(
    recipe: Recipe,
    data: DataSets,
    run_dir: str | Path | None = None,
    *,
    runs_dir: str | Path = "runs",
    device: str = "auto",
    log_every: int = 100,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train `recipe` on data.train, test it on data.test, and return the finished run.

    The run is kept in `run_dir`, by default a fresh directory under runs_dir/<model>/. Every
    `log_every` iterations, and at the last, the hooks are told loss and accuracy of the
    batch just trained on, at keep_prob 1. The order of the batches follows from recipe.seed.

    Raises MnistGraphError where the device is not there, the run cannot be written, or the
    loss is no longer a number.
    """
    _check_split(recipe, data)
    chosen = choose_device(device, recipe.precision)
    run = create_run(
        recipe, data.image_shape, data.classes, data.sha256, str(chosen), runs_dir, run_dir
    )
    return _Training(run, data, chosen, log_every, hooks).finish()


def resume(
    run_dir: str | Path,
    data: DataSets,
    *,
    device: str = "auto",
    log_every: int = 100,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Go on with the unfinished run in `run_dir` as `train` would have; returns it finished.

    A finished run is returned as it is. Raises MnistGraphError like `train`, and where the
    data is not what the run was trained on.
    """
    run = load_run(run_dir)
    if run.result is not None:
        return run
    if run.sha256 != data.sha256:
        raise UsageError(f"{run_dir} was trained on other data; give its --data-dir")
    _check_split(run.recipe, data)
    chosen = choose_device(device, run.recipe.precision)
    return _Training(run, data, chosen, log_every, hooks).finish()


def _check_split(recipe: Recipe, data: DataSets) -> None:
    if data.validation.num_examples != recipe.validation_size:
        raise UsageError(
            f"{recipe.model} holds back {recipe.validation_size} images for validation, the data "
            f"{data.validation.num_examples}: use "
            f"read_data_sets(validation_size={recipe.validation_size})"
        )


class _Training:
    """One run's graph and session, while they live."""

    def __init__(
        self, run: Run, data: DataSets, device: Device, log_every: int, hooks: Sequence[Hook]
    ) -> None:
        self.run, self.data, self.device, self.log_every = run, data, device, log_every
        self.hooks = (History(), *hooks)
        recipe = run.recipe.override(precision=device.precision)
        self.graph = build_graph(recipe, run.image_shape, run.classes)

    def finish(self) -> Run:
        try:
            return self._finish()
        except tf.errors.ResourceExhaustedError as error:
            raise MnistGraphError(
                f"out of memory on the {self.device.name}; try a smaller --batch-size or --hidden"
            ) from error

    def _finish(self) -> Run:
        recipe = self.run.recipe
        with open_session(self.graph.graph, self.device) as session:
            self.session = session
            self.iteration, seconds = self._restore()
            self.started = time.perf_counter() - seconds
            self._loop()
            seconds = self._seconds()
            self._save()
            session.run(self.graph.use_averages)
            correct = count_correct(session, self.graph, self.data.test)
        result = Result(
            test_accuracy=correct / self.data.test.num_examples,
            seconds=round(seconds, 3),
            iterations_per_second=round(recipe.iterations / seconds, 3),
        )
        self.run.write_result(result)
        return self.run

    def _restore(self) -> tuple[int, float]:
        """Start the variables; returns the iterations done and the seconds they took."""
        checkpoint = self.run.checkpoint()
        if checkpoint is None:
            self.session.run(self.graph.initialize)
            return 0, 0.0
        restore(self.session, self.graph, checkpoint.prefix)
        return checkpoint.iteration, checkpoint.seconds

    def _loop(self) -> None:
        for hook in self.hooks:
            hook.begin(self.run, self.iteration)
        try:
            self._iterate()
        except Stop as stop:
            self._save()
            stop.run, stop.iteration = self.run, self.iteration - 1
            raise
        finally:
            for hook in self.hooks:
                hook.end()

    def _iterate(self) -> None:
        graph, recipe, train_set = self.graph, self.run.recipe, self.data.train
        step = self.session.make_callable(
            [graph.train_step], [graph.pixels, graph.labels, graph.keep_prob, graph.is_training]
        )
        judge = self.session.make_callable(
            [graph.loss, graph.accuracy], [graph.pixels, graph.labels]
        )
        keep_prob = np.float32(1 if recipe.keep_prob is None else recipe.keep_prob)
        for iteration, (pixels, labels) in batches(train_set, recipe, self.iteration):
            step(pixels, labels, keep_prob, True)
            self.iteration += 1
            if iteration % self.log_every == 0 or self.iteration == recipe.iterations:
                self._evaluate(judge, iteration, pixels, labels)
            for hook in self.hooks:
                hook.after_iteration(iteration)

    def _evaluate(
        self, judge: Callable, iteration: int, pixels: np.ndarray, labels: np.ndarray
    ) -> None:
        loss, accuracy = (float(f"{value:.6g}") for value in judge(pixels, labels))
        if not math.isfinite(loss):
            self._diverged(iteration, loss)
        for hook in self.hooks:
            hook.evaluated(Evaluation(iteration, loss, accuracy))

    def _diverged(self, iteration: int, loss: float) -> NoReturn:
        rate = float(self.session.run(self.graph.learning_rate))
        raise MnistGraphError(
            f"the loss is {loss} after iteration {iteration}, at a learning rate of {rate:.3g}: "
            "try a lower --learning-rate"
        )

    def _save(self) -> None:
        self.run.save_checkpoint(self.graph.saver, self.session, self.iteration, self._seconds())

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


def restore(session: tf.compat.v1.Session, graph: Graph, prefix: str) -> None:
    """Give the graph's variables the values of the checkpoint `prefix`.

    Raises MnistGraphError for one that is damaged or of another graph.
    """
    try:
        with graph.graph.as_default():  # outside of one, Saver takes itself to be eager
            graph.saver.restore(session, prefix)
    except (ValueError, tf.errors.OpError) as error:
        raise MnistGraphError(
            f"the checkpoint {prefix} is damaged or not of this recipe; train again"
        ) from error


def count_correct(session: tf.compat.v1.Session, graph: Graph, dataset: DataSet) -> int:
    """How many of the images of `dataset` the network reads right, judged in pieces."""
    judge = session.make_callable(graph.correct, [graph.pixels, graph.labels])
    pieces = range(0, dataset.num_examples, EVALUATION_BATCH)
    parts = (slice(start, start + EVALUATION_BATCH) for start in pieces)
    return sum(int(judge(dataset.pixels[part], sparse_labels(dataset, part))) for part in parts)
