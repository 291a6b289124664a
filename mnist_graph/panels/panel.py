"""The kinds of panels. Each keeps what it draws with, as matplotlib takes long to make it anew."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mnist_graph.panels.montage import WHITE, columns_for, montage
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.digit_samples import DigitSample
from mnist_graph.runs.run import PERCENTILES

TRAINING, TEST = "#1f77b4", "#d62728"
SHADES = (0.15, 0.3, 0.5, 0.75, 0.5, 0.3, 0.15)
"""How dark the seven bands are."""


class Panel:
    """One of the six."""

    def __init__(self, axes: Axes, title: str) -> None:
        self.axes, self.title = axes, title
        # With a place of its own, as finding one takes a third of the drawing.
        axes.set_title(title, fontsize=10, y=1.01)
        axes.tick_params(labelsize=8)
        self.seen: Sequence[RunData] | None = None
        self.own: set[tuple] = set()
        """The views that it has chosen itself."""

    def show(self, runs: Sequence[RunData]) -> None:
        """Draw `runs`, which it may have drawn before, in the place that it has now."""
        raise NotImplementedError

    @property
    def zoomed(self) -> bool:
        """Whether the user has chosen what to look at."""
        return bool(self.own) and self._view() not in self.own

    def look_at(self, horizontal: tuple[float, float], vertical: tuple[float, float]) -> None:
        """What there is to be seen, where the user has not chosen."""
        if not self.zoomed:
            self.axes.set(xlim=horizontal, ylim=vertical)
            self.own.add(self._view())

    def _view(self) -> tuple:
        return (*self.axes.get_xlim(), *self.axes.get_ylim())


class Pixels(Artist):
    """A picture whose pixels are the units of its axes, from the upper left. matplotlib's own
    takes ten times as long to be drawn, and a key is to be answered at once.
    """

    picture: np.ndarray | None = None
    """uint8 [height, width, 3]."""

    def draw(self, renderer: RendererBase) -> None:
        if self.picture is None:
            return
        box = self.axes.bbox
        size = max(1, round(box.width)), max(1, round(box.height))
        (left, right), (bottom, top) = self.axes.get_xlim(), self.axes.get_ylim()
        # From pixels of the screen to those of the picture.
        matrix = np.array([[(right - left) / size[0], 0, left], [0, (bottom - top) / size[1], top]])
        shrinking = matrix[0, 0] > 1
        picture = self.picture
        if shrinking:  # to a pixel each, before the rest is a matter of place
            whole = round(picture.shape[1] / matrix[0, 0]), round(picture.shape[0] / matrix[1, 1])
            picture = cv2.resize(picture, np.maximum(whole, 1), interpolation=cv2.INTER_AREA)
            matrix = matrix / matrix[[0, 1], [0, 1]][:, np.newaxis]
        drawn = cv2.warpAffine(
            picture,
            matrix,
            size,
            flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if shrinking else cv2.INTER_LINEAR),
            borderValue=WHITE,
        )
        pixels = np.dstack([drawn, np.full(drawn.shape[:2], 255, np.uint8)])[::-1]
        context = renderer.new_gc()
        renderer.draw_image(context, round(box.x0), round(box.y0), pixels)
        context.restore()


class OverIterations(Panel):
    """What is drawn over the iterations, each run with artists of its own."""

    def __init__(self, axes: Axes, title: str) -> None:
        super().__init__(axes, title)
        axes.grid(alpha=0.3)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4))
        self.drawn: list = []

    def show(self, runs: Sequence[RunData]) -> None:
        if runs is self.seen:
            return
        self.seen = runs
        if len(self.drawn) != len(runs):
            self.begin(len(runs))
        last = max((r.history[-1].iteration for r in runs if r.history), default=1) or 1
        self.look_at((0, last), self.renew(runs))

    def begin(self, count: int) -> None:
        """Make the artists of so many runs anew, in place of those `drawn`."""
        raise NotImplementedError

    def renew(self, runs: Sequence[RunData]) -> tuple[float, float]:
        """Let the artists show `runs`; returns between what values these lie."""
        raise NotImplementedError


class Curves(OverIterations):
    """Accuracy or loss of the training batch, thin, and of the test images, with a point where
    they were judged.
    """

    def __init__(self, axes: Axes, title: str, what: str) -> None:
        super().__init__(axes, title)
        self.what = what

    def renew(self, runs: Sequence[RunData]) -> tuple[float, float]:
        for (training, test), run in zip(self.drawn, runs, strict=True):
            training.set_data(*_columns(run.history, self.what))
            test.set_data(*_columns(run.test, self.what))
        self._label(runs)
        # Without the first, of which the rest would be dwarfed.
        rows = [row for r in runs for row in [*r.history, *r.test] if row.iteration]
        found = [getattr(row, self.what) for row in rows]
        if self.what == "accuracy":
            return max(0.0, min(found, default=0.9) - 0.02), 1.005
        return 0.0, 1.05 * max(found, default=1.0) or 1.0

    def begin(self, count: int) -> None:
        for line in self.axes.lines[:]:
            line.remove()
        alone = count == 1
        self.drawn: list[tuple[Line2D, Line2D]] = []
        for number in range(count):
            own = f"C{number}"
            color, shade = (TRAINING, 0.8) if alone else (own, 0.35)
            (training,) = self.axes.plot([], [], color=color, linewidth=0.8, alpha=shade)
            color = TEST if alone else own
            (test,) = self.axes.plot([], [], color=color, linewidth=1.6, marker=".")
            self.drawn.append((training, test))

    def _label(self, runs: Sequence[RunData]) -> None:
        lines = [] if len(runs) > 1 else [self.drawn[0][0]]
        labels = [] if len(runs) > 1 else ["training batch"]
        for (_, test), run in zip(self.drawn, runs, strict=True):
            last = f" {getattr(run.test[-1], self.what):.4f}" if run.test else ""
            lines.append(test)
            labels.append(("test images" if len(runs) == 1 else run.name) + last)
        place = "lower right" if self.what == "accuracy" else "upper right"
        self.axes.legend(lines, labels, fontsize=8, loc=place)


class Bands(OverIterations):
    """Seven bands between the percentiles that stand in the columns from `first` on."""

    def __init__(self, axes: Axes, title: str, first: int) -> None:
        super().__init__(axes, title)
        self.columns = slice(first, first + len(PERCENTILES))

    def renew(self, runs: Sequence[RunData]) -> tuple[float, float]:
        bounds = []
        for bands, run in zip(self.drawn, runs, strict=True):
            table = np.array(run.percentiles or np.zeros((0, 1 + 2 * len(PERCENTILES)))).T
            edges = table[self.columns]
            for band, low, high in zip(bands, edges, edges[1:], strict=False):
                band.set_data(table[0], low, high)
            bounds += [edges.min(), edges.max()] if edges.size else []
        least, greatest = min(bounds, default=-1.0), max(bounds, default=1.0)
        margin = 0.05 * (greatest - least) or 0.01
        return least - margin, greatest + margin

    def begin(self, count: int) -> None:
        for bands in self.drawn:
            for band in bands:
                band.remove()
        fainter = 1 if count == 1 else 0.5
        self.drawn: list[list[FillBetweenPolyCollection]] = [
            [
                self.axes.fill_between(
                    [0], [0], [0], color=f"C{number}", alpha=fainter * shade, linewidth=0
                )
                for shade in SHADES
            ]
            for number in range(count)
        ]


class Digits(Panel):
    """Digits as they were judged: those of the first run."""

    def __init__(
        self, axes: Axes, title: str, which: str, zoom: int = 1, with_scale: bool = False
    ) -> None:
        super().__init__(axes, title)
        self.which, self.zoom, self.with_scale = which, zoom, with_scale
        axes.set(xticks=[], yticks=[], aspect="equal")
        self.pixels = axes.add_artist(Pixels())
        self.note = axes.text(
            0.5, 0.5, "not recorded yet", ha="center", transform=axes.transAxes, fontsize=9
        )
        self.drawn: tuple[DigitSample, int] | None = None
        """What, and in how many columns."""

    def show(self, runs: Sequence[RunData]) -> None:
        shown = getattr(runs[0], self.which)
        self.note.set_visible(shown is None)
        if shown is None:
            return
        columns = columns_for(len(shown.pixels), shown.pixels.shape[1:], self._aspect())
        if self.drawn is None or self.drawn[0] is not shown or self.drawn[1] != columns:
            self.pixels.picture = montage(shown, columns, self.zoom)
            self.drawn = shown, columns
        self.axes.set_title(
            f"{self.title}: {shown.mistakes:,} of {shown.evaluated:,} wrong", fontsize=10, y=1.01
        )
        height, width, _ = self.pixels.picture.shape
        self.look_at((0, width), (height, 0))
        if self.with_scale:
            self._scale(len(shown.pixels) / shown.evaluated, len(shown.pixels) / columns, height)

    def _aspect(self) -> float:
        """How many times as wide as high there is room for."""
        box = self.axes.get_position(original=True)
        width, height = self.axes.figure.get_size_inches()
        return box.width * width / (box.height * height)

    def _scale(self, share: float, rows: float, height: int) -> None:
        """Percentages at the side: that at the end of the red is the accuracy."""
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.25) if share <= 5 * s), 0.25)
        marks = np.arange(0, share + 1e-9, step)
        high = height / np.ceil(rows)
        self.axes.set_yticks(marks / share * rows * high)
        self.axes.set_yticklabels([f"{1 - mark:.0%}" for mark in marks])


def _columns(rows: Sequence, what: str) -> tuple[list[int], list[float]]:
    return [row.iteration for row in rows], [getattr(row, what) for row in rows]
