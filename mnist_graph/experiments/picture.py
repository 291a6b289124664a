"""The picture of a sweep: one panel for each knob."""

import math
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mnist_graph.experiments.knobs import as_text
from mnist_graph.experiments.results import Summary, Sweep
from mnist_graph.panels.displays import PICTURE_DPI, save_figure
from mnist_graph.panels.panel import TEST_COLOR, TEXT_SIZE, TITLE_SIZE, TRAINING_COLOR

PANEL_SIZE = (5.2, 3.9)
"""Width and height of a panel, in inches."""
MOST_COLUMNS = 3
LOGARITHMIC = 8
"""Numbers whose largest is this many times the smallest are on a logarithmic scale."""
LEAST_GAP = 0.08
"""The smallest distance of two labels, as a share of the axis."""
MOST_LETTERS = 48
"""The letters of labels that fit side by side."""
ACCURACY_COLOR, TIME_COLOR, OTHER_COLOR = TRAINING_COLOR, TEST_COLOR, "#bbbbbb"
"""Blue, red and grey."""


def draw_sweep(sweep: Sweep, path: Path) -> None:
    """Draw accuracy (blue, left) and training time (red, right) against the values of each knob.

    Each point is the mean over the seeds; its bar goes from the lowest to the highest. Of several
    knobs, the others have their best values; grey lines show their other values. Raises
    MnistGraphError if the picture cannot be written.
    """
    rows = sweep.summaries()
    columns = min(len(sweep.knobs), MOST_COLUMNS)
    lines = -(-len(sweep.knobs) // columns)
    size = (PANEL_SIZE[0] * columns, PANEL_SIZE[1] * lines)
    figure = Figure(size, dpi=PICTURE_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    best = max(rows, key=lambda row: row.accuracy)
    for number, name in enumerate(sweep.knobs, start=1):
        _draw_knob(figure.add_subplot(lines, columns, number), sweep, rows, name, best)
    images = f"accuracy on {len(sweep.setting.held_out):,} held-out training images"
    figure.suptitle(f"{sweep.recipe.model}: {images}", fontsize=TITLE_SIZE)
    save_figure(figure, path)


def _draw_knob(axes: Axes, sweep: Sweep, rows: list[Summary], name: str, best: Summary) -> None:
    values = sweep.knobs[name]
    places = _place(axes, values)
    curves: dict[tuple[str, ...], list[Summary]] = {}
    for row in rows:
        curves.setdefault(_others(row, name), []).append(row)
    mine = curves.pop(_others(best, name))
    for curve in curves.values():
        points = sorted((places[as_text(r.values[name])], r.accuracy) for r in curve if r.seconds)
        axes.plot(*_columns(points), color=OTHER_COLOR, linewidth=0.8, marker=".", zorder=1)
    times: Any = axes.twinx()
    at = [(places[as_text(row.values[name])], row) for row in mine if row.accuracies]
    at.sort(key=lambda pair: pair[0])
    xs = [x for x, _ in at]
    _draw_bars(axes, xs, [row.accuracies for _, row in at], ACCURACY_COLOR, "-")
    _draw_bars(times, xs, [row.seconds for _, row in at], TIME_COLOR, ":")
    times.set_ylim(bottom=0)
    failed = [places[as_text(row.values[name])] for row in mine if row.errors]
    if failed:
        axes.plot(
            failed,
            [0.03] * len(failed),
            "x",
            color=ACCURACY_COLOR,
            transform=axes.get_xaxis_transform(),
            label="failed",
        )
        axes.legend(fontsize=TEXT_SIZE, loc="best")
    others = ", ".join(f"{n} {as_text(v)}" for n, v in best.values.items() if n != name)
    axes.set_title(f"{name}{f'  ({others})' if others else ''}", fontsize=TITLE_SIZE, loc="left")
    axes.set_ylabel("accuracy", fontsize=TEXT_SIZE, color=ACCURACY_COLOR)
    times.set_ylabel("training time in seconds", fontsize=TEXT_SIZE, color=TIME_COLOR)
    axes.grid(alpha=0.3)
    for each in (axes, times):
        each.tick_params(labelsize=TEXT_SIZE)
    axes.set_zorder(times.get_zorder() + 1)
    axes.patch.set_visible(False)


def _others(row: Summary, name: str) -> tuple[str, ...]:
    """The values of all knobs but `name`."""
    return tuple(as_text(value) for other, value in row.values.items() if other != name)


def _place(axes: Axes, values: list[Any]) -> dict[str, float]:
    """Return where each value, as text, is on the horizontal axis; label it there. Numbers are on
    a linear or logarithmic scale; anything else, and numbers too close to be labelled, side by
    side.
    """
    places = [float(number) for number in range(len(values))]
    scale = _choose_scale(values)
    if scale is None:
        axes.set_xlim(-0.5, len(values) - 0.5)
    else:
        places = [float(value) for value in values]
        axes.set_xscale(scale)
    labels = [as_text(value) for value in values]
    axes.set_xticks(places, labels)
    if sum(map(len, labels)) > MOST_LETTERS:
        for label in axes.get_xticklabels():
            label.set(rotation=20, horizontalalignment="right")
    axes.minorticks_off()
    return dict(zip(labels, places, strict=True))


def _choose_scale(values: list[Any]) -> str | None:
    """Return "linear" or "log" for numbers that can be told apart on it, else None."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return None
    places = sorted(map(float, values))
    is_log = places[0] > 0 and places[-1] / places[0] >= LOGARITHMIC
    on_axis = [math.log(place) for place in places] if is_log else places
    gaps = [high - low for low, high in pairwise(on_axis)]
    if gaps and min(gaps) < LEAST_GAP * sum(gaps):
        return None
    return "log" if is_log else "linear"


def _draw_bars(
    axes: Axes, xs: list[float], values: list[list[float]], color: str, style: str
) -> None:
    """Draw the mean of each of `values` at its x, with a bar from the lowest to the highest."""
    means = [fmean(each) for each in values]
    spread = [
        [mean - min(each) for mean, each in zip(means, values, strict=True)],
        [max(each) - mean for mean, each in zip(means, values, strict=True)],
    ]
    axes.errorbar(xs, means, spread, color=color, linestyle=style, marker="o", capsize=3, zorder=2)


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
