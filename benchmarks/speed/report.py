"""speed.md: the races, their ratios, and the limits of the machine."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Any

from benchmarks import machine
from benchmarks.idle import LIMIT
from benchmarks.speed.limits import PRECISIONS
from benchmarks.speed.races import (
    BATCHES,
    ITERATIONS,
    OURS,
    PREDICTED_MODELS,
    Race,
    predicting_race,
    race_to_99,
    training_race,
)
from benchmarks.speed.ratios import Comparison, compare, complete_rounds
from benchmarks.speed.run import Measurement, Results

INTRODUCTION = f"""\
Each measurement runs in a process of its own. In each round every contender is measured once, and
each round begins with another one. Before each measurement, the machine must be idle: at most
{100 * LIMIT:.0f} % of its CPU time busy over a second, or else it waits.

A ratio is our time divided by that of the fastest of the others, both the fastest by their medians,
in the same round. The interval is a bootstrap interval of the median (95 %, 10,000 resamples of the
rounds). Its upper end is what may be claimed.
"""


def format_report(results: dict[str, Any]) -> str:
    """Return the report in Markdown."""
    versions = ", ".join(f"{package} {number}" for package, number in results["versions"].items())
    lines = [
        "# Speed",
        "",
        f"On {machine.summarize(results['machine'])}; {versions}.",
        "Reproduce: `python -m benchmarks.speed`.",
        "",
        *INTRODUCTION.splitlines(),
    ]
    races, limits = results.get("races", {}), results.get("limits", {})
    for model in filter(races.__contains__, ITERATIONS):
        lines += ["", *_format_training(model, races[model], limits)]
    to_99 = race_to_99()
    if to_99.name in races:
        lines += ["", *_format_to_99(to_99, races[to_99.name])]
    for race in (predicting_race(m, n, {}) for m in PREDICTED_MODELS for n in BATCHES):
        if race.name in races:
            lines += ["", *_format_predicting(race, races[race.name])]
    if limits:
        lines += ["", *_format_limits(limits)]
    return "\n".join(lines) + "\n"


def _format_training(model: str, results: Results, limits: dict[str, Any]) -> list[str]:
    iterations = results["state"]["iterations"]
    race = training_race(model, iterations)
    rounds = complete_rounds(race, results)
    lines = [
        f"## {model}",
        "",
        f"Milliseconds per iteration over {iterations:,} iterations, without the first fifth "
        "(warm-up); test accuracy after the last iteration.",
        *_format_race(race, results, rounds),
    ]
    shares = [
        f"{100 * median(measured[name]['outside'] for measured in rounds):.1f} % ({name})"
        for name in (rounds[0] if rounds else {})
        if rounds[0][name].get("outside") is not None
    ]
    if shares:
        lines += ["", f"Our loop's time outside TensorFlow: {', '.join(shares)}."]
    if model in limits.get("models", {}):
        lines += ["", *_compare_with_limit(race, rounds, limits["models"][model])]
    return lines


def _compare_with_limit(
    race: Race, rounds: Sequence[dict[str, Measurement]], limit: dict[str, Any]
) -> Iterator[str]:
    """Yield a line for each precision: the least a step can take, and what ours takes."""
    for precision in limit["least_ms"]:
        least, arithmetic = limit["least_ms"][precision], limit["arithmetic_ms"][precision]
        line = (
            f"- The least a step can take here in {precision}: {least:.3g} ms, {arithmetic:.3g} "
            "for the matrix products and convolutions and "
            f"{limit['update_ms']:.3g} for the memory of the optimizer"
        )
        names = [
            each.name
            for each in race.contenders
            if each.module == OURS and each.precision == precision
        ]
        for name in names if rounds else []:
            ours = median(measured[name][race.figure] for measured in rounds)
            line += f". {name}, takes {ours / least:.2f} times that".replace("ours,", "Ours,")
        yield line + "."


def _format_to_99(race: Race, results: Results) -> list[str]:
    rounds = complete_rounds(race, results)
    return [
        "## Time to 99 % accuracy",
        "",
        "Seconds in the training loop and test accuracy; the seed is the number of the round, from "
        "0. The record recipe is that of github.com/tuomaso/train_mnist_fast, which reaches 99 % "
        "in one epoch.",
        *_format_race(race, results, rounds),
    ]


def _format_predicting(race: Race, results: Results) -> list[str]:
    iterations = results["state"]["iterations"]
    return [
        f"## Predicting: {race.name}",
        "",
        f"Milliseconds per call; all have the same weights, after {iterations:,} iterations. The "
        "accuracy on all test images shows that they do the same.",
        *_format_race(race, results, complete_rounds(race, results)),
    ]


def _format_race(
    race: Race, results: Results, rounds: Sequence[dict[str, Measurement]]
) -> list[str]:
    """Return the lines that every race has: its table, ratios, who was left out, idleness."""
    plural = "" if len(rounds) == 1 else "s"
    lines = [f"{len(rounds)} round{plural} at commit {results['state']['commit']}.", ""]
    lines += ["| | median | min to max | accuracy |", "| --- | --- | --- | --- |"]
    for name in rounds[0] if rounds else []:
        times = [measured[name][race.figure] for measured in rounds]
        accuracy = fmean(measured[name]["accuracy"] for measured in rounds)
        lines.append(
            f"| {name} | {median(times):.3g} | {min(times):.3g} to {max(times):.3g} "
            f"| {accuracy:.4f} |"
        )
    lines += ["", *_format_comparisons(race, rounds)]
    left_out = results.get("left_out", {})
    if left_out:
        lines += ["Left out:", "", *(f"- {name}: {why}." for name, why in left_out.items()), ""]
    return [*lines, *_format_idleness(rounds)]


def _format_comparisons(race: Race, rounds: Sequence[dict[str, Measurement]]) -> list[str]:
    """Return the table of ratios in float32 and overall, if there are any."""
    compared = {
        "float32": compare(race, rounds, "float32"),
        "any precision": compare(race, rounds),
    }
    rows = [
        _format_comparison(name, found) for name, found in compared.items() if found is not None
    ]
    if not rows:
        return []
    head = "| | ours / fastest other | ratio in each round | median | interval | claim: at most |"
    return [head, "| --- | --- | --- | --- | --- | --- |", *rows, ""]


def _format_comparison(name: str, found: Comparison) -> str:
    middle, low, high = found.interval
    ratios = ", ".join(f"{ratio:.2f}" for ratio in found.ratios)
    return (
        f"| {name} | {found.ours} / {found.peer} | {ratios} | {middle:.3f} "
        f"| {low:.3f} to {high:.3f} | **{high:.2f}** |"
    )


def _format_idleness(rounds: Sequence[dict[str, Measurement]]) -> Iterator[str]:
    measurements = [each for measured in rounds for each in measured.values()]
    if measurements:
        before, others = (
            max(each[key] for each in measurements) for key in ("busy_before", "others")
        )
        verdict = "" if before <= LIMIT else " **The machine was not idle.**"
        yield (
            f"At most {100 * before:.1f} % of the CPU time was busy before a measurement; other "
            f"processes had at most {100 * others:.1f} % during one.{verdict}"
        )


def _format_limits(limits: dict[str, Any]) -> list[str]:
    square = limits["square"]
    precisions = [key for key in PRECISIONS if key in square]
    peaks = " and ".join(f"{_gigaflops(square, key):,.0f} in {key}" for key in precisions)
    lines = [
        "## The machine's limits",
        "",
        f"- A matrix product of 2048 x 2048: {peaks} GFLOP/s.",
        f"- Memory, copying arrays much larger than the caches: {limits['bandwidth'] / 1e9:.1f} "
        "GB/s, read and written.",
        f"- A session call that does nothing: {1000 * limits['session_call_ms']:.0f} µs.",
        f"- Measured at commit {limits['state']['commit']}; before it, "
        f"{100 * limits['busy_before']:.1f} % of the CPU time was busy.",
        "",
        "The matrix products and convolutions of a step alone, GFLOP/s: the best of TensorFlow and "
        "PyTorch, with all cores for one operation or a core for each of two. The least that a "
        "step can take is the sum of their times, and the time in which the optimizer's variables "
        "can be read and written once; nothing else is counted.",
    ]
    for model, found in limits["models"].items():
        lines += ["", f"| {model} | GFLOP | {' | '.join(precisions)} |"]
        lines.append("| --- " * (2 + len(precisions)) + "|")
        for each in found["operations"]:
            speeds = " | ".join(f"{_gigaflops(each, key):,.0f}" for key in precisions)
            lines.append(f"| {each['name']} | {each['flops'] / 1e9:.3g} | {speeds} |")
        size = found["state_bytes"] / 1e6
        lines += [
            "",
            f"{model}'s {size:.3g} MB of weights and moments are copied with "
            f"{found['bandwidth'] / 1e9:.1f} GB/s.",
        ]
    return lines


def _gigaflops(operation: dict[str, Any], precision: str) -> float:
    return operation["flops"] / operation[precision]["milliseconds"] / 1e6
