"""The event files that TensorBoard shows.

They are records of `Event` messages. TensorFlow's own FileWriter writes them in a thread, and
where that fails, the thread dies with a traceback.
"""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from mnist_graph.files import cannot_write
from mnist_graph.hooks import Hook, Share, warn
from mnist_graph.records import stride
from mnist_graph.runs import Evaluation

if TYPE_CHECKING:
    from mnist_graph.training import Judged, Training

tf1 = tf.compat.v1

SHARE = 0.01
"""Of the time, for histograms."""


class EventFiles(Hook):
    """Writes loss, accuracy and learning rate at each evaluation, histograms of weights and
    biases (of a sample where there are many) as often as that takes little time, loss and
    accuracy of the test images, and the graph. Where that fails it says so once, and the
    training goes on.
    """

    def begin(self, training: "Training") -> None:
        self.training, self.start = training, training.iteration
        self.share = Share(SHARE)
        self.writer: tf.io.TFRecordWriter | None = None
        self.failed = False

    def evaluated(self, evaluation: Evaluation) -> None:
        self._try(self._write_evaluation, evaluation)

    def tested(self, judged: "Judged") -> None:
        self._try(self._write_test, judged)

    def end(self) -> None:
        if self.writer is not None:
            self._try(self.writer.close)

    def _try(self, write: Callable, *arguments: Any) -> None:
        if self.failed:
            return
        try:
            write(*arguments)
        except tf.errors.OpError as error:
            self.failed = True
            reason = cannot_write(self.training.run.directory, error)
            warn(f"{reason}; TensorBoard will not see the rest")

    def _write_evaluation(self, evaluation: Evaluation) -> None:
        self._open()
        fed = {self.loss: evaluation.loss, self.accuracy: evaluation.accuracy}
        self._summarize(self.scalars, fed, evaluation.iteration)
        if self.share.due or self.training.iteration == self.training.run.recipe.iterations:
            with self.share.taken():
                self._summarize(self.histograms, {}, evaluation.iteration)
        self.writer.flush()

    def _write_test(self, judged: "Judged") -> None:
        self._open()
        fed = {self.loss: judged.loss, self.accuracy: judged.accuracy}
        self._summarize(self.test, fed, judged.iteration)
        self.writer.flush()

    def _open(self) -> None:
        """Not before there is something to write, that is, the first line is printed, which
        this would hold up.
        """
        if self.writer is not None:
            return
        graph = self.training.graph
        definition = graph.graph.as_graph_def().SerializeToString()
        with graph.graph.as_default(), tf1.name_scope("summaries"):
            self.loss = tf1.placeholder(tf.float32, [], name="loss")
            self.accuracy = tf1.placeholder(tf.float32, [], name="accuracy")
            judged = {"loss": self.loss, "accuracy": self.accuracy}
            self.test = _scalars({f"test_{name}": value for name, value in judged.items()})
            self.scalars = _scalars({**judged, "learning_rate": graph.learning_rate})
            self.histograms = tf1.summary.merge(
                [_histogram(variable) for variable in tf1.trainable_variables()]
            )
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}"
        self.writer = tf.io.TFRecordWriter(str(self.training.run.directory / name))
        self._write(file_version="brain.Event:2")
        self._write(graph_def=definition)
        # What was written behind the checkpoint gone on from has not happened.
        started = tf1.SessionLog(status=tf1.SessionLog.START)
        self._write(session_log=started, step=self.start)

    def _summarize(self, summary: tf.Tensor, fed: dict[tf.Tensor, float], iteration: int) -> None:
        values = self.training.session.run(summary, fed)
        self._write(summary=tf1.Summary.FromString(values), step=iteration)

    def _write(self, **event: Any) -> None:
        self.writer.write(tf1.Event(wall_time=time.time(), **event).SerializeToString())


def _scalars(values: dict[str, tf.Tensor]) -> tf.Tensor:
    """What gives a summary of them, under their names: tf.summary.scalar would put the scope
    before these.
    """
    return tf1.summary.merge(
        [tf.raw_ops.ScalarSummary(tags=tag, values=value) for tag, value in values.items()]
    )


def _histogram(variable: tf.Variable) -> tf.Tensor:
    numbers = tf.reshape(variable, [-1])[:: stride(variable.shape.num_elements())]
    return tf.raw_ops.HistogramSummary(tag=variable.op.name, values=numbers)
