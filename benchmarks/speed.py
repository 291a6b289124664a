"""Compare training speed: this package, the tutorials' loop, PyTorch, JAX and Keras.

    python -m benchmarks.speed [--rounds 5] [--models softmax mlp cnn] [--seeds 10]

Measures the time per iteration and the time to 99 % accuracy. Each measurement runs in a
process of its own, and the contenders take turns. PyTorch (CPU), JAX and Keras take part if
they are installed (benchmarks/requirements.txt). Writes benchmarks/results/speed.json and .md.
"""

import argparse
import importlib
import json
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from statistics import fmean, median
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT

ITERATIONS = {"softmax": 3000, "mlp": 1000, "cnn": 300}
"""Iterations per measurement; fewer for slower networks, so that each takes seconds."""
TIME_TO_99 = "time to 99 %"
"""The key of these measurements in speed.json, which also selects them in `--one`."""


class Contender(NamedTuple):
    """A library and a precision to measure."""

    name: str
    """As shown in the report and used as a key in speed.json."""
    module: str
    """In benchmarks.contenders."""
    package: str
    """The package that must be installed."""
    precision: str


CONTENDERS = (
    Contender("ours, float32", "ours", "tensorflow", "float32"),
    Contender("ours, bfloat16", "ours", "tensorflow", "bfloat16"),
    Contender("the tutorials' loop", "tutorial", "tensorflow", "float32"),
    Contender("PyTorch, float32", "pytorch", "torch", "float32"),
    Contender("PyTorch, bfloat16", "pytorch", "torch", "bfloat16"),
    Contender("JAX jit, float32", "jax_jit", "jax", "float32"),
    Contender("Keras fit, float32", "keras_fit", "keras", "float32"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="measurements per model and contender (default: %(default)s)",
    )
    parser.add_argument(
        "--models",
        nargs="*",
        choices=list(ITERATIONS),
        default=list(ITERATIONS),
        help="models whose time per iteration is measured (default: all)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=10,
        help="seeds for the time to 99 %% accuracy; 0 skips it (default: %(default)s)",
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure_here(*options.one)))
        return
    path = RESULTS / "speed.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    contenders = [contender for contender in CONTENDERS if find_spec(contender.package)]
    packages = sorted({contender.package for contender in contenders})
    results["machine"] = machine.describe()
    results["versions"] = {package: version(package) for package in packages}
    for model in options.models:
        results[model] = _measure_in_rounds(model, contenders, options.rounds)
        path.write_text(json.dumps(results, indent=2) + "\n")
    modules = ["ours", *(["pytorch"] if "torch" in packages else [])]
    if options.seeds:
        results[TIME_TO_99] = {module: [] for module in modules}
        for seed in range(options.seeds):
            for module in modules:
                measurement = _measure_in_subprocess(module, TIME_TO_99, str(seed))
                results[TIME_TO_99][module].append(measurement)
                print(TIME_TO_99, module, measurement, flush=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "speed.md").write_text(_format_report(results))


def _measure_in_rounds(
    model: str, contenders: list[Contender], rounds: int
) -> dict[str, list[dict]]:
    """Measure every contender once per round; return the measurements by contender."""
    measured: dict[str, list[dict]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for name, module, _, precision in contenders:
            if model == "softmax" and name == "ours, bfloat16":
                continue  # softmax is only an output layer, which is always float32
            measured[name].append(_measure_in_subprocess(module, model, precision))
            print(model, name, measured[name][-1], flush=True)
    return {name: runs for name, runs in measured.items() if runs}


def _measure_in_subprocess(*arguments: str) -> dict[str, float | None]:
    """Call `_measure_here` with these arguments in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed", "--one", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measure_here(module: str, task: str, setting: str) -> dict[str, float | None]:
    """Measure one contender in this process.

    `task` is a model, with a precision as its `setting`, or TIME_TO_99, with a seed.
    """
    contender = importlib.import_module(f"benchmarks.contenders.{module}")
    if task == TIME_TO_99:
        seconds, accuracy = contender.train_to_99(int(setting))
        return {"seconds": seconds, "accuracy": accuracy}
    return contender.measure_speed(task, setting, ITERATIONS[task])._asdict()


def _format_report(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in results["versions"].items())
    lines = [
        "# Speed",
        "",
        f"On {machine.summarize(results['machine'])}; {versions}.",
        "Each measurement runs in a process of its own, and the contenders take turns.",
        "Reproduce: `python -m benchmarks.speed`.",
    ]
    for model in (model for model in ITERATIONS if model in results):
        lines += ["", *_format_iteration_times(model, results[model])]
    if TIME_TO_99 in results:
        lines += ["", *_format_times_to_99(results[TIME_TO_99])]
    return "\n".join(lines) + "\n"


def _format_iteration_times(model: str, measured: dict[str, list[dict]]) -> list[str]:
    times = {name: [run["milliseconds"] for run in runs] for name, runs in measured.items()}
    ours = [name for name in measured if name.startswith("ours")]
    peers = [name for name in measured if name not in ours]
    our_fastest, fastest_peer = (
        min(names, key=lambda name: median(times[name])) for names in (ours, peers)
    )
    ratios = [a / b for a, b in zip(times[our_fastest], times[fastest_peer], strict=True)]
    rows = [
        f"| {name} | {median(times[name]):.3g} | {min(times[name]):.3g} to {max(times[name]):.3g} "
        f"| {fmean(run['accuracy'] for run in runs):.4f} |"
        for name, runs in measured.items()
    ]
    outside = median(run["outside"] for run in measured[our_fastest])
    return [
        f"## {model}",
        "",
        f"Milliseconds per iteration over {ITERATIONS[model]:,} iterations, without the first "
        "fifth (warm-up);",
        f"test accuracy after the last iteration. {len(ratios)} rounds.",
        "",
        "| | median | min to max | accuracy |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Our fastest time relative to the fastest peer's ({our_fastest} / {fastest_peer}), round "
        f"by round: median **{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f}). Our "
        f"loop spends {100 * outside:.1f} % of its time outside TensorFlow.",
    ]


def _format_times_to_99(measured: dict[str, list[dict]]) -> list[str]:
    names = {"ours": "mnist-99", "pytorch": "the record recipe, PyTorch bfloat16"}
    rows = []
    for module, runs in measured.items():
        seconds, accuracies = ([run[key] for run in runs] for key in ("seconds", "accuracy"))
        rows.append(
            f"| {names[module]} | {median(seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} "
            f"| {fmean(accuracies):.4f} | {min(accuracies):.4f} to {max(accuracies):.4f} |"
        )
    lines = [
        "## Time to 99 % accuracy",
        "",
        f"Seconds in the training loop and test accuracy, seeds 0 to {len(runs) - 1}. The record",
        "recipe is that of github.com/tuomaso/train_mnist_fast, which reaches 99 % in one epoch.",
        "",
        "| | median | min to max | accuracy, mean | min to max |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    if "pytorch" in measured:
        pairs = zip(measured["pytorch"], measured["ours"], strict=True)
        ratios = [theirs["seconds"] / ours["seconds"] for theirs, ours in pairs]
        lines += ["", f"PyTorch / ours, seed by seed: median **{median(ratios):.2f}**."]
    return lines


if __name__ == "__main__":
    main()
