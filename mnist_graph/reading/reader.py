"""A trained network that reads rows of handwriting."""

from mnist_graph.reading.row_reading import RowReading
from mnist_graph.runs.strip_predictor import StripPredictor


class Reader(RowReading, StripPredictor):
    """A network that reads rows of handwriting, in pictures of any kind (`read`) and in strips
    (`predict_strips`). `Reader.shipped()` is the one in the package; see `TrainedNetwork`.
    """
