"""The six panels on a figure of matplotlib's."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mnist_graph.panels.panel import Bands, Curves, Digits
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.run import PERCENTILES

ALL = (1, 2, 3, 4, 5, 6)
COMPARABLE = (1, 2, 4, 5)
"""Those in which several runs are drawn over each other."""
SIZE = (16.0, 9.0)
"""Of the figure, in inches."""
LEFT, RIGHT, BOTTOM, ABOVE = 0.05, 0.02, 0.06, 0.04
"""The margins of a panel, as shares of the figure."""
TOP = 0.04
"""That of the figure."""


class Panels:
    """Draws what runs have recorded on `figure`; several of them over each other.

    1 accuracy and 2 cross-entropy of the training batch and of the test images; 3 digits of
    the last batch; 4 percentiles of the weights and 5 of the biases; 6 test digits, those
    taken for another first.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        axes = [figure.add_subplot(label=str(number)) for number in ALL]
        self.panels = {
            1: Curves(axes[0], "1  Accuracy", "accuracy"),
            2: Curves(axes[1], "2  Cross-entropy", "loss"),
            3: Digits(axes[2], "3  Training digits", "batch", zoom=2),
            4: Bands(axes[3], "4  Weights", 1),
            5: Bands(axes[4], "5  Biases", 1 + len(PERCENTILES)),
            6: Digits(axes[5], "6  Test digits", "tested", with_scale=True),
        }
        self.title = figure.text(0.5, 0.985, "", ha="center", va="top", fontsize=10)
        self.runs: Sequence[RunData] = ()
        self.chosen: Sequence[int] = ALL
        self.cells: dict[int, tuple] = {}
        """The place that each panel has: lower left corner, width and height."""

    def show(self, runs: Sequence[RunData]) -> None:
        """Draw `runs` as they are now."""
        self.runs = runs
        self.title.set_text(runs[0].name if len(runs) == 1 else "")
        self.choose(self.chosen)

    def choose(self, numbers: Sequence[int]) -> None:
        """Let these panels have the figure to themselves, as they lie to each other."""
        self.chosen = numbers
        if len(self.runs) > 1:
            numbers = [number for number in numbers if number in COMPARABLE] or COMPARABLE
        columns, rows = ({place(number) for number in numbers} for place in (_column, _row))
        columns, rows = sorted(columns), sorted(rows)
        width, height = 1 / len(columns), (1 - TOP) / len(rows)
        self.cells = {}
        for number, panel in self.panels.items():
            panel.axes.set_visible(number in numbers)
            if number in numbers:
                left = columns.index(_column(number)) * width
                bottom = (len(rows) - 1 - rows.index(_row(number))) * height
                box = (left + LEFT, bottom + BOTTOM, width - LEFT - RIGHT, height - BOTTOM - ABOVE)
                panel.axes.set_position(box)
                self.cells[number] = (left, bottom), width, height
                panel.show(self.runs)

    def renew(self, number: int) -> None:
        """Bring one panel up to `runs` on a canvas that shows it already, which takes a
        sixth of the time of drawing all.
        """
        canvas = self.figure.canvas
        ground = Rectangle(*self.cells[number], color="white", transform=self.figure.transFigure)
        ground.set_figure(self.figure)
        self.panels[number].show(self.runs)
        for artist in (ground, self.panels[number].axes):
            self.figure.draw_artist(artist)
        canvas.blit(ground.get_window_extent())


def _column(number: int) -> int:
    return (number - 1) % 3


def _row(number: int) -> int:
    return (number - 1) // 3
