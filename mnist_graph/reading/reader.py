"""A trained network that reads rows of handwriting."""

from mnist_graph.reading.row_reading import RowReading
from mnist_graph.reading.second_opinion import SecondOpinion
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.run import Run
from mnist_graph.runs.strip_predictor import StripPredictor


class Reader(RowReading, StripPredictor):
    """A network that reads rows of handwriting, in pictures of any kind (`read`) and in strips
    (`predict_strips`). `Reader.shipped()` is the one in the package; see `TrainedNetwork`.
    """

    def __init__(self, run: Run, device: str = "auto", precision: str = "float32") -> None:
        super().__init__(run, device, precision)
        self.second_opinion = SecondOpinion.for_reader(run, lambda own: Predictor(own, device))

    def close(self) -> None:
        """Close the sessions."""
        super().close()
        if self.second_opinion is not None:
            self.second_opinion.close()
