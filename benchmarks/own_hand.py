"""What ten, twenty and fifty of a person's own digits bring: fine-tuning for fifty writers.

    python -m benchmarks.own_hand                        measure what is missing, draw and write all
    python -m benchmarks.own_hand --recipes mlp --writers 3 --results DIR      a try

MNIST's training digits are those of 539 people (mnist_graph/data/writers). Fifty of them are held
out, and ten more on whom the settings are chosen. Each recipe is trained on the digits of the
others. Then, for each writer and each of COUNTS, it is trained on with the first ones of the
writer's own digits, as `--start-from RUN --data-dir OWN` does, with and without `--mix`, and tested
on the writer's other digits and on MNIST's 10,000 test digits.

Results are added to benchmarks/results/own_hand.json one by one: the same command continues.
`own_hand_report` makes own_hand.md and docs/own-hand.png of them.
"""

import argparse
import itertools
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import machine
from benchmarks.own_hand_report import draw, format_report
from benchmarks.reproduce import RESULTS, ROOT
from mnist_graph import Recipe, read_data_sets, recipes, train
from mnist_graph.data.datasets import BUNDLED_SHA256, DataSet, DataSets
from mnist_graph.data.strips.hands import training_writers
from mnist_graph.runs.digit_samples import are_wrong
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.run import Run
from mnist_graph.training.hooks import Hook, Predictions

MODELS = ("mlp", "cnn-fast")
COUNTS = (10, 20, 50)
"""How many of the writer's own digits there are."""
MIXES = (0.0, 0.5)
WRITERS, CHOOSING, LEAST = 50, 10, 100
"""How many writers are held out, how many more settings are chosen on, and how many digits each of
them has written at least."""
OWN = 10
"""How many of the writer's own digits a batch has."""
RATES = {"mlp": (3e-5, 1e-4, 3e-4), "cnn-fast": (1e-4, 3e-4, 1e-3)}
ITERATIONS = {"mlp": (100, 300), "cnn-fast": (30, 100)}
"""The settings that are tried, with CHOSEN_WITH own digits."""
CHOSEN_WITH = 20
SEED = 0


class Job(NamedTuple):
    """One fine-tuning."""

    model: str
    writer: int
    """NIST's number; -1 for none: the same training with digits of the others instead."""
    count: int
    mix: float
    rate: float
    iterations: int

    def recipe(self) -> Recipe:
        batch = round(OWN / (1 - self.mix))
        return recipes[self.model].override(
            validation_size=0,
            batch_size=batch,
            mix=self.mix,
            learning_rate=self.rate,
            iterations=self.iterations,
        )


class Corpus:
    """MNIST, divided by writers."""

    def __init__(self) -> None:
        self.data = read_data_sets(validation_size=0)
        self.writers = training_writers(BUNDLED_SHA256, self.data.train.num_examples)
        numbers, counts = np.unique(self.writers, return_counts=True)
        order = np.random.default_rng(SEED).permutation(numbers[counts >= LEAST])
        self.held_out = order[:WRITERS].tolist()
        self.choosing = order[WRITERS : WRITERS + CHOOSING].tolist()
        away = np.isin(self.writers, [*self.held_out, *self.choosing])
        self.others = self._take(np.flatnonzero(~away))

    def _take(self, indices: np.ndarray) -> DataSet:
        train = self.data.train
        return DataSet(train.pixels[indices], train.sparse_labels[indices], train.classes)

    def digits(self, writer: int) -> np.ndarray:
        """Return which training images the writer's digits are, int [n]: at the beginning one of
        each class, as far as there are any, then another of each, and so on.
        """
        rng = np.random.default_rng((SEED, writer))
        mine = rng.permutation(np.flatnonzero(self.writers == writer))
        labels = self.data.train.sparse_labels[mine]
        rounds = np.array([(labels[:place] == label).sum() for place, label in enumerate(labels)])
        return mine[np.argsort(rounds, kind="stable")]

    def own(self, writer: int, count: int) -> DataSet:
        """The first digits of a writer; for -1, all of the others'."""
        return self.others if writer < 0 else self._take(self.digits(writer)[:count])

    def rest(self, writer: int) -> DataSet:
        """The digits of a writer that are used for testing, whatever the count; for -1, those of
        all writers that are held out.
        """
        writers = self.held_out if writer < 0 else [writer]
        last = [self.digits(each)[max(COUNTS) :] for each in writers]
        return self._take(np.concatenate(last))

    def for_job(self, job: Job) -> DataSets:
        """Return the data of a fine-tuning, to be tested on the writer's other digits and then on
        MNIST's test digits; on the writer's alone where settings are chosen.
        """
        rest, test = self.rest(job.writer), self.data.test
        tested = DataSet(
            np.concatenate([rest.pixels, test.pixels]),
            np.concatenate([rest.sparse_labels, test.sparse_labels]),
            rest.classes,
        )
        own, none = self.own(job.writer, job.count), self._take(np.arange(0))
        sha256 = {"data": f"writer {job.writer}, {job.count} digits"}
        for_testing = rest if job.writer in self.choosing else tested
        return DataSets(own, none, for_testing, sha256, self.others)


class Keep(Hook):
    """Keeps the predictions of the last test."""

    test: Predictions

    def tested(self, test: Predictions) -> None:
        self.test = test


def main() -> None:
    options = _parse()
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "own_hand.json"
    found = json.loads(path.read_text()) if path.exists() else {"runs": []}
    found = {"chosen": {}, "before": {}, **found}
    found["machine"] = machine.describe()
    corpus = Corpus()
    with tempfile.TemporaryDirectory() as temporary:
        for model in options.recipes:
            base = _train_base(model, corpus, options.work or Path(temporary))
            measure = Measure(found, path, corpus, base)
            found["before"][model] = measure.before()
            for mix in MIXES:
                rate, iterations = _choose(model, mix, measure)
                found["chosen"][f"{model} {mix}"] = {"rate": rate, "iterations": iterations}
                for writer in [-1, *corpus.held_out[: options.writers]]:
                    for count in COUNTS if writer >= 0 else (0,):
                        measure(Job(model, writer, count, mix, rate, iterations))
    _save(found, path)
    (options.results / "own_hand.md").write_text(format_report(found))
    draw(found, options.picture)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--recipes", nargs="+", choices=MODELS, default=MODELS, help="recipes (default: both)")
    add("--writers", type=int, default=WRITERS, metavar="N", help=f"writers (default: {WRITERS})")
    add(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="folder of own_hand.json and own_hand.md (default: benchmarks/results)",
    )
    add(
        "--picture",
        type=Path,
        default=ROOT / "docs" / "own-hand.png",
        metavar="FILE",
        help="the picture (default: docs/own-hand.png)",
    )
    add("--work", type=Path, metavar="DIR", help="keep the trained recipes here, to continue")
    return parser.parse_args()


def _save(found: dict[str, Any], path: Path) -> None:
    """Write the results, a line for each run."""
    rest = json.dumps({name: value for name, value in found.items() if name != "runs"})
    runs = ",\n".join(json.dumps(run) for run in found["runs"])
    path.write_text(f'{rest[:-1]}, "runs": [\n{runs}\n]}}\n')


def _train_base(model: str, corpus: Corpus, folder: Path) -> Run:
    """Train the recipe on the digits of the writers that are not held out, unless it is there."""
    directory = folder / model
    if (directory / "result.json").exists():
        return load_run(directory)
    data = corpus.data._replace(train=corpus.others, sha256={"data": "MNIST of 479 writers"})
    return train(recipes[model].override(validation_size=0), data, directory)


class Measure:
    """Makes the fine-tunings that have not been made yet, and adds them to the results."""

    def __init__(self, found: dict[str, Any], path: Path, corpus: Corpus, base: Run) -> None:
        self.found, self.path, self.corpus, self.base = found, path, corpus, base
        self.done = {Job(*run["job"]): run for run in found["runs"]}

    def __call__(self, job: Job) -> dict[str, Any]:
        if job not in self.done:
            run = {"job": list(job), **self._run(job)}
            print(run, flush=True)
            self.done[job] = run
            self.found["runs"].append(run)
            _save(self.found, self.path)
        return self.done[job]

    def _run(self, job: Job) -> dict[str, Any]:
        """Fine-tune; return the errors on the writer's other digits, their mean cross-entropy if
        nothing else is tested, the errors on MNIST's test digits, and the time.
        """
        data, keep = self.corpus.for_job(job), Keep()
        count = self.corpus.rest(job.writer).num_examples
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            train(
                job.recipe(),
                data,
                Path(folder) / "run",
                start_from=self.base.directory,
                log_every=job.iterations,
                hooks=[keep],
            )
        seconds = time.perf_counter() - start
        wrong = are_wrong(keep.test.labels, keep.test.predictions)
        return {
            "errors": int(wrong[:count].sum()),
            "of": count,
            "loss": keep.test.loss,
            "test_errors": int(wrong[count:].sum()),
            "seconds": round(seconds, 2),
        }

    def before(self) -> dict[str, Any]:
        """Return the errors of the recipe before fine-tuning: of each writer, and in the test."""
        rests = {writer: self.corpus.rest(writer) for writer in self.corpus.held_out}
        with Predictor(self.base, precision=self.base.recipe.precision) as predictor:

            def errors(digits: DataSet) -> int:
                predictions = predictor.predict(digits.pixels).argmax(axis=1)
                return int((predictions != digits.sparse_labels).sum())

            writers = {str(writer): errors(rest) for writer, rest in rests.items()}
            return {"writers": writers, "test_errors": errors(self.corpus.data.test)}


def _choose(model: str, mix: float, measure: Measure) -> tuple[float, int]:
    """Return the learning rate and the iterations with the lowest cross-entropy of the other digits
    of the writers on whom settings are chosen.
    """
    settings = list(itertools.product(RATES[model], ITERATIONS[model]))

    def loss(setting: tuple[float, int]) -> float:
        jobs = (
            Job(model, writer, CHOSEN_WITH, mix, *setting) for writer in measure.corpus.choosing
        )
        return fmean(measure(job)["loss"] for job in jobs)

    return min(settings, key=loss)


if __name__ == "__main__":
    main()
