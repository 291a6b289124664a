"""The rounds of a race: each contender once, in a process of its own, on an idle machine."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from benchmarks.checkout import is_exact
from benchmarks.idle import read_cpu_time, share_of_others, wait_until_idle
from benchmarks.reproduce import get_child_cpu_seconds
from benchmarks.speed.child import ChildError, call_in_process
from benchmarks.speed.races import Contender, Race

Item = TypeVar("Item")
Measurement = dict[str, Any]
"""What the contender returned; "busy_before", the busy share of the machine's CPU time right before
it; and "others", the share that other processes had while it ran."""
Results = dict[str, Any]
"""Of one race: "state", what it depends on; "rounds", each with the Measurement of every contender
by name; "left_out", by the name of a contender, why."""


def rotate(items: Sequence[Item], number: int) -> list[Item]:
    """Return `items` in their order, beginning with another one in each round `number`."""
    start = number % len(items) if items else 0
    return [*items[start:], *items[:start]]


def continue_race(found: Results | None, state: dict[str, Any]) -> Results:
    """Return results to add to: those `found` if they are of the same `state`, or else none. Code
    that is not committed is never the same.
    """
    if found is None or found.get("state") != state or not is_exact(state["commit"]):
        return {"state": state, "rounds": []}
    return found


def run_race(
    race: Race,
    results: Results,
    rounds: int,
    save: Callable[[], None],
    wait: Callable[[], float] = wait_until_idle,
) -> None:
    """Measure what is missing of the given number of `rounds`; add each to `results`."""
    left_out = results["left_out"] = {}
    for contender in race.contenders:
        if reason := contender.why_not():
            left_out[contender.name] = reason
    for number in range(rounds):
        if number == len(results["rounds"]):
            results["rounds"].append({})
        measured = results["rounds"][number]
        for contender in rotate(race.contenders, number):
            if number:
                _drop_slower(race, results)
            if contender.name in measured or contender.name in left_out:
                continue
            try:
                measured[contender.name] = measure(race, contender, number, wait)
            except ChildError as failure:
                left_out[contender.name] = f"failed: {failure}"
            print(race.name, contender.name, measured.get(contender.name, "failed"), flush=True)
            save()
    save()


def measure(
    race: Race, contender: Contender, number: int, wait: Callable[[], float]
) -> Measurement:
    """Measure a contender once, in round `number`. Raises ChildError."""
    arguments = {**race.arguments, **contender.arguments, "precision": contender.precision}
    if race.seeded:
        arguments["seed"] = number
    busy = wait()
    before, own = read_cpu_time(), get_child_cpu_seconds()
    result = call_in_process(f"contenders.{contender.module}", race.function, arguments)
    own = get_child_cpu_seconds() - own
    others = share_of_others(before, read_cpu_time(), own)
    return {**result, "busy_before": round(busy, 4), "others": round(others, 4)}


def _drop_slower(race: Race, results: Results) -> None:
    """Leave out, of the contenders in the same trial, all but the fastest of the first round."""
    first, left_out = results["rounds"][0], results["left_out"]
    for contender in race.contenders:
        rivals = [
            each.name
            for each in race.contenders
            if contender.trial and each.trial == contender.trial and each.name in first
        ]
        if contender.name in rivals and contender.name not in left_out:
            fastest = min(rivals, key=lambda name: first[name][race.figure])
            if fastest != contender.name:
                time = f"{first[contender.name][race.figure]:.3g}"
                left_out[contender.name] = (
                    f"in the first round it took {time} {race.figure}, {fastest} "
                    f"{first[fastest][race.figure]:.3g}"
                )
