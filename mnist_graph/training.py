"""The loop: a session, batches, train_step, and now and then a look at loss and accuracy."""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from mnist_graph.batches import batches, sparse_labels
from mnist_graph.checkpoints import Checkpoint
from mnist_graph.datasets import DataSet, DataSets
from mnist_graph.errors import MnistGraphError, MnistGraphWarning, UsageError
from mnist_graph.graph import Graph, build_graph
from mnist_graph.recipe import Recipe
from mnist_graph.runs import Evaluation, Result, Run, create_run, load_run
from mnist_graph.sessions import Device, choose_device, open_session

EVALUATION_BATCH = 250
"""Images judged at a time: enough to keep the cores busy, few enough to keep memory flat."""

RUN_SECONDS = 0.05
"""How long the graph is left to itself, about."""

RUN_PIXELS = 8_000_000
"""Of the images that are fed at a time, at most; as floats in the graph they take 32 MB."""


class Hook:
    """Something that goes along with a training; the loop knows of it only this."""

    def begin(self, run: Run, iteration: int) -> None:
        """Before the loop, which starts at `iteration`."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """The batch just trained on was judged."""

    def after_iteration(self, iteration: int) -> None:
        """`iteration` is done, as are those before it; small networks take several between
        two such calls. Raising Stop ends the loop here, with a checkpoint.
        """

    def end(self) -> None:
        """After the loop, however it ended."""


class Stop(Exception):  # noqa: N818 - nothing went wrong
    """Raised by a hook to stop a training, and passed on by it once its state is saved."""

    run: Run
    iteration: int
    """The last that was done."""


class History(Hook):
    """Keeps history.csv; where it cannot be written, it is as soon as it can."""

    def begin(self, run: Run, iteration: int) -> None:
        self.run = run
        self.evaluations = [e for e in run.history if e.iteration < iteration]
        self.behind = False
        run.write_history(self.evaluations)

    def evaluated(self, evaluation: Evaluation) -> None:
        self.evaluations.append(evaluation)
        try:
            if self.behind:
                self.run.write_history(self.evaluations)
            else:
                self.run.append_history(evaluation)
            self.behind = False
        except MnistGraphError as error:
            if not self.behind:
                _warn(f"{error}; the history will be written as soon as it can be")
            self.behind = True


def train(
    recipe: Recipe,
    data: DataSets,
    run_dir: str | Path | None = None,
    *,
    runs_dir: str | Path = "runs",
    device: str = "auto",
    log_every: int = 100,
    save_every: float = 60.0,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train `recipe` on data.train, test it on data.test, and return the finished run.

    The run is kept in `run_dir`, by default a fresh directory under runs_dir/<model>/. Every
    `log_every` iterations, and at the last, the hooks are told loss and accuracy of the
    batch just trained on, at keep_prob 1. The order of the batches follows from recipe.seed.
    Every `save_every` seconds, and at the end, there is a checkpoint to `resume` from; where
    it cannot be written, a MnistGraphWarning says so and the training goes on.

    Raises MnistGraphError where the device is not there, the run cannot be written in the
    end, or the loss is no longer a number.
    """
    _check_split(recipe, data)
    chosen = choose_device(device, recipe.precision)
    graph = _build(recipe, data, chosen)  # before a run is begun that cannot be
    run = create_run(
        recipe, data.image_shape, data.classes, data.sha256, str(chosen), runs_dir, run_dir
    )
    with run.locked():
        return _Training(run, graph, data, chosen, log_every, save_every, hooks).finish()


def resume(
    run_dir: str | Path,
    data: DataSets,
    *,
    iterations: int | None = None,
    device: str = "auto",
    log_every: int = 100,
    save_every: float = 60.0,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Go on with the unfinished run in `run_dir` as `train` would have; returns it finished.

    `iterations` may be more than the run had: a schedule that follows their number, as
    one-cycle does, then goes on from where it is in the longer run. A finished run is
    otherwise returned as it is. Raises MnistGraphError like `train`, and where the data is
    not what the run was trained on or another process trains it.
    """
    run = load_run(run_dir)
    if iterations is not None and iterations < run.recipe.iterations:
        raise UsageError(f"in {run_dir} iterations is {run.recipe.iterations}, not {iterations}")
    longer = iterations is not None and iterations > run.recipe.iterations
    if run.result is not None and not longer:
        return run
    if run.sha256 != data.sha256:
        raise UsageError(f"{run_dir} was trained on other data; give its --data-dir")
    _check_split(run.recipe, data)
    chosen = choose_device(device, run.recipe.precision)
    with run.locked():
        if longer:
            run = run.lengthened(iterations)
        graph = _build(run.recipe, data, chosen)
        return _Training(run, graph, data, chosen, log_every, save_every, hooks).finish()


def _build(recipe: Recipe, data: DataSets, device: Device) -> Graph:
    precise = recipe.override(precision=device.precision)
    return build_graph(precise, data.image_shape, data.classes, recipe.batch_size)


def _warn(message: str) -> None:
    warnings.warn(message, MnistGraphWarning, stacklevel=3)


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
        self,
        run: Run,
        graph: Graph,
        data: DataSets,
        device: Device,
        log_every: int,
        save_every: float,
        hooks: Sequence[Hook],
    ) -> None:
        self.run, self.graph, self.data, self.device = run, graph, data, device
        self.log_every, self.save_every = log_every, save_every
        self.pace = 1
        self.hooks = (History(), *hooks)

    def finish(self) -> Run:
        try:
            return self._finish()
        except tf.errors.ResourceExhaustedError as error:  # pragma: no cover - a GPU's
            raise MnistGraphError(
                f"out of memory on the {self.device.name}; try a smaller --batch-size or --hidden"
            ) from error

    def _finish(self) -> Run:
        recipe = self.run.recipe
        with open_session(self.graph.graph, self.device) as session:
            self.session = session
            self.iteration, seconds = self._restore()
            self.saved = time.perf_counter()
            self.started = self.saved - seconds
            self._loop()
            seconds = self._seconds()
            unsaved = self._try_to_save()
            session.run(self.graph.use_averages)
            correct = count_correct(session, self.graph, self.data.test)
        result = Result(
            test_accuracy=correct / self.data.test.num_examples,
            seconds=round(seconds, 3),
            iterations_per_second=round(recipe.iterations / seconds, 3),
        )
        try:
            if unsaved is not None:
                raise unsaved
            self.run.write_result(result)
        except MnistGraphError as error:
            raise MnistGraphError(
                f"{error}; not kept is a training to the end, with a test accuracy of "
                f"{result.test_accuracy:.6g}"
            ) from error
        return self.run

    def _restore(self) -> tuple[int, float]:
        """Start the variables; returns the iterations done and the seconds they took."""
        checkpoint = self.run.checkpoint()
        if checkpoint is None:
            self.session.run(self.graph.initialize)
            return 0, 0.0
        restore(self.session, self.graph, checkpoint)
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
        graph, recipe = self.graph, self.run.recipe
        train = self.session.make_callable(
            graph.losses, [graph.pixels, graph.labels, graph.keep_prob, graph.steps]
        )
        judge = self.session.make_callable(
            [graph.loss, graph.accuracy], [graph.pixels, graph.labels]
        )
        keep_prob = np.float32(1 if recipe.keep_prob is None else recipe.keep_prob)
        for iterations, (pixels, labels) in batches(self.data.train, recipe, self._ranges()):
            begun = time.perf_counter()
            losses = train(pixels, labels, keep_prob, len(iterations))
            self._set_pace(len(iterations), time.perf_counter() - begun)
            for iteration, loss in zip(iterations, losses, strict=True):
                self._require_finite(iteration, loss)
            self.iteration = iterations.stop
            last = slice(-recipe.batch_size, None)
            if iteration % self.log_every == 0 or self.iteration == recipe.iterations:
                self._evaluate(judge, iteration, pixels[last], labels[last])
            for hook in self.hooks:
                hook.after_iteration(iteration)
            if time.perf_counter() - self.saved >= self.save_every:
                self._save_between(judge, iteration, pixels[last], labels[last])

    def _ranges(self) -> Iterator[range]:
        """The iterations left, in parts that the graph takes in one run; a part ends where
        its last batch is to be judged. What is learned does not depend on the parts.
        """
        start, end = self.iteration, self.run.recipe.iterations
        while start < end:
            judged = -(-start // self.log_every) * self.log_every
            part = range(start, min(start + self.pace, judged + 1, end))
            yield part
            start = part.stop

    def _set_pace(self, steps: int, seconds: float) -> None:
        """Let a run of the graph be of so many steps that the way into it costs little, and
        so few that hooks are soon heard again.
        """
        batch = self.run.recipe.batch_size * math.prod(self.data.image_shape)
        goal = min(RUN_SECONDS, self.save_every) * steps / seconds
        self.pace = int(max(1, min(goal, 2 * self.pace, RUN_PIXELS / batch)))

    def _save_between(
        self, judge: Callable, iteration: int, pixels: np.ndarray, labels: np.ndarray
    ) -> None:
        """Save weights with which the loss is still a number."""
        loss, _ = judge(pixels, labels)
        self._require_finite(iteration, loss)
        error = self._try_to_save()
        if error is not None:
            _warn(f"{error}; trying again in {self.save_every:g} seconds")

    def _try_to_save(self) -> MnistGraphError | None:
        """What kept the checkpoint from being written; None where nothing did."""
        try:
            self._save()
        except MnistGraphError as error:
            return error
        finally:
            self.saved = time.perf_counter()
        return None

    def _evaluate(
        self, judge: Callable, iteration: int, pixels: np.ndarray, labels: np.ndarray
    ) -> None:
        loss, accuracy = (float(f"{value:.6g}") for value in judge(pixels, labels))
        self._require_finite(iteration, loss)
        for hook in self.hooks:
            hook.evaluated(Evaluation(iteration, loss, accuracy))

    def _require_finite(self, iteration: int, loss: float) -> None:
        if math.isfinite(loss):
            return
        rate = float(self.session.run(self.graph.learning_rate))
        raise MnistGraphError(
            f"the loss is {loss} at iteration {iteration}, at a learning rate of {rate:.3g}: "
            f"try a lower --learning-rate; what was saved before stays in {self.run.directory}"
        )

    def _save(self) -> None:
        def write(prefix: str) -> None:
            self.graph.saver.save(self.session, prefix, write_state=False)

        self.run.save_checkpoint(write, self.iteration, self._seconds())

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


def restore(session: tf.compat.v1.Session, graph: Graph, checkpoint: Checkpoint) -> None:
    """Give the graph's variables the values of `checkpoint`.

    Raises MnistGraphError for one that is damaged or of another graph.
    """
    with graph.graph.as_default():  # outside of one, Saver takes itself to be eager
        variables = tf.compat.v1.global_variables()
        wanted = sum(v.shape.num_elements() * v.dtype.size for v in variables)
        # Before memory is taken for what it may say.
        held = sum(path.stat().st_size for path in checkpoint.folder.glob("*.data-*"))
        try:
            if not wanted <= held <= 1.01 * wanted + 2**16:
                raise ValueError
            graph.saver.restore(session, checkpoint.prefix)
        except (ValueError, OSError, tf.errors.OpError) as error:
            raise MnistGraphError(
                f"the checkpoint {checkpoint.folder} is damaged or not of this recipe; train again"
            ) from error


def count_correct(session: tf.compat.v1.Session, graph: Graph, dataset: DataSet) -> int:
    """How many of the images of `dataset` the network reads right, judged in pieces."""
    judge = session.make_callable(graph.correct, [graph.pixels, graph.labels])
    pieces = range(0, dataset.num_examples, EVALUATION_BATCH)
    parts = (slice(start, start + EVALUATION_BATCH) for start in pieces)
    return sum(int(judge(dataset.pixels[part], sparse_labels(dataset, part))) for part in parts)
