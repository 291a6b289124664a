"""The report of whole commands."""

from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.bootstrap import median_interval
from benchmarks.idle import LIMIT

NOW = "now"
"""The contender that is this checkout."""
Measured = dict[str, list[dict[str, float]]]
"""What was measured of each contender, round by round."""


def format_report(results: dict[str, Any]) -> str:
    """Return the report of `results`, in Markdown."""
    jobs: dict[str, Measured] = {job: found["measured"] for job, found in results["jobs"].items()}
    rounds = {len(each) for measured in jobs.values() for each in measured.values()}
    commits = sorted({found["commit"] for found in results["jobs"].values()})
    lines = [
        "# Whole commands",
        "",
        f"On {machine.summarize(results['machine'])}; commit {', '.join(commits)}; "
        f"{' or '.join(map(str, sorted(rounds)))} rounds.",
        "Reproduce: `python -m benchmarks.commands --before DIR`; DIR is an earlier checkout.",
        "",
        "Seconds from the start of Python to its end, and the peak of its memory. Ratios are of "
        "the times in each round, with the bootstrap interval of their median; a claim is its "
        "upper end.",
        "",
        "| command | by | s, median | min to max | CPU s | MiB | now takes, of that | interval |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for job, measured in jobs.items():
        lines += [_format_line(job, name, measured) for name in measured]
    busy = max(
        found["busy_before"]
        for measured in jobs.values()
        for each in measured.values()
        for found in each
    )
    verdict = "" if busy <= LIMIT else " **The machine was not idle.**"
    lines += ["", f"At most {100 * busy:.1f} % of the CPU time was busy before one.{verdict}", ""]
    return "\n".join(lines)


def _format_line(job: str, name: str, measured: Measured) -> str:
    seconds, cpu, memory = (
        [found[key] for found in measured[name]] for key in ("seconds", "cpu_seconds", "mebibytes")
    )
    line = (
        f"| {job} | {name} | {median(seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} "
        f"| {median(cpu):.1f} | {max(memory):,.0f} "
    )
    if name == NOW:
        return line + "| | |"
    now = [found["seconds"] for found in measured[NOW]]
    ratio = median_interval([one / other for one, other in zip(now, seconds, strict=True)])
    return line + f"| {ratio.median:.2f} | {ratio.low:.2f} to **{ratio.high:.2f}** |"
