"""The table and the picture of benchmarks.curve."""

from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks import machine
from benchmarks.idle import LIMIT

LEAST_SEEDS = 5
"""A mean of fewer is marked."""
OURS, SEEDS, OTHERS = "#2f6fb7", "#a9c4e2", "#d08000"


class Published(NamedTuple):
    """A point that others published: as their text states it, not measured here."""

    name: str
    seconds: float
    """Of training."""
    accuracy: float
    hardware: str
    source: str


FAST = "github.com/tuomaso/train_mnist_fast"
GPU = "laptop with GeForce GTX 1660 Ti, PyTorch"
PUBLISHED = (
    Published("PyTorch's example, 14 epochs", 172.0, 0.99185, GPU, FAST),
    Published("the same, stopped at 99 %", 57.4, 0.9907, GPU, FAST),
    Published("the record recipe, one epoch", 0.762, 0.9904, GPU, FAST),
)
"""Means of several runs, from the README of the repository; its times are without start-up."""


class Point(NamedTuple):
    """All runs of a recipe."""

    recipe: str
    seconds: list[float]
    """In the training loop, seed by seed."""
    command_seconds: list[float]
    """Of the whole command: start-up, training, test."""
    accuracies: list[float]

    @property
    def time(self) -> float:
        return median(self.seconds)

    @property
    def accuracy(self) -> float:
        return fmean(self.accuracies)


def list_points(found: dict[str, Any]) -> list[Point]:
    """Return the points that have runs, the fastest first."""
    points = [
        Point(
            recipe,
            *(
                [run[key] for run in runs]
                for key in ("training_seconds", "wall_seconds", "test_accuracy")
            ),
        )
        for recipe, runs in found["points"].items()
        if runs
    ]
    return sorted(points, key=lambda point: point.time)


def select_front(points: list[Point]) -> list[Point]:
    """Return the points that no faster one equals or exceeds in accuracy; `points` are sorted."""
    front: list[Point] = []
    for point in points:
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


def format_report(found: dict[str, Any]) -> str:
    """Return the report in Markdown."""
    runs = [run for point in found["points"].values() for run in point]
    commits = ", ".join(sorted({run["commit"] for run in runs}))
    lines = [
        "# Accuracy for time",
        "",
        "Test accuracy on the 10,000 test images, the mean over the seeds 0, 1, 2, ..., and "
        "seconds of training, the median (minimum to maximum), on "
        f"{machine.summarize(found['machine'])}; commit {commits}.",
        "Reproduce: `python -m benchmarks.curve --again`.",
        "",
        "NAME:N is a recipe with N iterations instead of its own. The whole command also starts "
        "TensorFlow and tests.",
        "",
        "| recipe | test accuracy | min to max | standard deviation | seeds | training, s "
        "| whole command, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_format_point(point) for point in list_points(found)),
        "",
        *_format_idleness(runs),
        "",
        "Published by others, as they state it, on other hardware:",
        "",
        "| | test accuracy | training, s | hardware | source |",
        "| --- | --- | --- | --- | --- |",
    ]
    for point in PUBLISHED:
        accuracy, seconds = f"{point.accuracy:.4f}", f"{point.seconds:.3g}"
        cells = point.name, accuracy, seconds, point.hardware, point.source
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _format_point(point: Point) -> str:
    accuracies = point.accuracies
    count = len(accuracies)
    cells = (
        point.recipe,
        f"**{point.accuracy:.4f}**",
        f"{min(accuracies):.4f} to {max(accuracies):.4f}",
        f"{stdev(accuracies):.4f}" if count > 1 else "",
        str(count) if count >= LEAST_SEEDS else f"only {count}",
        _format_times(point.seconds),
        _format_times(point.command_seconds),
    )
    return f"| {' | '.join(cells)} |"


def _format_times(seconds: list[float]) -> str:
    middle, least, most = (f"{v:.1f}" for v in (median(seconds), min(seconds), max(seconds)))
    return f"{middle} ({least} to {most})"


def _format_idleness(runs: list[dict[str, Any]]) -> list[str]:
    if not runs:
        return []
    before, others = (max(run[key] for run in runs) for key in ("busy_before", "others"))
    verdict = "" if before <= LIMIT else " **The machine was not idle.**"
    return [
        f"At most {100 * before:.1f} % of the CPU time was busy before a run; other processes had "
        f"at most {100 * others:.1f} % during one.{verdict}"
    ]


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the test accuracy against the seconds of training, with the published points."""
    figure = Figure((9, 5.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    points = list_points(found)
    for point in points:
        percent = [100 * accuracy for accuracy in point.accuracies]
        axes.plot(point.seconds, percent, ".", color=SEEDS, markersize=5, zorder=1)
    times = [point.time for point in points]
    axes.plot(times, [100 * point.accuracy for point in points], "o", color=OURS, zorder=3)
    front = select_front(points)
    name = f"this package, {found['machine']['processor']}, {found['machine']['cores']} cores"
    heights = [100 * point.accuracy for point in front]
    axes.plot([p.time for p in front], heights, "-", color=OURS, label=name, zorder=2)
    for point in points:
        _label(axes, point.recipe, point.time, point.accuracy, OURS)
    label = f"published, {GPU}"
    heights = [100 * point.accuracy for point in PUBLISHED]
    axes.plot([p.seconds for p in PUBLISHED], heights, "s", color=OTHERS, label=label, mfc="white")
    for other in PUBLISHED:
        _label(axes, other.name, other.seconds, other.accuracy, OTHERS)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("seconds of training (median)", fontsize=9)
    axes.set_ylabel("test accuracy, % (mean; small dots: each seed)", fontsize=9)
    axes.margins(x=0.16, y=0.1)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _label(axes: Axes, text: str, seconds: float, accuracy: float, colour: str) -> None:
    """Write `text` below a point, to the right, where a rising curve leaves room."""
    axes.annotate(
        text,
        (seconds, 100 * accuracy),
        (4, -12),
        textcoords="offset points",
        fontsize=8,
        color=colour,
    )
