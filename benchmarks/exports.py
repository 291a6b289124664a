"""Measure exported networks in their runtimes, on one core: size, start, speed, accuracy.

    python -m benchmarks.exports [--models softmax mlp ...] [--rounds 5]

Exports the newest finished run of each recipe in runs/ (of `reader`, the network in the package)
and measures the session, the SavedModel, LiteRT in float32 and int8, and ONNX Runtime, each in
processes of its own that may use one core. They take turns. Writes benchmarks/results/exports.json
and .md; recipes that are not named keep their figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT
from mnist_graph import export, read_data_sets, recipes
from mnist_graph.data.batches import test_examples
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.errors import MnistGraphError
from mnist_graph.exports.arrays import read_arrays, write_arrays
from mnist_graph.exports.check import accuracy, as_inputs
from mnist_graph.exports.formats import LITERT, LITERT_INT8, ONNX, SAVED_MODEL
from mnist_graph.exports.runtimes import BATCH
from mnist_graph.runs.find import find_run
from mnist_graph.runs.litert_model import DEFAULT_SIGNATURE
from mnist_graph.runs.run import RUNS_DIR, Run
from mnist_graph.runs.shipped import find_shipped

MODELS = ("softmax", "mlp", "cnn", "cnn-best", "reader")
SESSION = "session"
RUNTIMES = {
    SESSION: "TensorFlow session",
    SAVED_MODEL: "SavedModel, TensorFlow",
    LITERT: "LiteRT float32",
    LITERT_INT8: "LiteRT int8",
    ONNX: "ONNX Runtime",
}


def main() -> None:
    """Export, measure in rounds, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--rounds", type=int, default=5, help="processes for each runtime")
    options = parser.parse_args()
    path = RESULTS / "exports.json"
    results: dict[str, dict] = json.loads(path.read_text()) if path.exists() else {"models": {}}
    results["machine"] = machine.describe()
    for model in options.models:
        run = _find(model)
        with tempfile.TemporaryDirectory() as place:
            folder = export(run, place).directory
            results["models"][model] = _measure_model(run, folder, Path(place), options.rounds)
        path.write_text(json.dumps(results, indent=2) + "\n")
        path.with_suffix(".md").write_text(format_report(results))


def _find(model: str) -> Run:
    recipe = recipes[model]
    run = find_run(RUNS_DIR, recipe, BUNDLED_SHA256) or find_shipped(recipe, BUNDLED_SHA256)
    if run is None:
        raise MnistGraphError(f"no finished run of {model}; train it: main.py --model {model}")
    return run


def _measure_model(run: Run, folder: Path, place: Path, rounds: int) -> dict[str, dict]:
    pixels, labels = test_examples(read_data_sets(), run.recipe.reads_strips)
    inputs, outputs = place / "inputs.npz", place / "outputs.npz"
    write_arrays(inputs, as_inputs(pixels, DEFAULT_SIGNATURE, run.recipe.reads_strips))
    measured: dict[str, list[dict]] = {name: [] for name in RUNTIMES}
    for _ in range(rounds):
        for name in RUNTIMES:
            path = {SESSION: run.directory, SAVED_MODEL: folder}.get(name, folder / name)
            words = ["-m", "benchmarks.exports_child", name, path.resolve(), inputs, outputs]
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            command = [sys.executable, *map(str, words), str(time.time())]
            done = subprocess.run(command, cwd=ROOT, check=True, **streams)
            right = accuracy(read_arrays(outputs)["classes"], labels)
            measured[name].append({**json.loads(done.stdout), "accuracy": right})
            print(run.recipe.model, name, measured[name][-1], flush=True)
    return {
        name: {"bytes": _size(folder, name), "measured": values}
        for name, values in measured.items()
    }


def _size(folder: Path, name: str) -> int:
    """Return the size of what the runtime loads, in bytes."""
    if name in (SESSION, SAVED_MODEL):
        paths = [folder / SAVED_MODEL, *(folder / "variables").iterdir()]
        return sum(path.stat().st_size for path in paths)
    return (folder / name).stat().st_size


def format_report(results: dict) -> str:
    """Return the report of `results`, in Markdown."""
    rounds = {
        len(values["measured"])
        for runtimes in results["models"].values()
        for values in runtimes.values()
    }
    lines = [
        "# Exported networks",
        "",
        f"Medians of {' or '.join(map(str, sorted(rounds)))} processes (minimum to maximum), each "
        f"on one core, on {machine.summarize(results['machine'])}.",
        "Reproduce: `python -m benchmarks.exports`.",
        "",
        "Start: from starting Python to the first answer. ms: milliseconds a digit, one at a time "
        f"and {BATCH} at a time; of `reader`, a strip of 224 pixels. Accuracy: on all test images; "
        "of `reader`, the share of its test strips read whole and right.",
        "",
        "| recipe | runtime | kB | start, s | ms, single | ms, batch | accuracy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for model in filter(results["models"].__contains__, MODELS):
        for name, values in results["models"][model].items():
            cells = [
                _spread([each[key] for each in values["measured"]], digits)
                for key, digits in (("start", 2), ("single_ms", 3), ("batch_ms", 3))
            ]
            right = values["measured"][0]["accuracy"]
            cells = [model, RUNTIMES[name], f"{values['bytes'] / 1000:,.0f}", *cells]
            lines.append(f"| {' | '.join(cells)} | {right:.4f} |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float], digits: int) -> str:
    middle, least, most = (f"{v:.{digits}f}" for v in (median(values), min(values), max(values)))
    return f"{middle} ({least} to {most})"


if __name__ == "__main__":
    main()
