"""What a run keeps beside its history, to be looked at later."""

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from mnist_graph.files import cannot_write
from mnist_graph.hooks import Hook, Share, warn
from mnist_graph.runs import PERCENTILES, Evaluation, Percentiles, Run, Test
from mnist_graph.shown import Shown, save_shown, select

if TYPE_CHECKING:
    from mnist_graph.training import Judged, Training

tf1 = tf.compat.v1

SHARE = 0.01
"""Of the time, for percentiles."""
SAMPLE = 50_000
"""Numbers of which percentiles and histograms are taken, at most: of cnn's 3.3 million weights
every 67th. A median of so many is certain to within a hundredth of their standard deviation.
"""
BATCH_DIGITS = 100
TEST_DIGITS = 1000


class Records(Hook):
    """Keeps percentiles of the weights, how the test images were read, and digits of these
    and of the last batch.
    """

    def begin(self, training: "Training") -> None:
        self.training = training
        self.tests = training.run.recorder("test", training.iteration)
        self.percentiles = training.run.recorder("percentiles", training.iteration)
        self.share = Share(SHARE)
        with training.graph.graph.as_default():
            variables = tf1.trainable_variables()
        self.weights = [v for v in variables if v.op.name.endswith("/weights")]
        self.biases = [v for v in variables if not v.op.name.endswith("/weights")]

    def evaluated(self, evaluation: Evaluation) -> None:
        if self.share.due or self.training.iteration == self.training.run.recipe.iterations:
            with self.share.taken():
                values = self.training.session.run([self.weights, self.biases])
                each = (number for arrays in values for number in percentiles(arrays))
                self.percentiles.add(Percentiles(evaluation.iteration, *each))

    def tested(self, judged: "Judged") -> None:
        self.tests.add(Test(judged.iteration, judged.loss, judged.accuracy))
        pixels = self.training.data.test.pixels
        test = select(pixels, judged.labels, judged.guesses, TEST_DIGITS)
        trained = self.training.batch is not None
        batch = {"batch": batch_digits(self.training)} if trained else {}
        keep_digits(self.training.run, test=test, **batch)


def batch_digits(training: "Training") -> Shown:
    """Digits of the batch last trained on."""
    pixels, labels = (part[:BATCH_DIGITS] for part in training.batch)
    graph = training.graph
    logits = training.session.run(graph.logits, {graph.pixels: pixels})
    guesses = logits.argmax(axis=1).astype(np.int32)
    return Shown(pixels, labels, guesses, len(labels), int((labels != guesses).sum()))


def keep_digits(run: Run, **shown: Shown) -> None:
    """Keep each under its name; warns where that cannot be."""
    try:
        for name, digits in shown.items():
            save_shown(run.directory / f"{name}.npz", digits)
    except OSError as error:
        warn(f"{cannot_write(run.directory, error)}; its digits cannot be looked at")


def percentiles(arrays: list[np.ndarray]) -> list[float]:
    """PERCENTILES of the numbers in `arrays`, taken together; of many, those between the least
    and the greatest are a sample's.
    """
    step = stride(sum(array.size for array in arrays))
    sample = np.concatenate([array.reshape(-1)[::step] for array in arrays])
    between = np.percentile(sample, PERCENTILES[1:-1])
    least = min(array.min() for array in arrays)
    greatest = max(array.max() for array in arrays)
    return [float(f"{number:.6g}") for number in (least, *between, greatest)]


def stride(size: int) -> int:
    """Of so many numbers, every so manyth is a sample of at most SAMPLE. It is odd, so that of
    a matrix whose rows have an even length no column is left out.
    """
    return 1 + size // SAMPLE | 1
