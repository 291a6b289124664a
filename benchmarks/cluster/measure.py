"""What is measured between hosts of a Network (hosts.py)."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.cluster.hosts import Network
from benchmarks.cluster.link import measure_link
from benchmarks.cluster.model import COSTS, Sending, Sum, list_sendings
from benchmarks.cluster.tasks import tf_config
from mnist_graph import recipes

Results = dict[str, Any]
MODELS = ("mlp", "cnn", "cnn-best", "cnn-fast")
SIZES = (1_000, 64_000, 1_000_000, 5_000_000, 20_000_000)
"""Bytes of the vectors that are summed."""
FITTED_WORKERS, CHECKED_WORKERS = (2, 3), (4,)
LINKS: tuple[tuple[float, float | None], ...] = (
    *((10, None), (1, None)),
    *((10, 0), (10, 0.1), (10, 1), (10, 5), (1, 0.1)),
)
"""Gbit/s, and ms of delay (None without a relay)."""
STEP_LINKS = ((10, 0.1), (1, 0.1), (10, 1))
REAL_LINKS: tuple[tuple[float, float | None], ...] = ((10, None), (10, 0.1))
SHARES = (1, 2, 4, 8, 16, 32)
"""How many workers share the batch, where computing alone is measured."""
PLANS = ("exchanged", "together", "late", "summed", "bfloat16")
LIMIT_SECONDS = 600
"""The longest that the experiments of one network may take."""


def run_experiments(
    network: Network, experiments: Sequence[dict[str, Any]], pinned: bool = False
) -> list[dict[str, Any]]:
    """Run the experiments of worker.py with a task on each host, with `pinned` each on a core of
    its own; return what the first task prints, and add it to each experiment.
    """
    command = [sys.executable, "-m", "benchmarks.cluster.worker", json.dumps(experiments)]
    tasks = []
    for index, host in enumerate(network.hosts):
        core = index % (os.cpu_count() or 1) if pinned else None
        env = tf_config(network.addresses, index)
        streams = {"stdout": subprocess.PIPE if index == 0 else subprocess.DEVNULL}
        tasks.append(host.start(command, env, core, stderr=subprocess.PIPE, **streams))
    assert tasks[0].stdout is not None
    limit = threading.Timer(LIMIT_SECONDS, tasks[0].kill)
    limit.start()
    try:
        line = tasks[0].stdout.readline()
    finally:
        limit.cancel()
        for task in tasks:
            task.kill()
    if not line:
        errors = tasks[0].communicate()[1].decode(errors="replace").strip()
        raise SystemExit(f"an experiment has failed:\n{errors or 'no answer'}")
    return [{**what, **found} for what, found in zip(experiments, json.loads(line), strict=True)]


def milliseconds(found: dict[str, Any]) -> float:
    """Return the median ms of a step of an experiment."""
    return 1000 * median(found["seconds"]) / found["steps"]


def measure_links(results: Results) -> None:
    """Measure the links by themselves."""
    results["links"] = []
    for gbit, delay in LINKS:
        with Network(2, gbit, delay) as network:
            found = {"nominal_gbit": gbit, "delay_ms": delay, **measure_link(network)}
        results["links"].append(found)
        print(found, flush=True)


def measure_sums(results: Results, times: int) -> None:
    """Measure fixed costs, and all-reduces by their size, the workers and the link."""
    results["sums"] = []
    experiments: list[dict[str, Any]] = [{"kind": "call"}]
    experiments += [
        {"kind": "sums", "words": words, "chain": chain, "way": way}
        for way in COSTS
        for words, chain in ((250, 8), *((size // 4, 1) for size in SIZES))
    ]
    experiments = [{**each, "times": times} for each in experiments]
    for workers in (*FITTED_WORKERS, *CHECKED_WORKERS):
        results["sums"] += _run_on_links(workers, LINKS, experiments)


def _run_on_links(
    workers: int, links: Sequence[tuple[float, float | None]], experiments: list[dict]
) -> list[dict[str, Any]]:
    """Return the figures of each experiment on links of each bandwidth and delay; print them."""
    measured = []
    for gbit, delay in links:
        place = {"workers": workers, "gbit": gbit, "delay_ms": delay}
        with Network(workers, gbit, delay) as network:
            found = run_experiments(network, experiments)
        for each in found:
            measured.append({**place, **summarize(each)})
            print(measured[-1], flush=True)
    return measured


def measure_compute(results: Results, times: int) -> None:
    """Measure a share alone, on all cores, for each recipe and number of workers."""
    experiments = [
        {"kind": "steps", "model": model, "plan": "alone", "workers": workers, "times": times}
        for model in MODELS
        for workers in SHARES
    ]
    with Network(2) as network:
        results["compute"] = run_experiments(network, experiments)
    for each in results["compute"]:
        print(each["model"], each["workers"], milliseconds(each), flush=True)


def measure_steps(results: Results, times: int) -> None:
    """Measure steps in which computing is a sleep as long as that of the share."""
    results["sleeping"] = []
    for workers in (*FITTED_WORKERS, *CHECKED_WORKERS):
        experiments = [
            {
                "kind": "steps",
                "model": model,
                "plan": plan,
                "times": times,
                "sleep_ms": share_milliseconds(results, model, workers),
                "sendings": find_sendings(results, model, workers),
            }
            for model in MODELS
            for plan in ("alone", "exchanged")
        ]
        results["sleeping"] += _run_on_links(workers, STEP_LINKS, experiments)


def measure_real(results: Results, times: int) -> None:
    """Measure real steps of two workers, each on one core, under each plan, and one's share alone
    on one core.
    """
    experiments = [
        {"kind": "steps", "model": model, "plan": plan, "workers": 2, "times": times}
        for model in MODELS
        for plan in ("alone", *PLANS)
    ]
    results["real"] = []
    for gbit, delay in REAL_LINKS:
        with Network(2, gbit, delay) as network:
            found = run_experiments(network, experiments, pinned=True)
        for each in found:
            results["real"].append({"gbit": gbit, "delay_ms": delay, **summarize(each)})
            print(results["real"][-1], flush=True)


def summarize(found: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment with the median, the minimum and the maximum of its times."""
    times = [1000 * each / found["steps"] for each in found["seconds"]]
    kept = {name: value for name, value in found.items() if name not in ("seconds", "kind")}
    spread = {"ms": milliseconds(found), "min_ms": min(times), "max_ms": max(times)}
    return {"kind": found["kind"], **kept, **spread}


def find_sendings(results: Results, model: str, workers: int) -> list[Sending]:
    """Return what a step of the recipe sends."""
    one = next(each for each in results["compute"] if each["model"] == model)
    return list_sendings(
        one["dense"], one["summed"], one["has_late"], workers, recipes[model].batch_size
    )


def share_milliseconds(results: Results, model: str, workers: int) -> float:
    """Return how long a share alone takes, measured or between two measured ones."""
    import numpy as np

    of_model = [each for each in results["compute"] if each["model"] == model]
    rows, times = zip(*sorted((1 / e["workers"], milliseconds(e)) for e in of_model), strict=True)
    return float(np.interp(1 / workers, rows, times))


def as_sums(results: Results, workers: Sequence[int]) -> list[Sum]:
    """Return the measured sums with the given numbers of workers."""
    return [
        Sum(*(e[key] for key in ("chain", "workers", "way")), 4 * e["words"], *_link(e), e["ms"])
        for e in results["sums"]
        if e["kind"] == "sums" and e["workers"] in workers
    ]


def _link(measured: dict[str, Any]) -> tuple[float, float | None]:
    return measured["gbit"], measured["delay_ms"]
