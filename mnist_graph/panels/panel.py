"""The kinds of panels. Each keeps its artists, because matplotlib takes long to create them."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.ticker import MaxNLocator

from mnist_graph.panels.montage import WHITE, choose_columns, draw_montage
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.digit_samples import DigitSample
from mnist_graph.runs.run import PERCENTILES

TRAINING_COLOR, TEST_COLOR = "#1f77b4", "#d62728"
"""Blue and red."""
BAND_OPACITIES = (0.15, 0.3, 0.5, 0.75, 0.5, 0.3, 0.15)
"""One for each band between two percentiles."""
LEGIBLE = 96
"""How high a picture is drawn, in pixels, so that the names on it can be read."""
TITLE_SIZE, TEXT_SIZE = 10, 8
"""Font sizes in points."""


class Panel:
    """One of the six."""

    def __init__(self, axes: Axes, title: str) -> None:
        self.axes, self.title = axes, title
        self.set_title(title)
        axes.tick_params(labelsize=TEXT_SIZE)
        self.shown: Sequence[RunData] | None = None
        self.own_views: set[tuple[float, ...]] = set()
        """The views that `set_view` has chosen."""

    def set_title(self, title: str) -> None:
        """Write `title` at the upper left."""
        # At a fixed height: finding a free one takes a third of the drawing time.
        self.axes.set_title(title, fontsize=TITLE_SIZE, loc="left", y=1.01)

    def show(self, runs: Sequence[RunData]) -> None:
        """Adapt the artists to `runs` and to the panel's current size."""
        raise NotImplementedError

    @property
    def is_zoomed(self) -> bool:
        """Whether the user has chosen the view."""
        return bool(self.own_views) and self._view() not in self.own_views

    def set_view(self, xlim: tuple[float, float], ylim: tuple[float, float]) -> None:
        """Set the limits of the axes, unless the user has chosen the view."""
        if not self.is_zoomed:
            self.axes.set(xlim=xlim, ylim=ylim)
            self.own_views.add(self._view())

    def _view(self) -> tuple[float, ...]:
        return (*self.axes.get_xlim(), *self.axes.get_ylim())


class PixelImage(Artist):
    """An image at one pixel per data unit, with its upper left corner at (0, 0). It is drawn ten
    times as fast as matplotlib's own, so that the window responds to keys at once.
    """

    pixels: np.ndarray | None = None
    """uint8 RGB [height, width, 3]; nothing is drawn while it is None."""

    def draw(self, renderer: RendererBase) -> None:
        if self.pixels is None or self.axes is None:
            return
        box = self.axes.bbox
        size = max(1, round(box.width)), max(1, round(box.height))
        (left, right), (bottom, top) = self.axes.get_xlim(), self.axes.get_ylim()
        # From screen pixels to image pixels.
        matrix = np.array([[(right - left) / size[0], 0, left], [0, (bottom - top) / size[1], top]])
        shrinks = matrix[0, 0] > 1
        image = self.pixels
        if shrinks:  # average first, to the scale of the screen; the warp then only shifts
            scaled = round(image.shape[1] / matrix[0, 0]), round(image.shape[0] / matrix[1, 1])
            image = cv2.resize(image, np.maximum(scaled, 1), interpolation=cv2.INTER_AREA)
            matrix = matrix / matrix[[0, 1], [0, 1]][:, np.newaxis]
        drawn = cv2.warpAffine(
            image,
            matrix,
            size,
            flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if shrinks else cv2.INTER_LINEAR),
            borderValue=WHITE,
        )
        rgba = np.dstack([drawn, np.full(drawn.shape[:2], 255, np.uint8)])[::-1]
        context = renderer.new_gc()
        renderer.draw_image(context, round(box.x0), round(box.y0), rgba)
        context.restore()


class IterationPanel(Panel):
    """A panel whose horizontal axis is the iteration."""

    def __init__(self, axes: Axes, title: str) -> None:
        super().__init__(axes, title)
        axes.grid(alpha=0.3)
        axes.set_xlabel("iteration", fontsize=TEXT_SIZE)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4))
        self.artists: list[Any] = []
        """One entry per run."""

    def show(self, runs: Sequence[RunData]) -> None:
        if runs is self.shown:
            return
        self.shown = runs
        if len(self.artists) != len(runs):
            self.create_artists(len(runs))
        last = max((r.history[-1].iteration for r in runs if r.history), default=1) or 1
        self.set_view((0, last), self.update_artists(runs))

    def create_artists(self, count: int) -> None:
        """Replace `artists` by those of `count` runs."""
        raise NotImplementedError

    def update_artists(self, runs: Sequence[RunData]) -> tuple[float, float]:
        """Let the artists show `runs`; return the lower and upper limit of the vertical axis."""
        raise NotImplementedError


class Curves(IterationPanel):
    """`metric`, "accuracy" or "loss": of the training batch as a thin line, of the test images as a
    thick one with a point at each evaluation.
    """

    def __init__(self, axes: Axes, title: str, metric: str) -> None:
        super().__init__(axes, title)
        self.metric = metric

    def create_artists(self, count: int) -> None:
        for line in self.axes.lines[:]:
            line.remove()
        self.artists = []
        for number in range(count):
            # The lines of one run differ in color; several runs have a color each.
            colors, opacity = (TRAINING_COLOR, TEST_COLOR), 0.8
            if count > 1:
                colors, opacity = (f"C{number}", f"C{number}"), 0.35
            (training,) = self.axes.plot([], [], color=colors[0], linewidth=0.8, alpha=opacity)
            (test,) = self.axes.plot([], [], color=colors[1], linewidth=1.6, marker=".")
            self.artists.append((training, test))

    def update_artists(self, runs: Sequence[RunData]) -> tuple[float, float]:
        for (training, test), run in zip(self.artists, runs, strict=True):
            for line, rows in ((training, run.history), (test, run.test)):
                values = [getattr(row, self.metric) for row in rows]
                line.set_data([row.iteration for row in rows], values)
        self._draw_legend(runs)
        # The values of the untrained network would leave little height for all others.
        rows = [row for r in runs for row in [*r.history, *r.test] if row.iteration]
        values = [getattr(row, self.metric) for row in rows]
        if self.metric == "accuracy":
            return max(0.0, min(values, default=0.9) - 0.02), 1.005
        return 0.0, 1.05 * max(values, default=1.0) or 1.0

    def _draw_legend(self, runs: Sequence[RunData]) -> None:
        """Label the lines, with the newest value of the test images."""
        newest = [f" {getattr(r.test[-1], self.metric):.4f}" if r.test else "" for r in runs]
        if len(runs) == 1:  # next to the title, where it hides no line
            self.axes.legend(
                self.artists[0],
                ["training batch", f"{runs[0].run.tested_on} images{newest[0]}"],
                fontsize=TEXT_SIZE,
                loc="lower right",
                bbox_to_anchor=(1, 1),
                ncols=2,
                frameon=False,
                borderaxespad=0.5,
            )
        else:
            self.axes.legend(
                [test for _, test in self.artists],
                [run.name + value for run, value in zip(runs, newest, strict=True)],
                fontsize=TEXT_SIZE,
                loc="lower right" if self.metric == "accuracy" else "upper right",
            )


class Bands(IterationPanel):
    """Seven bands between the percentiles in the columns from `first` of percentiles.csv."""

    def __init__(self, axes: Axes, title: str, first: int) -> None:
        super().__init__(axes, title)
        self.columns = slice(first, first + len(PERCENTILES))

    def create_artists(self, count: int) -> None:
        for bands in self.artists:
            for band in bands:
                band.remove()
        factor = 1 if count == 1 else 0.5  # lets one run be seen through the other
        self.artists = [
            [
                self.axes.fill_between(
                    [0], [0], [0], color=f"C{number}", alpha=factor * opacity, linewidth=0
                )
                for opacity in BAND_OPACITIES
            ]
            for number in range(count)
        ]

    def update_artists(self, runs: Sequence[RunData]) -> tuple[float, float]:
        extremes: list[float] = []
        for bands, run in zip(self.artists, runs, strict=True):
            table = np.array(run.percentiles or np.zeros((0, 1 + 2 * len(PERCENTILES)))).T
            edges = table[self.columns]
            for band, low, high in zip(bands, edges, edges[1:], strict=False):
                band.set_data(table[0], low, high)
            extremes += [edges.min(), edges.max()] if edges.size else []
        lowest, highest = min(extremes, default=-1.0), max(extremes, default=1.0)
        margin = 0.05 * (highest - lowest) or 0.01
        return lowest - margin, highest + margin


class Digits(Panel):
    """The digits in the field `which` of the first run's data, "batch" or "tested", enlarged `zoom`
    times. `with_scale` adds an axis on which the red ends at the accuracy, if misclassified digits
    come first.
    """

    def __init__(
        self, axes: Axes, title: str, which: str, zoom: int = 1, with_scale: bool = False
    ) -> None:
        super().__init__(axes, title)
        self.which, self.zoom, self.with_scale = which, zoom, with_scale
        axes.set(xticks=[], yticks=[], aspect="equal", anchor="N")
        self.image = PixelImage()
        axes.add_artist(self.image)
        self.note = axes.text(
            0.5, 0.5, "no digits saved yet", ha="center", transform=axes.transAxes, fontsize=9
        )
        self.drawn: tuple[DigitSample, int] | None = None
        """The sample that `image` shows, and its number of columns."""

    def show(self, runs: Sequence[RunData]) -> None:
        sample: DigitSample | None = getattr(runs[0], self.which)
        self.note.set_visible(sample is None)
        if sample is None:
            return
        height, width = sample.pixels.shape[1:3]
        names = runs[0].run.class_names
        zoom = max(self.zoom, LEGIBLE // height) if names else self.zoom
        columns = choose_columns(len(sample.pixels), (height, width), self._aspect())
        if self.drawn is None or self.drawn[0] is not sample or self.drawn[1] != columns:
            self.image.pixels = draw_montage(sample, columns, zoom, names)
            self.drawn = sample, columns
        title = self.title.replace("Test", runs[0].run.tested_on.capitalize())
        if runs[0].run.reads_whole:
            title = title.replace("digits", "pictures")
        self.set_title(f"{title}: {sample.mistakes:,} of {sample.evaluated:,} misclassified")
        self.axes.set_xlabel(
            "red: misclassified, with the label (left) and the prediction (right)",
            fontsize=TEXT_SIZE,
        )
        rows = -(-len(sample.pixels) // columns)
        row_height = height * zoom
        self.set_view((0, columns * width * zoom), (rows * row_height, 0))
        if self.with_scale:
            share = len(sample.pixels) / sample.evaluated
            self._draw_scale(share, len(sample.pixels) / columns * row_height)

    def _aspect(self) -> float:
        """The width of the space for the digits as a multiple of its height."""
        box = self.axes.get_position(original=True)
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        width, height = figure.get_size_inches()
        return box.width * width / (box.height * height)

    def _draw_scale(self, share: float, height: float) -> None:
        """Draw the axis from 100% at the top, where `height` is that of `share` of all digits."""
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.25) if share <= 5 * s), 0.25)
        marks = np.arange(0, share + 1e-9, step)
        self.axes.set_yticks(marks / share * height)
        self.axes.set_yticklabels([f"{1 - mark:.0%}" for mark in marks])
