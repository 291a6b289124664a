"""The table and the picture of benchmarks.own_hand."""

from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks import machine

INTRODUCTION = """# What a person's own digits bring

MNIST's training digits by their writers: 50 writers of at least 100 digits are held out, and 10
more on whom the settings were chosen. Each recipe was trained on the digits of the others, then
trained on with the first 10, 20 or 50 digits of one writer (`--start-from`, `--mix`), ten of them
in each batch. Errors are those on the same digits of a writer in every row, all after the first 50.
The change is the mean over the writers, with its 95 % interval; better and worse count writers. The
test accuracy is that on MNIST's 10,000 test digits, the mean over the writers (lowest to highest).
In the rows with none, the same training has digits of the other writers instead; its errors, and
their change, are of all 50 writers together.
"""
TEST = 10_000
BETTER, WORSE, SAME = "#0a7d33", "#c81e1e", "#999999"
MIX_COLOURS = {0.0: "#d08000", 0.5: "#2f6fb7"}


class Group(NamedTuple):
    """Fine-tunings of all writers with the same number of digits."""

    count: int
    before: list[float]
    """Errors on each writer's other digits before, in percent."""
    after: list[float]
    test: list[float]
    """Test accuracy of each."""
    seconds: list[float]

    @property
    def changes(self) -> list[float]:
        return [after - before for before, after in zip(self.before, self.after, strict=True)]


def group(found: dict[str, Any], model: str, mix: float) -> list[Group]:
    """Return the results of one recipe and one mix, by the number of digits."""
    errors_before = found["before"][model]["writers"]
    groups: dict[int, Group] = {}
    for run in found["runs"]:
        name, writer, count, mixed, rate, iterations = run["job"]
        chosen = found["chosen"].get(f"{model} {mix}")
        if (name, mixed) != (model, mix) or str(writer) not in errors_before:
            continue
        if chosen != {"rate": rate, "iterations": iterations}:
            continue
        each = groups.setdefault(count, Group(count, [], [], [], []))
        each.before.append(100 * errors_before[str(writer)] / run["of"])
        each.after.append(100 * run["errors"] / run["of"])
        each.test.append(1 - run["test_errors"] / TEST)
        each.seconds.append(run["seconds"])
    return [groups[count] for count in sorted(groups)]


def control(found: dict[str, Any], model: str, mix: float) -> dict[str, Any] | None:
    """Return the same training with the others' digits instead of a writer's own."""
    runs = (run for run in found["runs"] if run["job"][:4] == [model, -1, 0, mix])
    return next(runs, None)


def format_report(found: dict[str, Any]) -> str:
    lines = [
        INTRODUCTION,
        "| recipe | mix | own digits | errors, % | change | better | worse | test accuracy | s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for model in found["before"]:
        lines += _format_recipe(found, model)
    lines += [
        "",
        *_format_settings(found),
        "",
        f"Measured on {machine.summarize(found['machine'])}.",
        "One run each. Seconds are those of a fine-tuning with its tests, while other work ran on",
        "the same machine.",
        "Reproduce: `python -m benchmarks.own_hand`.",
    ]
    return "\n".join(lines) + "\n"


def _format_recipe(found: dict[str, Any], model: str) -> list[str]:
    test = 1 - found["before"][model]["test_errors"] / TEST
    groups = {mix: group(found, model, mix) for mix in MIX_COLOURS}
    first = next(each for rows in groups.values() for each in rows)
    rows = [(model, "", "before", f"{fmean(first.before):.2f}", "", "", "", f"{test:.4f}", "")]
    for mix, results in groups.items():
        again = control(found, model, mix)
        if again is not None:
            rows.append(_format_control(found, model, mix, again))
        rows += [_format_group(model, mix, each) for each in results]
    return [f"| {' | '.join(row)} |" for row in rows]


def _format_control(
    found: dict[str, Any], model: str, mix: float, again: dict[str, Any]
) -> tuple[str, ...]:
    before = sum(found["before"][model]["writers"].values())
    return (
        model,
        f"{mix:g}" if mix else "-",
        "none",
        f"{100 * again['errors'] / again['of']:.2f}",
        f"{100 * (again['errors'] - before) / again['of']:+.2f}",
        "",
        "",
        f"{1 - again['test_errors'] / TEST:.4f}",
        "",
    )


def _format_group(model: str, mix: float, results: Group) -> tuple[str, ...]:
    changes = results.changes
    spread = 1.96 * stdev(changes) / sqrt(len(changes)) if len(changes) > 1 else 0.0
    return (
        model,
        f"{mix:g}" if mix else "-",
        str(results.count),
        f"**{fmean(results.after):.2f}**",
        f"{fmean(changes):+.2f} ± {spread:.2f}",
        str(sum(change < 0 for change in changes)),
        str(sum(change > 0 for change in changes)),
        f"{fmean(results.test):.4f} ({min(results.test):.4f} to {max(results.test):.4f})",
        f"{fmean(results.seconds):.1f}",
    )


def _format_settings(found: dict[str, Any]) -> list[str]:
    lines = [
        "Chosen on the 10 writers, by the cross-entropy of their other digits with 20 own:",
        "",
    ]
    for name, chosen in found["chosen"].items():
        model, mix = name.split()
        jobs = [run["job"] for run in found["runs"] if run["job"][0] == model]
        rates, counts = (sorted({job[place] for job in jobs}) for place in (4, 5))
        lines.append(
            f"- {model}, mix {float(mix):g}: {chosen['iterations']} iterations (of "
            f"{', '.join(map(str, counts))}), learning rate {chosen['rate']:g} (of "
            f"{', '.join(f'{rate:g}' for rate in rates)})"
        )
    return lines


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw, for each recipe, every writer before and after, and the means."""
    models = list(found["before"])
    figure = Figure((12, 3.9 * len(models)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(models), 2, width_ratios=(2.6, 1))
    for number, model in enumerate(models):
        groups = {mix: group(found, model, mix) for mix in MIX_COLOURS}
        _draw_writers(figure.add_subplot(grid[number, 0]), model, groups[max(groups)][-1])
        _draw_means(figure.add_subplot(grid[number, 1]), found, model, groups)
    figure.savefig(path)


def _draw_writers(axes: Axes, model: str, results: Group) -> None:
    """Draw a line for each writer, from the errors before to those after."""
    pairs = sorted(zip(results.before, results.after, strict=True), reverse=True)
    for place, (before, after) in enumerate(pairs):
        colour = BETTER if after < before else WORSE if after > before else SAME
        axes.plot([place, place], [before, after], color=colour, linewidth=1.5)
        axes.plot(place, before, "o", markersize=5, markerfacecolor="white", color=colour)
        axes.plot(place, after, "o", markersize=5, color=colour)
    axes.set_title(
        f"{model}: each of {len(pairs)} writers, without (circle) and with (dot) {results.count} "
        "own digits and a mix of 0.5",
        fontsize=10,
        loc="left",
    )
    axes.set_xlabel("writers, by their errors before", fontsize=9)
    axes.set_ylabel("errors on the writer's other digits, %", fontsize=9)
    axes.set_xticks([])
    axes.set_ylim(bottom=-0.3)
    axes.grid(axis="y", alpha=0.3)


def _draw_means(
    axes: Axes, found: dict[str, Any], model: str, groups: dict[float, list[Group]]
) -> None:
    """Draw the mean errors against the number of own digits, and those of the test."""
    test = 100 * found["before"][model]["test_errors"] / TEST
    for mix, results in groups.items():
        places = range(len(results) + 1)
        own = [fmean(results[0].before), *(fmean(each.after) for each in results)]
        cost = [test, *(100 - 100 * fmean(each.test) for each in results)]
        name = f"mix {mix:g}" if mix else "no mix"
        axes.plot(places, own, "o-", color=MIX_COLOURS[mix], label=f"own, {name}")
        axes.plot(places, cost, ".:", color=MIX_COLOURS[mix], label=f"MNIST's test, {name}")
        axes.set_xticks(places, ["0", *(str(each.count) for each in results)])
    axes.set_title("means", fontsize=10, loc="left")
    axes.set_xlabel("own digits", fontsize=9)
    axes.set_ylabel("errors, %", fontsize=9)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    axes.grid(axis="y", alpha=0.3)
