"""What the panels show: percentiles of the weights, test results, and digits with predictions."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf1

from mnist_graph.runs.digit_samples import (
    MAX_BYTES,
    DigitSample,
    are_wrong,
    save_sample,
    select_sample,
)
from mnist_graph.runs.files import cannot_write
from mnist_graph.runs.run import PERCENTILES, Metrics, Run, WeightPercentiles
from mnist_graph.training.hooks import Hook, Predictions, TimeBudget, TrainingState, warn

SHARE = 0.01
"""The share of the training time that percentiles may take."""
MAX_SAMPLE = 50_000
"""The most values of which percentiles and histograms are computed: of cnn's 3.3 million weights
every 67th. The median of 50,000 values has a standard error of 0.6 % of their standard deviation.
"""
BATCH_DIGITS = 100
"""How many digits of the last batch are saved."""
TEST_DIGITS = 1000
"""How many test digits are saved, misclassified ones first; fewer of large pictures."""
REST_BYTES = 2**16
"""How much of a file of digits is left for what is no pixel."""


class SavePanelData(Hook):
    """Saves percentiles.csv, test.csv, and the digits in batch.npz and test.npz."""

    def begin(self, training: TrainingState) -> None:
        self.training = training
        self.tests = training.run.appender("test", training.iteration)
        self.percentiles = training.run.appender("percentiles", training.iteration)
        self.budget = TimeBudget(SHARE)
        with training.graph.graph.as_default():
            variables = tf1.trainable_variables()
        self.weights = [v for v in variables if v.op.name.endswith("/weights")]
        self.biases = [v for v in variables if not v.op.name.endswith("/weights")]

    def evaluated(self, metrics: Metrics) -> None:
        if self.budget.due or self.training.is_last:
            with self.budget.measured():
                kinds = self.training.session.run([self.weights, self.biases])
                values = [value for arrays in kinds for value in compute_percentiles(arrays)]
                row: Any = WeightPercentiles
                self.percentiles.add(row(metrics.iteration, *values))

    def tested(self, test: Predictions) -> None:
        self.tests.add(Metrics(test.iteration, test.loss, test.accuracy))
        most = min(TEST_DIGITS, (MAX_BYTES - REST_BYTES) // test.pixels[0].nbytes)
        sample = select_sample(test.pixels, test.labels, test.predictions, most)
        samples = {"test": sample}
        if self.training.batch is not None:
            samples["batch"] = sample_batch(self.training)
        save_digits(self.training.run, **samples)


def sample_batch(training: TrainingState) -> DigitSample:
    """Classify digits of the batch last trained on, which must exist."""
    assert training.batch is not None
    pixels, labels = (part[:BATCH_DIGITS] for part in training.batch)
    graph = training.graph
    predictions = training.session.run(graph.predictions, {graph.pixels: pixels})
    mistakes = int(are_wrong(labels, predictions).sum())
    return DigitSample(pixels, labels, predictions, len(labels), mistakes)


def save_digits(run: Run, **samples: DigitSample) -> None:
    """Save each sample as <name>.npz; warns on failure."""
    try:
        for name, digits in samples.items():
            save_sample(run.directory / f"{name}.npz", digits)
    except OSError as error:
        warn(f"{cannot_write(run.directory, error)}; the panels will not show its digits")


def compute_percentiles(arrays: list[np.ndarray]) -> list[float]:
    """Return PERCENTILES of all values in `arrays`. Minimum and maximum are exact; the others
    are those of a sample where there are many values.
    """
    step = sample_step(sum(array.size for array in arrays))
    values = np.concatenate([array.reshape(-1)[::step] for array in arrays])
    inner = np.percentile(values, PERCENTILES[1:-1])
    lowest = min(array.min() for array in arrays)
    highest = max(array.max() for array in arrays)
    return [float(f"{value:.6g}") for value in (lowest, *inner, highest)]


def sample(array: np.ndarray) -> Any:
    """Return at most MAX_SAMPLE values of `array`, evenly spaced."""
    return array.reshape(-1)[:: sample_step(array.size)]


def sample_step(size: int) -> int:
    """Return n such that every nth of `size` values is a sample of at most MAX_SAMPLE. It is odd,
    so that no column of a matrix with rows of even length is left out.
    """
    return 1 + size // MAX_SAMPLE | 1
