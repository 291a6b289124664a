"""A trained network that reads pictures of handwriting."""

from mnist_graph.reading.digit_reading import DigitReading
from mnist_graph.runs.predictor import Predictor


class Classifier(DigitReading, Predictor):
    """The network of a finished run, for images in MNIST's form (`predict`) and for pictures of
    any kind (`read`). See `Predictor` for how to open one.
    """
