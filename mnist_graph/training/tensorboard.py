"""The event files that TensorBoard shows.

TensorBoard's own package makes the summaries from arrays, without adding operations to the graph.
The records are written here, since TensorFlow's FileWriter writes in a thread that dies with a
traceback if the disk is full.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.runs.files import cannot_write
from mnist_graph.runs.run import Metrics
from mnist_graph.training.hooks import Hook, Predictions, TimeBudget, TrainingState, warn
from mnist_graph.training.panel_data import sample

SHARE = 0.01
"""The share of the training time that histograms may take."""


class WriteEventFiles(Hook):
    """Writes loss, accuracy and learning rate at each evaluation; histograms of weights and
    biases (of a sample where there are many) as often as the time budget allows; loss and
    accuracy of the test images; and the graph. If writing fails, warns once; training continues.
    """

    def begin(self, training: TrainingState) -> None:
        self.training, self.start = training, training.iteration
        self.budget = TimeBudget(SHARE)
        self.writer: tf.io.TFRecordWriter | None = None
        self.failed = False
        with training.graph.graph.as_default():
            self.variables = tf1.trainable_variables()

    def evaluated(self, metrics: Metrics) -> None:
        self._try(self._write_evaluation, metrics)

    def tested(self, test: Predictions) -> None:
        of = self.training.run.tested_on
        values = {f"{of}_loss": test.loss, f"{of}_accuracy": test.accuracy}
        self._try(self._write_scalars, values, test.iteration)

    def end(self) -> None:
        if self.writer is not None:
            self._try(self.writer.close)

    def _try(self, write: Callable[..., None], *arguments: Any) -> None:
        if self.failed:
            return
        try:
            write(*arguments)
        except tf.errors.OpError as error:
            self.failed = True
            reason = cannot_write(self.training.run.directory, error)
            warn(f"{reason}; TensorBoard will not show the rest")

    def _write_evaluation(self, metrics: Metrics) -> None:
        session = self.training.session
        rate = session.run(self.training.graph.learning_rate)
        values = {"loss": metrics.loss, "accuracy": metrics.accuracy, "learning_rate": rate}
        self._write_scalars(values, metrics.iteration)
        if self.budget.due or self.training.is_last:
            with self.budget.measured():
                self._write_histograms(session.run(self.variables), metrics.iteration)

    def _write_scalars(self, values: dict[str, float], iteration: int) -> None:
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        writer = self._open()
        for tag, value in values.items():
            self._write(writer, summary=scalar_pb(tag, value), step=iteration)
        writer.flush()

    def _write_histograms(self, arrays: list[Any], iteration: int) -> None:
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        writer = self._open()
        for variable, array in zip(self.variables, arrays, strict=True):
            summary = histogram_pb(variable.op.name, sample(array))
            self._write(writer, summary=summary, step=iteration)
        writer.flush()

    def _open(self) -> tf.io.TFRecordWriter:
        """Open the file at the first write, so that the first printed line does not wait."""
        if self.writer is None:
            from tensorboard.compat.proto.event_pb2 import SessionLog

            name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}"
            self.writer = tf.io.TFRecordWriter(str(self.training.run.directory / name))
            graph = self.training.graph.graph.as_graph_def().SerializeToString()
            self._write(self.writer, file_version="brain.Event:2")
            self._write(self.writer, graph_def=graph)
            # Tells TensorBoard to discard what was written after the restored checkpoint.
            started = SessionLog(status=SessionLog.START)
            self._write(self.writer, session_log=started, step=self.start)
        return self.writer

    @staticmethod
    def _write(writer: tf.io.TFRecordWriter, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        writer.write(Event(wall_time=time.time(), **event).SerializeToString())
