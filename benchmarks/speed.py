"""How long an iteration takes, and 99 %: ours, the tutorials' loop, and what else is installed.

    python -m benchmarks.speed [--rounds 5] [--models softmax mlp cnn] [--seeds 10]

Each measurement is a process of its own; the contenders take turns, round by round. PyTorch
(CPU), JAX and Keras take part where they are installed: benchmarks/requirements.txt. Writes
benchmarks/results/speed.json and .md.
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
RECORD = "time to 99 %"


class Contender(NamedTuple):
    """Who takes part."""

    name: str
    module: str
    package: str
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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="*", choices=list(ITERATIONS), default=list(ITERATIONS))
    parser.add_argument("--seeds", type=int, default=10, help="of the two that race to 99 %%")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(*options.one)))
        return
    path = RESULTS / "speed.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    present = [contender for contender in CONTENDERS if find_spec(contender.package)]
    packages = sorted({contender.package for contender in present})
    results["machine"] = machine.describe()
    results["versions"] = {package: version(package) for package in packages}
    for model in options.models:
        results[model] = _race(model, present, options.rounds)
        path.write_text(json.dumps(results, indent=2) + "\n")
    racers = ["ours", *(["pytorch"] if "torch" in packages else [])]
    if options.seeds:
        results[RECORD] = {racer: [] for racer in racers}
        for seed in range(options.seeds):
            for racer in racers:
                results[RECORD][racer].append(_measure(racer, RECORD, str(seed)))
                print(RECORD, racer, results[RECORD][racer][-1], flush=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "speed.md").write_text(_markdown(results))


def _race(model: str, present: list[Contender], rounds: int) -> dict[str, list[dict]]:
    """Each contender's measurements, one of every round."""
    measured: dict[str, list[dict]] = {contender.name: [] for contender in present}
    for _ in range(rounds):
        for name, module, _, precision in present:
            if model == "softmax" and name == "ours, bfloat16":
                continue  # the output layer, all that it has, is always float32
            measured[name].append(_measure(module, model, precision))
            print(model, name, measured[name][-1], flush=True)
    return {name: runs for name, runs in measured.items() if runs}


def _measure(*words: str) -> dict[str, float | None]:
    command = [sys.executable, "-m", "benchmarks.speed", "--one", *words]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return json.loads(done.stdout.splitlines()[-1])


def _one(module: str, what: str, setting: str) -> dict[str, float | None]:
    """One measurement, in this process."""
    contender = importlib.import_module(f"benchmarks.contenders.{module}")
    if what == RECORD:
        seconds, accuracy = contender.record(int(setting))
        return {"seconds": seconds, "accuracy": accuracy}
    return contender.contend(what, setting, ITERATIONS[what])._asdict()


def _markdown(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in results["versions"].items())
    lines = [
        "# Speed",
        "",
        f"On {machine.sentence(results['machine'])}; {versions}. Each measurement is a process of",
        "its own, the contenders take turns. Again: `python -m benchmarks.speed`.",
    ]
    for model in (model for model in ITERATIONS if model in results):
        lines += ["", *_table(model, results[model])]
    if RECORD in results:
        lines += ["", *_record(results[RECORD])]
    return "\n".join(lines) + "\n"


def _table(model: str, measured: dict[str, list[dict]]) -> list[str]:
    def times(name: str) -> list[float]:
        return [run["milliseconds"] for run in measured[name]]

    ours = [name for name in measured if name.startswith("ours")]
    peers = [name for name in measured if name not in ours]
    best, fastest = (min(names, key=lambda name: median(times(name))) for names in (ours, peers))
    ratio = [a / b for a, b in zip(times(best), times(fastest), strict=True)]
    rows = [
        f"| {name} | {median(times(name)):.3g} | {min(times(name)):.3g} to {max(times(name)):.3g} "
        f"| {fmean(run['accuracy'] for run in runs):.4f} |"
        for name, runs in measured.items()
    ]
    share = median(run["outside"] for run in measured[best])
    return [
        f"## {model}",
        "",
        f"Milliseconds of an iteration, of {ITERATIONS[model]:,}, the first fifth left out; the",
        f"test accuracy is that after the last. {len(ratio)} rounds.",
        "",
        "| | median | min to max | accuracy |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"{best} / {fastest}, round by round: median **{median(ratio):.2f}** "
        f"({min(ratio):.2f} to {max(ratio):.2f}). Outside of TensorFlow, our loop spends "
        f"{100 * share:.1f} % of its time.",
    ]


def _record(measured: dict[str, list[dict]]) -> list[str]:
    names = {"ours": "mnist-99", "pytorch": "the record recipe, PyTorch bfloat16"}
    rows = []
    for racer, runs in measured.items():
        seconds, accuracies = ([run[key] for run in runs] for key in ("seconds", "accuracy"))
        rows.append(
            f"| {names[racer]} | {median(seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} "
            f"| {fmean(accuracies):.4f} | {min(accuracies):.4f} to {max(accuracies):.4f} |"
        )
    lines = [
        f"## {RECORD[0].upper()}{RECORD[1:]}",
        "",
        f"Seconds of the training loop and test accuracy, seeds 0 to {len(runs) - 1}, in turn.",
        "",
        "| | median | min to max | accuracy, mean | min to max |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    if "pytorch" in measured:
        pairs = zip(measured["pytorch"], measured["ours"], strict=True)
        times = [theirs["seconds"] / ours["seconds"] for theirs, ours in pairs]
        lines += ["", f"PyTorch / ours, pair by pair: median **{median(times):.2f}**."]
    return lines


if __name__ == "__main__":
    main()
