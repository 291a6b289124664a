"""Ours against the fastest of the others, round by round, with an interval."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.bootstrap import Interval, median_interval
from benchmarks.speed.races import OURS, Race
from benchmarks.speed.run import Measurement, Results


class Comparison(NamedTuple):
    """Our fastest contender and the fastest of the others, by their medians."""

    ours: str
    peer: str
    ratios: list[float]
    """Our time divided by the peer's, round by round."""
    interval: Interval
    """Of the median ratio. A claim is its upper end."""


def complete_rounds(race: Race, results: Results) -> list[dict[str, Measurement]]:
    """Return the rounds in which everyone was measured who was not left out; of those only."""
    left_out = results.get("left_out", {})
    names = [each.name for each in race.contenders if each.name not in left_out]
    return [
        {name: measured[name] for name in names}
        for measured in results["rounds"]
        if set(names) <= set(measured)
    ]


def compare(
    race: Race, rounds: Sequence[dict[str, Measurement]], precision: str | None = None
) -> Comparison | None:
    """Compare the contenders of one precision, or all of them; None if a side is missing."""
    if not rounds:
        return None
    allowed = [
        each
        for each in race.contenders
        if each.name in rounds[0] and precision in (None, each.precision)
    ]
    ours = [each.name for each in allowed if each.module == OURS]
    peers = [each.name for each in allowed if each.module != OURS]
    if not ours or not peers:
        return None

    def typical(name: str) -> float:
        return median(measured[name][race.figure] for measured in rounds)

    mine, other = min(ours, key=typical), min(peers, key=typical)
    ratios = [each[mine][race.figure] / each[other][race.figure] for each in rounds]
    return Comparison(mine, other, ratios, median_interval(ratios))
