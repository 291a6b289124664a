"""The loop: a session, batches, train_step, and now and then a look at loss and accuracy."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mnist_graph.batches import Batch, batches, sparse_labels
from mnist_graph.checkpoints import Checkpoint
from mnist_graph.datasets import DataSet, DataSets
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.events import EventFiles
from mnist_graph.graph import Graph, Network, build_graph
from mnist_graph.hooks import Checkpoints, History, Hook, Stop
from mnist_graph.recipe import Recipe
from mnist_graph.records import Records
from mnist_graph.runs import Evaluation, Result, Run, create_run, load_run
from mnist_graph.schedules import learning_rate
from mnist_graph.sessions import Device, choose_device, open_session

EVALUATION_BATCH = 250
"""Images judged at a time: enough to keep the cores busy, few enough to keep memory flat."""

RUN_SECONDS = 0.03
"""How long the graph is left to itself, about."""

RUN_STEPS = 5
"""Or longer, for so many steps: the way into it is a fiftieth of a step of cnn."""

PATIENCE = 0.1
"""But no longer than these seconds."""

RUN_PIXELS = 8_000_000
"""Of the images that are fed at a time, at most."""


class Judged(NamedTuple):
    """What the network made of the test images."""

    iteration: int
    """The last that was done."""
    loss: float
    """As the recipe's is: the mean, or, where it sums, that of as many as a batch has."""
    accuracy: float
    labels: np.ndarray
    """int32 [n]."""
    guesses: np.ndarray
    """int32 [n]."""


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
        return Training(run, graph, data, chosen, log_every, save_every, hooks).finish()


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
        return Training(run, graph, data, chosen, log_every, save_every, hooks).finish()


def _build(recipe: Recipe, data: DataSets, device: Device) -> Graph:
    precise = recipe.override(precision=device.precision)
    return build_graph(precise, data.image_shape, data.classes, recipe.batch_size)


def _check_split(recipe: Recipe, data: DataSets) -> None:
    if data.validation.num_examples != recipe.validation_size:
        raise UsageError(
            f"{recipe.model} holds back {recipe.validation_size} images for validation, the data "
            f"{data.validation.num_examples}: use "
            f"read_data_sets(validation_size={recipe.validation_size})"
        )


class Training:
    """One run's graph and session while they live; what its hooks may look at."""

    run: Run
    graph: Graph
    session: tf.compat.v1.Session
    data: DataSets
    iteration: int
    """How many are done."""
    batch: Batch | None = None
    """The last that was trained on: uint8 [batch_size, height, width], int32 [batch_size]."""

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
        self.log_every = log_every
        self.checkpoints = Checkpoints(save_every)
        # Last, what would hold the others up.
        self.hooks = (History(), *hooks, self.checkpoints, Records(), EventFiles())
        self.pace = 1

    def finish(self) -> Run:
        """Train to the end, test, and write down what came out."""
        network = self.run.recipe.network
        try:
            with open_session(self.graph.graph, self.device, network) as session:
                self.session = session
                return self._finish()
        except tf.errors.ResourceExhaustedError as error:  # pragma: no cover - a GPU's
            raise MnistGraphError(
                f"out of memory on the {self.device.name}; try a smaller --batch-size or --hidden"
            ) from error

    def _finish(self) -> Run:
        self.iteration, seconds = self._restore()
        self.started = time.perf_counter() - seconds
        for hook in self.hooks:
            hook.begin(self)
        try:
            self._loop()
            seconds = self._seconds()
            unsaved = self.checkpoints.try_to_save()
            self.session.run(self.graph.use_averages)
            accuracy = self.test().accuracy
        except Stop as stop:
            stop.run, stop.iteration = self.run, self.iteration - 1
            raise
        finally:
            for hook in self.hooks:
                hook.end()
        iterations = self.run.recipe.iterations
        result = Result(accuracy, round(seconds, 3), round(iterations / seconds, 3))
        try:
            if unsaved is not None:
                raise unsaved
            self.run.write_result(result)
        except MnistGraphError as error:
            raise MnistGraphError(
                f"{error}; not kept is a training to the end, with a test accuracy of "
                f"{accuracy:.6g}"
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
        try:
            self._iterate()
        except Stop:
            self.save()
            raise

    def _iterate(self) -> None:
        graph, recipe = self.graph, self.run.recipe
        train = self.session.make_callable(
            graph.losses, [graph.pixels, graph.labels, graph.keep_prob, graph.steps]
        )
        self._judge = self.session.make_callable(
            [graph.loss, graph.accuracy], [graph.pixels, graph.labels]
        )
        keep_prob = np.float32(1 if recipe.keep_prob is None else recipe.keep_prob)
        last = slice(-recipe.batch_size, None)
        for iterations, (pixels, labels) in batches(self.data.train, recipe, self._ranges()):
            begun = time.perf_counter()
            losses = train(pixels, labels, keep_prob, len(iterations))
            self._set_pace(len(iterations), time.perf_counter() - begun)
            for iteration, loss in zip(iterations, losses, strict=True):
                self._require_finite(iteration, loss)
            self.iteration, self.batch = iterations.stop, (pixels[last], labels[last])
            if iteration % self.log_every == 0 or self.iteration == recipe.iterations:
                evaluation = Evaluation(iteration, *self.judge())
                for hook in self.hooks:
                    hook.evaluated(evaluation)
            for hook in self.hooks:
                hook.after_iteration(iteration)
            self._pulse()

    def _pulse(self) -> None:
        begun = time.perf_counter()
        for hook in self.hooks:
            hook.pulse()
        while any(hook.paused for hook in self.hooks):
            time.sleep(RUN_SECONDS)
            for hook in self.hooks:
                hook.pulse()
        self.started += time.perf_counter() - begun

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
        step = seconds / steps
        patience = min(PATIENCE, *(hook.patience for hook in self.hooks))
        goal = min(max(RUN_SECONDS, RUN_STEPS * step), patience) / step
        self.pace = int(max(1, min(goal, 2 * self.pace, RUN_PIXELS / batch)))

    def judge(self) -> tuple[float, float]:
        """Loss and accuracy of `batch`, of six digits, at keep_prob 1. Raises MnistGraphError
        where the loss is no number.
        """
        loss, accuracy = (float(f"{value:.6g}") for value in self._judge(*self.batch))
        self._require_finite(self.iteration - 1, loss)
        return loss, accuracy

    def test(self) -> Judged:
        """Judge the test images, and let the hooks know."""
        recipe, labels = self.run.recipe, sparse_labels(self.data.test, slice(None))
        logits = judge_images(self.session, self.graph, self.data.test, self._pulse)
        guesses = logits.argmax(axis=1).astype(np.int32)
        scale = recipe.batch_size if recipe.loss == "sum" else 1
        loss = scale * cross_entropy(logits, labels).mean()
        judged = Judged(
            iteration=self.iteration - 1,
            loss=float(f"{loss:.6g}"),
            accuracy=float((guesses == labels).mean()),
            labels=labels,
            guesses=guesses,
        )
        for hook in self.hooks:
            hook.tested(judged)
        return judged

    def _require_finite(self, iteration: int, loss: float) -> None:
        if math.isfinite(loss):
            return
        with tf.Graph().as_default() as graph, open_session(graph, self.device) as session:
            rate = session.run(learning_rate(self.run.recipe, tf.constant(iteration)))
        raise MnistGraphError(
            f"the loss is {loss} at iteration {iteration}, at a learning rate of {rate:.3g}: "
            f"try a lower --learning-rate; what was saved before stays in {self.run.directory}"
        )

    def save(self) -> None:
        """Write a checkpoint. Raises MnistGraphError where it cannot be."""

        def write(prefix: str) -> None:
            self.graph.saver.save(self.session, prefix, write_state=False)

        self.run.save_checkpoint(write, self.iteration, self._seconds())

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


def restore(session: tf.compat.v1.Session, network: Network, checkpoint: Checkpoint) -> None:
    """Give the network's variables the values of `checkpoint`.

    Raises MnistGraphError for one that is damaged or of another network.
    """
    with network.graph.as_default():  # outside of one, Saver takes itself to be eager
        variables = tf.compat.v1.global_variables()
        wanted = sum(v.shape.num_elements() * v.dtype.size for v in variables)
        # Before memory is taken for what it may say.
        held = sum(path.stat().st_size for path in checkpoint.folder.glob("*.data-*"))
        most = 1.01 * wanted + 2**16 if isinstance(network, Graph) else math.inf
        try:
            if not wanted <= held <= most:
                raise ValueError
            network.saver.restore(session, checkpoint.prefix)
        except (ValueError, OSError, tf.errors.OpError) as error:
            raise MnistGraphError(
                f"the checkpoint {checkpoint.folder} is damaged or not of this recipe; train again"
            ) from error


def judge_images(
    session: tf.compat.v1.Session,
    network: Network,
    dataset: DataSet,
    between: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """The logits of the images of `dataset`, float32 [n, classes], judged in pieces, and what
    is to be called `between` them.
    """
    judge = session.make_callable(network.logits, [network.pixels])
    pieces = []
    for start in range(0, dataset.num_examples, EVALUATION_BATCH):
        pieces.append(judge(dataset.pixels[start : start + EVALUATION_BATCH]))
        between()
    return np.concatenate(pieces)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of each of logits [n, classes] and labels [n]: float64 [n]."""
    shifted = logits - logits.max(axis=1, keepdims=True).astype(np.float64)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
