"""The doors of `reader` and `classifier` again, with LiteRT: TensorFlow is not imported."""

from mnist_graph.reading.digit_reading import DigitReading
from mnist_graph.reading.row_reading import RowReading
from mnist_graph.runs.litert import LiteRTPredictor, LiteRTStripPredictor
from mnist_graph.runs.shipped import shipped_reader


class LiteRTReader(RowReading, LiteRTStripPredictor):
    """A network that reads rows of handwriting, as `Reader`, in LiteRT."""

    @classmethod
    def shipped(cls) -> "LiteRTReader":
        """Load the network in the package. Raises MnistGraphError if it is damaged."""
        return cls(shipped_reader())


class LiteRTClassifier(DigitReading, LiteRTPredictor):
    """A network that reads digits, as `Classifier`, in LiteRT."""
