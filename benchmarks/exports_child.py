"""Measure one exported network in this process, for benchmarks/exports.py.

    python -m benchmarks.exports_child RUNTIME PATH INPUTS OUTPUTS STARTED

STARTED is when the process was started, in seconds. Prints the times as JSON and writes the
outputs. Imports only the runtime that it measures.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mnist_graph.exports.arrays import Arrays, read_arrays, write_arrays
from mnist_graph.exports.runtimes import open_exported, run_in_batches

SECONDS = 2.0
"""For how long calls are timed, after WARM_UP of them."""
WARM_UP = 20


def main(name: str, path: str, inputs: str, outputs: str, started: str) -> None:
    """Measure the start, single digits and batches, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before = time.time()
    arrays = read_arrays(Path(inputs))
    reading = time.time() - before  # not counted: a user has one digit
    first = {key: value[:1] for key, value in arrays.items()}
    call = open_run(path) if name == "session" else open_exported(Path(path), threads=1)
    call(**first)
    start = time.time() - float(started) - reading
    single = time_calls(call, first)
    before = time.perf_counter()
    found = run_in_batches(call, arrays)
    batch = (time.perf_counter() - before) / len(found["classes"])
    write_arrays(Path(outputs), found)
    print(json.dumps({"start": start, "single_ms": 1000 * single, "batch_ms": 1000 * batch}))


def time_calls(call: Callable[..., Arrays], inputs: Arrays) -> float:
    """Return the median time of a call with these `inputs`, in seconds."""
    for _ in range(WARM_UP):
        call(**inputs)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while (before := time.perf_counter()) < end:
        call(**inputs)
        times.append(time.perf_counter() - before)
    return median(times)


def open_run(directory: str, precision: str = "float32") -> Callable[..., Arrays]:
    """Return the session of a finished run as a signature: `images` in, `classes` out."""
    from mnist_graph.runs.find import load_run
    from mnist_graph.runs.predictor import Predictor
    from mnist_graph.runs.strip_predictor import StripPredictor

    run = load_run(directory)
    opened = (StripPredictor if run.recipe.reads_strips else Predictor)(run, "cpu", precision)
    network = opened.network
    predict = opened.session.make_callable(network.probabilities, [network.images])
    return lambda images, **_: {"classes": predict(images).argmax(axis=-1)}


if __name__ == "__main__":
    main(*sys.argv[1:])
