"""The six panels on one matplotlib figure."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mnist_graph.panels.panel import Bands, Curves, Digits, Panel
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.run import PERCENTILES

ALL_PANELS = (1, 2, 3, 4, 5, 6)
"""The panels' numbers: 1 to 3 in the upper row, 4 to 6 in the lower."""
COMPARABLE = (1, 2, 4, 5)
"""The panels that can show several runs."""
FIGURE_SIZE = (16.0, 9.0)
"""Width and height in inches."""
LEFT, RIGHT, BOTTOM, TOP = 0.05, 0.02, 0.06, 0.04
"""The margins of a panel, for its ticks, labels and title, as shares of the figure."""
TITLE_HEIGHT = 0.04
"""The height of the figure's title, as a share of the figure."""


class PanelFigure:
    """Draws the saved data of one run, or of several for comparison, on `figure`.

    1 accuracy and 2 cross-entropy of training batches and test images; 3 digits of the last
    batch; percentiles of 4 the weights and 5 the biases; 6 test digits, misclassified ones first.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        axes = [figure.add_subplot(label=str(number)) for number in ALL_PANELS]
        percentiles = f"percentiles {', '.join(map(str, PERCENTILES))}"
        self.panels: dict[int, Panel] = {
            1: Curves(axes[0], "1  Accuracy", "accuracy"),
            2: Curves(axes[1], "2  Cross-entropy", "loss"),
            3: Digits(axes[2], "3  Training digits", "batch", zoom=2),
            4: Bands(axes[3], f"4  Weights: {percentiles}", 1),
            5: Bands(axes[4], f"5  Biases: {percentiles}", 1 + len(PERCENTILES)),
            6: Digits(axes[5], "6  Test digits", "tested", with_scale=True),
        }
        self.title = figure.text(0.5, 0.985, "", ha="center", va="top", fontsize=10)
        self.runs: Sequence[RunData] = ()
        self.selected: Sequence[int] = ALL_PANELS
        self.cells: dict[int, tuple[tuple[float, float], float, float]] = {}
        """For each visible panel its lower left corner, width and height with margins, as shares
        of the figure."""

    def __getitem__(self, number: int) -> Panel:
        """The panel of that number, 1 to 6."""
        return self.panels[number]

    def show(self, runs: Sequence[RunData]) -> None:
        """Draw the current state of `runs`."""
        self.runs = runs
        self.title.set_text(runs[0].name if len(runs) == 1 else "")
        self.select(self.selected)

    def select(self, numbers: Sequence[int]) -> None:
        """Fill the figure with these panels, arranged as they are among all six. Of several runs,
        only COMPARABLE panels are shown.
        """
        self.selected = numbers
        if len(self.runs) > 1:
            numbers = [number for number in numbers if number in COMPARABLE] or COMPARABLE
        columns = sorted({_column(number) for number in numbers})
        rows = sorted({_row(number) for number in numbers})
        width, height = 1 / len(columns), (1 - TITLE_HEIGHT) / len(rows)
        self.cells = {}
        for number, panel in self.panels.items():
            panel.axes.set_visible(number in numbers)
            if number in numbers:
                left = columns.index(_column(number)) * width
                bottom = (len(rows) - 1 - rows.index(_row(number))) * height
                box = (left + LEFT, bottom + BOTTOM, width - LEFT - RIGHT, height - BOTTOM - TOP)
                panel.axes.set_position(box)
                self.cells[number] = (left, bottom), width, height
                panel.show(self.runs)

    def redraw(self, number: int) -> None:
        """Draw one panel anew, with its current `runs`, on a canvas that shows it already. This
        takes a sixth of the time of drawing all panels.
        """
        canvas: Any = self.figure.canvas
        background = Rectangle(
            *self.cells[number], color="white", transform=self.figure.transFigure
        )
        background.set_figure(self.figure)
        self.panels[number].show(self.runs)
        for artist in (background, self.panels[number].axes):
            self.figure.draw_artist(artist)
        canvas.blit(background.get_window_extent())


def _column(number: int) -> int:
    return (number - 1) % 3


def _row(number: int) -> int:
    return (number - 1) // 3
