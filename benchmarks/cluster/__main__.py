"""Measure training on many machines, on hosts that are network namespaces of this one.

    python -m benchmarks.cluster                          bytes, all-reduce, steps, and a model
    python -m benchmarks.cluster --faults [--kills 100]   kill workers, cut links, compare results
    python -m benchmarks.cluster --report                 only write the report again

Needs root, iproute2 and Linux. Nothing leaves the namespaces, and all of it disappears when this
program ends, however it does. Writes benchmarks/results/cluster.json and .md, and
docs/cluster-scaling.png.
"""

import argparse
import json
import os
import sys
from typing import Any

from benchmarks import machine
from benchmarks.cluster.hosts import enter_own_namespaces
from benchmarks.reproduce import RESULTS, ROOT

PICTURE = ROOT / "docs" / "cluster-scaling.png"
PARTS = ("links", "compute", "real", "sums", "steps")


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", action="store_true", help="let workers and links fail")
    parser.add_argument("--kills", type=int, default=100, help="faults of workers")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments")
    parser.add_argument("--times", type=int, default=20, help="session calls per measurement")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)"
    )
    parser.add_argument("--report", action="store_true", help="only write the report again")
    options = parser.parse_args()
    path = RESULTS / "cluster.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def save() -> None:
        path.write_text(json.dumps(results, indent=2) + "\n")

    if not options.report:
        enter_own_namespaces()
        if options.faults:
            _let_fail(results, options.kills, options.seed, save)
        else:
            _measure(results, options.parts, options.times, save)
    _write_report(results)


def _let_fail(results: dict[str, Any], kills: int, seed: int, save: Any) -> None:
    from benchmarks.cluster.faults import cut_links, kill_many

    faults = results["faults"] = {"machine": machine.describe()}
    kill_many(kills, seed, faults, save)
    cut_links(faults, save)


def _measure(results: dict[str, Any], parts: list[str], times: int, save: Any) -> None:
    from benchmarks.cluster import measure

    results["machine"] = machine.describe()
    before = os.getloadavg()[0]
    if "links" in parts:
        measure.measure_links(results)
    for part in ("compute", "real", "sums", "steps"):
        if part in parts:
            getattr(measure, f"measure_{part}")(results, times)
            save()
    results["load"] = [round(before, 2), round(os.getloadavg()[0], 2)]
    save()


def _write_report(results: dict[str, Any]) -> None:
    from benchmarks.cluster.paper import draw
    from benchmarks.cluster.report import format_faults, format_report

    if "sleeping" in results:
        text = format_report(results)
        draw(results, PICTURE)
    else:
        text = "\n".join(format_faults(results["faults"])) + "\n"
    (RESULTS / "cluster.md").write_text(text)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
