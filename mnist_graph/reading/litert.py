"""The doors of `reader` and `classifier` again, with LiteRT: TensorFlow is not imported."""

from mnist_graph.reading.digit_reading import DigitReading
from mnist_graph.reading.row_reading import RowReading
from mnist_graph.reading.second_opinion import SecondOpinion
from mnist_graph.runs.litert import LiteRTPredictor, LiteRTStripPredictor
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import shipped_reader


class LiteRTReader(RowReading, LiteRTStripPredictor):
    """A network that reads rows of handwriting, as `Reader`, in LiteRT."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.second_opinion = SecondOpinion.for_reader(run, LiteRTPredictor)
        if self.second_opinion is not None:
            self.second_opinion.open()  # at once, as the reader itself: it writes to standard error

    def close(self) -> None:
        """Free the interpreters."""
        super().close()
        if self.second_opinion is not None:
            self.second_opinion.close()

    @classmethod
    def shipped(cls) -> "LiteRTReader":
        """Load the network in the package. Raises MnistGraphError if it is damaged."""
        return cls(shipped_reader())


class LiteRTClassifier(DigitReading, LiteRTPredictor):
    """A network that reads digits, as `Classifier`, in LiteRT."""
