"""The training loop: a session, batches, training steps, and regular evaluations.

The loop takes several steps per session call (graph/multistep.py); apart from that it is the
tutorials': feed a batch, run train_step, every 100 iterations print loss and accuracy, at the
end test.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.batches import WHOLE, Batch, test_examples, training_batches
from mnist_graph.data.datasets import DataSets
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.build import Graph
from mnist_graph.graph.layers import BATCH_NORM_EPSILON
from mnist_graph.graph.multistep import MultiStep
from mnist_graph.graph.schedules import learning_rate
from mnist_graph.graph.sessions import Device, open_session
from mnist_graph.graph.share import Share
from mnist_graph.runs.batches import BATCH, batch_slices, strips_per_call
from mnist_graph.runs.digit_samples import are_wrong
from mnist_graph.runs.predictor import restore
from mnist_graph.runs.run import Metrics, Result, Run
from mnist_graph.runs.shipped import fold_normalization
from mnist_graph.runs.weights import write_weights
from mnist_graph.training.hooks import Hook, Predictions, Stop
from mnist_graph.training.pace import Pace, most_steps
from mnist_graph.training.start import assign_weights
from mnist_graph.training.team import Team

PAUSE_SECONDS = 0.03
"""From one call of `pulse` to the next while a hook has paused training."""


class Training:
    """One run while it is being trained: its graph, its session, its hooks."""

    iteration: int
    _batch: Batch | None = None

    def __init__(
        self,
        run: Run,
        data: DataSets,
        device: Device,
        graph: Graph,
        multistep: MultiStep,
        share: Share | None,
        log_every: int,
        hooks: Sequence[Hook],
        team: Team,
        weights: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.run, self.data, self.weights = run, data, weights
        self.device, self.graph, self.multistep = device, graph, multistep
        self.log_every, self.hooks = log_every, hooks
        self.share, self.team = share, team

    @property
    def is_last(self) -> bool:
        """Whether all iterations are completed."""
        return self.iteration == self.run.recipe.iterations

    def finish(self) -> Run:
        """Train to the end, test, write the result, and return the run."""
        network = self.run.recipe.network
        try:
            with self.team.open_session(self.graph.graph, self.device, network) as self.session:
                return self._finish()
        except tf.errors.ResourceExhaustedError as error:  # pragma: no cover - on a GPU
            raise MnistGraphError(
                f"out of memory on the {self.device.name}; try a smaller --batch-size or --hidden"
            ) from error

    def _finish(self) -> Run:
        self.iteration, seconds = self._restore()
        self.team.begin(self.session, self.graph)
        self.started, self.first = time.perf_counter() - seconds, self.iteration
        if self.weights is not None:
            self.save()  # from here on, the run that it starts from is not needed any more
        with ExitStack() as begun:
            for hook in self.hooks:
                hook.begin(self)
                begun.callback(hook.end)
            try:
                self._train()
                seconds = self._seconds()
                unsaved = self._try_to_save()
                self.session.run(self.graph.use_averages)
                accuracy = self.test().accuracy
            except Stop as stop:
                stop.run, stop.iteration = self.run, self.iteration - 1
                raise
        speed = self.run.recipe.iterations / seconds
        try:
            if unsaved is not None:
                raise unsaved
            self.run.write_result(Result(accuracy, round(seconds, 3), round(speed, 3)))
        except MnistGraphError as error:
            raise MnistGraphError(
                f"{error}; training finished (test accuracy {accuracy:.6g}) but could not be saved"
            ) from error
        return self.run

    def _restore(self) -> tuple[int, float]:
        """Initialize or restore the variables; return the completed iterations and the seconds
        they took.
        """
        checkpoint = self.run.checkpoint()
        if checkpoint is None:
            self.session.run(self.graph.initialize)
            if self.weights is not None:
                assign_weights(self.session, self.graph, self.weights)
            elif self.run.start is not None:
                raise MnistGraphError(
                    f"{self.run.directory} was interrupted before it had the weights of "
                    f"{self.run.start.run}; delete it and repeat the command with --start-from"
                )
            return 0, 0.0
        restore(self.session, self.graph, checkpoint)
        return checkpoint.iteration, checkpoint.seconds

    def _train(self) -> None:
        try:
            self._iterate()
        except Stop:
            self.save()
            raise

    def _iterate(self) -> None:
        recipe, steps = self.run.recipe, self.multistep
        take_steps = self.session.make_callable(
            steps.losses, [steps.pixels, steps.labels, steps.keep_prob, steps.steps]
        )
        self._evaluate = self.session.make_callable(
            [self.graph.loss, self.graph.accuracy], [self.graph.pixels, self.graph.labels]
        )
        keep_prob = np.float32(recipe.fed_keep_prob)
        patience = min((hook.patience for hook in self.hooks), default=math.inf)
        image_pixels = recipe.batch_size * math.prod(self.data.image_shape)
        pace = Pace(1 if steps.takes_one else most_steps(image_pixels), patience)
        stops = [stop for hook in self.hooks for stop in hook.stops]
        ranges = pace.ranges(self.iteration, recipe.iterations, self.log_every, stops)
        rows = WHOLE if self.share is None else self.share.rows
        for iterations, (pixels, labels) in self._batches(self.team.announce(ranges), rows):
            with pace.measured(len(iterations)), self.team.running():
                losses = take_steps(pixels, labels, keep_prob, len(iterations))
            for iteration, loss in zip(iterations, losses, strict=True):
                self._require_finite(iteration, loss)
            self.iteration = iterations.stop
            if self.share is None:
                last = slice(-recipe.batch_size, None)
                self._batch = pixels[last], labels[last]
            else:
                self._batch = None
            if iteration % self.log_every == 0 or self.is_last:
                metrics = Metrics(iteration, *self.evaluate_batch())
                for hook in self.hooks:
                    hook.evaluated(metrics)
            for hook in self.hooks:
                hook.after_iteration(iteration)
            self._pulse()

    def _batches(
        self, ranges: Iterable[range], rows: slice = WHOLE
    ) -> Iterator[tuple[range, Batch]]:
        recipe = self.run.recipe
        return training_batches(self.data, recipe, recipe.reads_strips, ranges, rows)

    @property
    def batch(self) -> Batch | None:
        """The batch last trained on; of a share, the whole batch, made when it is first needed."""
        if self._batch is None and self.share is not None and self.iteration > self.first:
            last = range(self.iteration - 1, self.iteration)
            ((_, self._batch),) = self._batches([last])
        return self._batch

    def _pulse(self) -> None:
        """Give hooks their turn; time that they pause does not count as training."""
        start = time.perf_counter()
        for hook in self.hooks:
            hook.pulse()
        while any(hook.paused for hook in self.hooks):
            time.sleep(PAUSE_SECONDS)
            for hook in self.hooks:
                hook.pulse()
        self.started += time.perf_counter() - start

    def evaluate_batch(self) -> tuple[float, float]:
        """Return loss and accuracy of `batch` at keep_prob 1, each rounded to six digits.
        Raises MnistGraphError if the loss is NaN or infinite.
        """
        batch = self.batch
        assert batch is not None
        loss, accuracy = (float(f"{value:.6g}") for value in self._evaluate(*batch))
        self._require_finite(self.iteration - 1, loss)
        return loss, accuracy

    def test(self) -> Predictions:
        """Evaluate the test images or strips, and tell the hooks."""
        graph, recipe = self.graph, self.run.recipe
        pixels, labels = test_examples(self.data, recipe.reads_strips)
        run = self.session.make_callable(
            [graph.predictions, graph.cross_entropies], [graph.pixels, graph.labels]
        )
        predictions, losses = [], []
        size = strips_per_call(pixels.shape[2]) if recipe.reads_strips else BATCH
        for part in batch_slices(len(labels), size):
            predicted, cross_entropies = run(pixels[part], labels[part])
            predictions.append(predicted)
            losses.append(cross_entropies)
            self._pulse()
        all_predictions = np.concatenate(predictions)
        scale = recipe.batch_size if recipe.loss == "sum" else 1
        mean = np.concatenate(losses).mean(dtype=np.float64)
        test = Predictions(
            iteration=self.iteration - 1,
            loss=float(f"{scale * mean:.6g}"),
            accuracy=float((~are_wrong(labels, all_predictions)).mean()),
            pixels=pixels,
            labels=labels,
            predictions=all_predictions,
        )
        for hook in self.hooks:
            hook.tested(test)
        return test

    def _require_finite(self, iteration: int, loss: float) -> None:
        if math.isfinite(loss):
            return
        with tf.Graph().as_default() as graph, open_session(graph, self.device) as session:
            rate = session.run(learning_rate(self.run.recipe, tf.constant(iteration)))
        message = (
            f"the loss is {loss} at iteration {iteration}, at a learning rate of {rate:.3g}: "
            "try a lower --learning-rate"
        )
        checkpoint = self.run.checkpoint()
        if checkpoint is not None and checkpoint.iteration:
            message += f"; earlier checkpoints are in {self.run.directory}"
        raise MnistGraphError(message)

    def save(self) -> None:
        """Write a checkpoint. Raises MnistGraphError if that fails."""
        self.team.require_equal(self.iteration)

        def write(prefix: str) -> None:
            self.graph.saver.save(self.session, prefix, write_state=False)
            if self.is_last:
                write_weights(prefix, self._trained_weights())

        self.run.save_checkpoint(write, self.iteration, self._seconds())

    def _trained_weights(self) -> dict[str, np.ndarray]:
        """Return what a network without training needs, by name."""
        averages, is_averaged = self.graph.averages, self.run.recipe.average_weights
        with self.graph.graph.as_default():
            trained = {
                v.op.name: averages.average(v) if is_averaged else v
                for v in tf1.trainable_variables()
            }
            moments = {v.op.name: v for v in tf1.global_variables() if "/moving_" in v.op.name}
        return fold_normalization(self.session.run(trained | moments), BATCH_NORM_EPSILON)

    def _try_to_save(self) -> MnistGraphError | None:
        """Write the last checkpoint; return the error, so that the test can still be run."""
        try:
            self.save()
        except MnistGraphError as error:
            return error
        return None

    def _seconds(self) -> float:
        return time.perf_counter() - self.started
