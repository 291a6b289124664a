"""Race this package against others: training steps, the time to 99 % accuracy, predictions.

    python -m benchmarks.speed                              all of it, some hours
    python -m benchmarks.speed --models cnn --races training limits
    python -m benchmarks.speed --rounds 2 --iterations 100 --patience 0 --results DIR     a try

The contenders are the tutorials' loop, PyTorch (eager and compiled), JAX and Keras, and LiteRT and
ONNX Runtime for predictions; those take part that are installed (benchmarks/requirements.txt,
requirements-dev.txt; torch.compile needs g++). The same command continues: what was measured at
the same commit, on the same machine, is not measured again. Writes speed.json and speed.md.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.checkout import find_commit, is_exact
from benchmarks.idle import add_patience, wait_until_idle
from benchmarks.reproduce import RESULTS
from benchmarks.speed.child import call_in_process
from benchmarks.speed.races import (
    BATCHES,
    ITERATIONS,
    OURS,
    PREDICTED_MODELS,
    STEPS_PER_CALL,
    Race,
    predicting_race,
    race_to_99,
    training_race,
)
from benchmarks.speed.report import format_report
from benchmarks.speed.run import continue_race, run_race

PACKAGES = ("torch", "jax", "keras", "ai-edge-litert", "onnxruntime")
"""Whose versions are reported, apart from TensorFlow's."""
LEAST_ROUNDS = 7
"""Below this, a bootstrap interval says little."""


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rounds", type=int, default=LEAST_ROUNDS, help="rounds (default: %(default)s)")
    add(
        "--models",
        nargs="+",
        choices=list(ITERATIONS),
        default=list(ITERATIONS),
        help="models that are trained, and predict (default: all; softmax only trains)",
    )
    add("--seeds", type=int, default=10, help="rounds of the time to 99 %% (default: %(default)s)")
    races = list(RACES)
    add("--races", nargs="+", choices=races, default=races, help="what to measure (default: all)")
    add(
        "--iterations",
        type=int,
        help=f"iterations of each training (default: {ITERATIONS}); a multiple of "
        f"{5 * STEPS_PER_CALL}",
    )
    add_patience(parser)
    add("--results", type=Path, default=RESULTS, metavar="DIR", help="where to write the results")
    add("--report", action="store_true", help="only write the report again")
    return parser.parse_args()


class Session:
    """The results so far, where they are saved, and what was asked for."""

    def __init__(self, options: argparse.Namespace) -> None:
        options.results.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.path = options.results / "speed.json"
        results = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.results: dict[str, Any] = results if "races" in results else {"races": {}}
        self.wait: Callable[[], float] = partial(wait_until_idle, patience=options.patience)

    def describe(self) -> None:
        """Put down the machine and the versions, on which all results depend."""
        found = {"machine": machine.describe(), "versions": find_versions()}
        if any(self.results.get(key) != value for key, value in found.items()):
            self.results = {**found, "races": {}}

    def save(self) -> None:
        self.path.write_text(json.dumps(self.results, indent=2) + "\n")

    def report(self) -> None:
        self.path.with_suffix(".md").write_text(format_report(self.results))

    def run(self, race: Race, rounds: int, **state: Any) -> None:
        """Run what is missing of a race; its results depend on the commit and on `state`."""
        races = self.results["races"]
        state = {"commit": find_commit(), **state}
        races[race.name] = continue_race(races.get(race.name), state)
        run_race(race, races[race.name], rounds, self.save, self.wait)
        self.report()


def find_versions() -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def race_training(session: Session) -> None:
    """Race training steps."""
    for model in session.options.models:
        race = training_race(model, session.options.iterations)
        session.run(race, session.options.rounds, iterations=race.arguments["iterations"])


def race_time_to_99(session: Session) -> None:
    """Race complete trainings."""
    if session.options.seeds:
        session.run(race_to_99(), session.options.seeds)


def race_predicting(session: Session) -> None:
    """Race predictions, after a short training."""
    for model in filter(PREDICTED_MODELS.__contains__, session.options.models):
        iterations = session.options.iterations or ITERATIONS[model]
        with tempfile.TemporaryDirectory() as folder:
            prepared = {"model": model, "folder": folder, "iterations": iterations}
            paths = call_in_process(f"contenders.{OURS}", "prepare_predictions", prepared)
            for images in BATCHES:
                race = predicting_race(model, images, paths)
                session.run(race, session.options.rounds, iterations=iterations)


def measure_limits(session: Session) -> None:
    """Measure what the machine itself can do."""
    state = {"commit": find_commit(), "models": session.options.models}
    is_same = session.results.get("limits", {}).get("state") == state
    if not (is_same and is_exact(state["commit"])):
        busy = session.wait()
        found = call_in_process("speed.limits", "measure_limits", {"models": state["models"]})
        session.results["limits"] = {"state": state, "busy_before": round(busy, 4), **found}
        session.save()
    session.report()


RACES: dict[str, Callable[[Session], None]] = {
    "limits": measure_limits,
    "training": race_training,
    "to-99": race_time_to_99,
    "predicting": race_predicting,
}


def main() -> None:
    session = Session(parse_options())
    if session.options.report:
        session.report()
        return
    session.describe()
    for name in session.options.races:
        RACES[name](session)


if __name__ == "__main__":
    main()
