"""The doors of `reader` and `classifier` again, with NumPy: TensorFlow is not imported."""

from mnist_graph.reading.digit_reading import DigitReading
from mnist_graph.reading.row_reading import RowReading
from mnist_graph.reading.second_opinion import SecondOpinion
from mnist_graph.runs.numpy_network import NumpyPredictor, NumpyStripPredictor
from mnist_graph.runs.run import Run


class NumpyReader(RowReading, NumpyStripPredictor):
    """A network that reads rows of handwriting, as `Reader`, in NumPy."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.second_opinion = SecondOpinion.for_reader(run, NumpyPredictor)


class NumpyClassifier(DigitReading, NumpyPredictor):
    """A network that reads digits, as `Classifier`, in NumPy."""
