"""The report of what was measured; what the model says on paper is in paper.py."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.cluster.measure import (
    CHECKED_WORKERS,
    FITTED_WORKERS,
    MODELS,
    PLANS,
    REAL_LINKS,
    SIZES,
    Results,
    as_sums,
    find_sendings,
)
from benchmarks.cluster.model import COSTS, predict_sum, relative_errors
from benchmarks.cluster.paper import (
    count_cores,
    fit_constants,
    format_bars,
    format_paper,
    format_times,
    table,
)

UNITS = ("ms", "ms", "ms", "delays", "ms/MB", "ms/MB at 1 Gbit/s", "ms", "ms/MB")


def check_steps(results: Results) -> list[dict[str, Any]]:
    """Return measured and predicted ms of each step in which computing was a sleep."""
    constants, cores, found = fit_constants(results), count_cores(results), []
    alone = {_key(e): e["ms"] for e in results["sleeping"] if e["plan"] == "alone"}
    for each in results["sleeping"]:
        if each["plan"] == "alone":
            continue
        place = (each["gbit"], each["delay_ms"], cores)
        sums = [
            predict_sum(constants, each["workers"], way, size, *place)
            for way, size in each["sendings"]
        ]
        predicted = alone[_key(each)] + sum(sums) - len(sums) * constants.call
        found.append({**each, "alone_ms": alone[_key(each)], "predicted_ms": predicted})
    return found


def _key(step: dict[str, Any]) -> tuple:
    return step["model"], step["workers"], step["gbit"], step["delay_ms"]


def format_report(results: Results) -> str:
    """Return the report, in Markdown."""
    lines = [
        "# Training on many machines",
        "",
        f"Hosts are network namespaces on {machine.summarize(results['machine'])}.",
        "All of them share its cores. Load of the machine before and after (its own included): "
        f"{results['load'][0]:.1f} and {results['load'][1]:.1f} processes.",
        "Reproduce, as root: `python -m benchmarks.cluster`.",
    ]
    for part in (_links, _costs, _sums, _fit, _real, format_bars, format_paper, format_times):
        lines += ["", *part(results)]
    if "faults" in results:
        lines += ["", *format_faults(results["faults"])]
    return "\n".join(lines) + "\n"


def _delay(delay_ms: float | None) -> str:
    return "no relay" if delay_ms is None else f"{delay_ms:g} ms"


def _links(results: Results) -> list[str]:
    rows = [
        (
            f"{e['nominal_gbit']:g} Gbit/s, {_delay(e['delay_ms'])}",
            f"{e['trip_ms']:.3f}",
            f"{e['gbit']:.2f}",
        )
        for e in results["links"]
    ]
    return [
        "## The links",
        "",
        "One plain TCP connection: the round trip of a byte, and 64 MiB in one direction. What a",
        "relay adds by itself is the difference between a delay of 0 and no relay.",
        "",
        *table(("link", "round trip, ms", "Gbit/s"), rows),
    ]


def _costs(results: Results) -> list[str]:
    rows = []
    for name in MODELS:
        real = {e["plan"]: e for e in results["real"] if e["model"] == name}
        sent = find_sendings(results, name, 2)
        expected = sum(COSTS[each.way](2, each.size).size for each in sent)
        found = real["exchanged"]["sent"]
        cells = (len(sent), f"{expected / 1e6:.3f}", f"{found / 1e6:.3f}")
        rest = (f"{100 * (found / expected - 1):.1f} %", f"{real['summed']['sent'] / 1e6:.3f}")
        rows.append((name, *cells, *rest))
    fixed = [e for e in results["sums"] if e["workers"] == 2 and e["gbit"] == 10]
    calls = {_delay(e["delay_ms"]): e["ms"] for e in fixed if e["kind"] == "call"}
    small = {
        way: [e["ms"] / 8 for e in fixed if e.get("chain") == 8 and e["way"] == way]
        for way in COSTS
    }
    head = ("recipe", "sendings", "MB expected", "MB sent", "overhead", "MB if all were summed")
    return [
        "## Bytes and fixed costs of a step",
        "",
        "Two workers; what a worker sends is what it receives. By the interface's counters.",
        "",
        *table(head, rows),
        "",
        "A session call that does nothing, and one number summed in a ring or in rounds, or",
        "gathered (one of eight in a call), ms:",
        "",
        *table(
            ("delay", *calls),
            [
                ("call", *(f"{ms:.2f}" for ms in calls.values())),
                *((way, *(f"{ms:.2f}" for ms in times)) for way, times in small.items()),
            ],
        ),
    ]


def _sums(results: Results) -> list[str]:
    chosen = [e for e in results["sums"] if e.get("chain") == 1]
    places = sorted(
        {(e["way"], e["workers"], e["gbit"], e["delay_ms"]) for e in chosen},
        key=lambda p: (list(COSTS).index(p[0]), p[1], -p[2], -1 if p[3] is None else p[3]),
    )
    rows = []
    for place in places:
        times = {
            4 * e["words"]: f"{e['ms']:.3g}"
            for e in chosen
            if (e["way"], e["workers"], e["gbit"], e["delay_ms"]) == place
        }
        way, workers, gbit, delay = place
        link = f"{gbit:g} Gbit/s, {_delay(delay)}"
        rows.append((way, workers, link, *(times.get(size, "") for size in SIZES)))
    head = ("way", "workers", "link", *(f"{size / 1e6:g} MB" for size in SIZES))
    text = (
        "Median ms, by the size of a worker's vector, summed in a ring or in rounds, or gathered."
    )
    return ["## Sums", "", text, "", *table(head, rows)]


def _fit(results: Results) -> list[str]:
    constants, cores = fit_constants(results), count_cores(results)
    rows = [
        (name, f"{value:.3g}", unit)
        for name, value, unit in zip(constants._fields, constants, UNITS, strict=True)
    ]
    fitted = relative_errors(constants, as_sums(results, FITTED_WORKERS), cores)
    others = relative_errors(constants, as_sums(results, CHECKED_WORKERS), cores)
    steps = check_steps(results)
    stepped = [e["predicted_ms"] / e["ms"] - 1 for e in steps]
    return [
        "## The model",
        "",
        "    step = compute * straggler + sent - sent while computing",
        "    sent = operations * operation + messages * (message + request * delay)",
        "         + MB * (copy + link / Gbit/s)",
        "",
        "A ring of N workers is one operation of 2(N - 1) messages, each of an N-th of the vector;",
        "rounds are an operation for each prime factor p of N, of p - 1 messages.",
        "",
        f"Constants from the sums of {_either(FITTED_WORKERS)} workers, by least squares:",
        "",
        *table(("constant", "value", "unit"), rows),
        "",
        "Predicted relative to measured time:",
        "",
        *table(
            ("", "runs", "median error", "median of absolute errors", "worst"),
            [
                _errors("sums it was fitted on", fitted),
                _errors(f"sums of {_either(CHECKED_WORKERS)} workers", others),
                _errors("whole steps, computing replaced by a sleep", stepped),
            ],
        ),
    ]


def _either(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))


def _errors(name: str, errors: Sequence[float]) -> tuple[str, ...]:
    worst = max(errors, key=abs)
    cells = (median(errors), median(map(abs, errors)), worst)
    return (name, str(len(errors)), *(f"{100 * each:+.0f} %" for each in cells))


def _real(results: Results) -> list[str]:
    lines = [
        "## Two workers, each on one core",
        "",
        "Median ms of a step, and in brackets the efficiency: the time of a share alone, also on",
        "one core, relative to it. `exchanged` is what this program does; the others were built",
        "for this measurement: `late` sends nothing before the backward pass is done, `summed`",
        "sums every gradient, `bfloat16` halves the bytes of sums. A relay, which makes the delay,",
        "runs on the same cores.",
    ]
    for gbit, delay in REAL_LINKS:
        rows = []
        for name in MODELS:
            plans = {
                e["plan"]: e["ms"]
                for e in results["real"]
                if (e["model"], e["gbit"], e["delay_ms"]) == (name, gbit, delay)
            }
            cells = [f"{plans[p]:.3g} ({plans['alone'] / plans[p]:.2f})" for p in PLANS]
            rows.append((name, f"{plans['alone']:.3g}", *cells))
        title = f"{gbit} Gbit/s, {_delay(delay)}"
        lines += ["", *table((title, "alone", *PLANS), rows)]
    return lines


def format_faults(faults: Results) -> list[str]:
    """Return the section about faults."""
    kills, cuts = faults["kills"], faults.get("cuts", [])
    rows = []
    for name in ("SIGKILL", "SIGSTOP"):
        of_kind = [each for each in kills if each["signal"] == name]
        if of_kind:
            seconds = [each["seconds"] for each in of_kind]
            ended, named = (sum(each[key] for each in of_kind) for key in ("ended", "named"))
            spread = f"{median(seconds):.1f} ({max(seconds):.1f})"
            rows.append((name, len(of_kind), ended, named, spread))
    lines = [
        "## Faults",
        "",
        f"{len(kills)} faults in {faults['runs']} runs of two to four workers, each resumed until",
        f"it was finished: **{faults['identical']} of {faults['runs']}** ended with the history",
        "and the checkpoint of an undisturbed run, bit for bit. Others ended: all other workers,",
        "by themselves, with exit code 1 and one line. Seconds: from the fault to their end,",
        "median and longest; of workers that were still starting, with their start.",
        "",
        *table(("fault", "number", "others ended", "named it", "seconds"), rows),
        "",
        f"Processes that failed although nothing happened to them: {len(faults['crashes'])}.",
        *sorted({f"- exit codes {each['codes']}" for each in faults["crashes"]}),
    ]
    for seconds, name in ((5.0, "for five seconds"), (None, "for good")):
        of_kind = [each for each in cuts if each["cut_seconds"] == seconds]
        if of_kind:
            resumed, same = (sum(each[key] for each in of_kind) for key in ("resumed", "identical"))
            lines += [
                "",
                f"A link cut {name}, {len(of_kind)} times: {resumed} runs had to be resumed, "
                f"{same} ended as the undisturbed run. "
                f"{max(each['seconds'] for each in of_kind):.1f} seconds at most until all had "
                "ended.",
            ]
    return lines
