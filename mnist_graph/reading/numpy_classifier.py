"""The door of `classifier` again, with NumPy: TensorFlow is not imported."""

from mnist_graph.reading.digit_reading import DigitReading
from mnist_graph.runs.numpy_network import NumpyPredictor


class NumpyClassifier(DigitReading, NumpyPredictor):
    """A network that reads digits, as `Classifier`, in NumPy."""
