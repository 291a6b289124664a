"""The command line: flags to calls, results to standard output, errors to one line."""

import argparse
import dataclasses
import json
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mnist_graph.errors import MnistGraphError, MnistGraphWarning, UsageError
from mnist_graph.flags import MIN_PROBABILITY, PROGRAM, parser
from mnist_graph.quiet import silence_tensorflow
from mnist_graph.recipe import Recipe
from mnist_graph.recipes import find_recipe, recipes

if TYPE_CHECKING:
    from mnist_graph.classifier import Classifier
    from mnist_graph.datasets import DataSets
    from mnist_graph.handwriting.page import Digit
    from mnist_graph.handwriting.paper import Ink
    from mnist_graph.runs import Run

RUNS_DIR = "runs"
READING = ("probabilities", "json", "annotate", "min_probability")
"""The flags that say how what is read is shown."""


def run() -> NoReturn:
    """The command: its words from sys.argv, its exit code to the shell."""
    silence_tensorflow()
    sys.exit(main())


def main(words: Sequence[str] | None = None) -> int:
    """Do what `words` (by default sys.argv's) ask for; returns the exit code."""
    try:
        options = parser().parse_args(words)
        with _warnings_as_notes():
            code = _list_models() if options.list_models else _Command(options).run()
        if sys.stdout is not None:  # closed by the shell
            sys.stdout.flush()
        return code
    except MnistGraphError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt:  # pragma: no cover - Ctrl-C while TensorFlow is being imported
        _note("interrupted")
        return 130
    except MemoryError:
        _complain("out of memory; try a smaller --batch-size or --hidden")
        return 1
    except OSError as error:  # of standard output: what is read and written is seen to below
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # with its reader gone, nobody is left to tell
            _complain(f"cannot write to standard output: {error.strerror}")
        return 1


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """What the package warns of is one line, like its errors."""

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, MnistGraphWarning):
            _note(str(message))
        else:  # pragma: no cover - of other packages; today none warns
            usual(message, category, *place)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MnistGraphWarning)
        usual, warnings.showwarning = warnings.showwarning, show
        yield


class _Command:
    """Train, resume or predict, as the flags say."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        if options.model is None:
            raise UsageError("--model is missing (see --list-models)")
        if options.log_every < 1:
            raise UsageError(f"--log-every must be at least 1, not {options.log_every}")
        if not options.save_every >= 0:
            raise UsageError(f"--save-every must be at least 0, not {options.save_every}")
        if options.resume and options.predict:
            raise UsageError("--resume and --predict do not go together")
        self._check_reading()
        changeable = {field.name for field in dataclasses.fields(Recipe)} - {"model"}
        given = {name: value for name, value in vars(options).items() if value is not None}
        self.overrides = {name: given[name] for name in given if name in changeable}
        self.recipe = find_recipe(options.model).override(**self.overrides)

    def _check_reading(self) -> None:
        options = self.options
        given = [name for name in READING if getattr(options, name) not in (None, False)]
        if given and not options.predict:
            raise UsageError(f"--{given[0].replace('_', '-')} goes with --predict")
        if options.json and options.probabilities:
            raise UsageError("--json has the probabilities already; leave out --probabilities")
        if options.min_probability is None:
            options.min_probability = MIN_PROBABILITY
        if not 0 <= options.min_probability <= 1:
            raise UsageError(
                f"--min-probability must be from 0 to 1, not {options.min_probability}"
            )

    def run(self) -> int:
        if self.options.predict:
            return self._predict()
        self._show_result(self._resume() if self.options.resume else self._train())
        return 0

    def _train(self) -> "Run":
        data = self._read_data(self.recipe)
        from mnist_graph.sessions import choose_device
        from mnist_graph.training import train

        device = choose_device(self.options.device, self.recipe.precision)
        note = f"training {self.recipe.model} on the {device}"
        return self._until_stopped(
            note, train, self.recipe, data, self.options.run_dir, runs_dir=RUNS_DIR
        )

    def _resume(self) -> "Run":
        from mnist_graph.runs import load_run

        directory = self.options.run_dir
        run = self._newest_unfinished() if directory is None else load_run(directory)
        longer = (self.options.iterations or 0) > run.recipe.iterations
        self._require_match(run, but="iterations" if longer else None)
        if run.result is not None and not longer:
            return run
        data = self._read_data(run.recipe)
        from mnist_graph.training import resume

        note = f"going on with {run.directory}"
        return self._until_stopped(
            note, resume, run.directory, data, iterations=self.options.iterations
        )

    def _newest_unfinished(self) -> "Run":
        from mnist_graph.runs import list_runs

        for run in list_runs(RUNS_DIR, self.recipe.model):
            if run.result is None:
                return run
        raise MnistGraphError(
            f"there is no unfinished run of {self.recipe.model} under {RUNS_DIR}/; "
            "start one without --resume"
        )

    def _until_stopped(self, note: str, train: Any, *arguments: Any, **keywords: Any) -> "Run":
        """The finished run, with a `note` as it begins; where Ctrl-C or SIGTERM stops it,
        says how to go on and exits.
        """
        from mnist_graph.console import Announce, PrintLines, ProgressBar, StopOnSignal
        from mnist_graph.training import Stop

        announce = Announce(lambda: _note(note))
        lines = [] if self.options.json else [PrintLines()]
        display = [] if self.options.quiet else [announce, *lines, ProgressBar()]
        stop_on_signal = StopOnSignal()
        try:
            return train(
                *arguments,
                **keywords,
                device=self.options.device,
                log_every=self.options.log_every,
                save_every=self.options.save_every,
                hooks=[*display, stop_on_signal],
            )
        except Stop as stop:
            go_on = self._go_on(stop.run)
            _note(f"stopped after iteration {stop.iteration}; go on with: {go_on}")
            sys.exit(128 + stop_on_signal.received)
        except KeyboardInterrupt:  # pragma: no cover - Ctrl-C beside the loop, which is short
            if stop_on_signal.run is None:
                raise
            _note(f"stopped before the test; go on with: {self._go_on(stop_on_signal.run)}")
            sys.exit(130)

    def _go_on(self, run: "Run") -> str:
        """The command that resumes the stopped run."""
        options = self.options
        words = ["python", sys.argv[0]] if sys.argv[0].endswith("main.py") else [PROGRAM]
        words += ["--model", self.recipe.model, "--resume", "--run-dir", str(run.directory)]
        for name in ("data_dir", "device", "log_every", "save_every"):
            value = getattr(options, name)
            if value != parser().get_default(name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        if options.quiet:  # pragma: no cover - without a line there is no time to send a signal
            words.append("--quiet")
        return shlex.join(words)

    def _predict(self) -> int:
        pictures = self._read_pictures()
        if not pictures:
            return 1
        options = self.options
        complete = len(pictures) == len(options.predict)
        pages = []
        with self._classifier() as classifier:
            from mnist_graph.reports import describe_page, print_page

            for name, ink in pictures:
                digits = classifier.read_ink(ink)
                complete &= bool(digits)
                if not digits:
                    _note(f"{name}: no digit found")
                if options.annotate is not None:
                    complete &= self._annotate(name, digits)
                if options.json:
                    pages.append(describe_page(name, digits, options.min_probability))
                else:
                    alone = len(options.predict) == 1
                    print_page(name, digits, options.min_probability, alone, options.probabilities)
        if options.json:
            print(json.dumps(pages, indent=2))
        return 0 if complete else 1

    def _annotate(self, name: str, digits: "list[Digit]") -> bool:
        from mnist_graph.handwriting.annotate import save_annotated

        options = self.options
        try:
            path = save_annotated(name, digits, options.min_probability, options.annotate)
        except MnistGraphError as error:
            _complain(error)
            return False
        self._tell(f"drawn in {path}")
        return True

    def _read_pictures(self) -> "list[tuple[str, Ink]]":
        """The name and ink of each picture; what cannot be read is reported, left out."""
        from mnist_graph.handwriting.page import read_ink

        pictures = []
        for name in self.options.predict:
            try:
                pictures.append((name, read_ink(name)))
            except MnistGraphError as error:
                _complain(error)
        return pictures

    def _classifier(self) -> "Classifier":
        """The classifier of the run asked for; trained first where there is none yet."""
        from mnist_graph.datasets import BUNDLED_SHA256
        from mnist_graph.runs import find_run, load_run

        if self.options.run_dir is not None:
            run = load_run(self.options.run_dir)
            self._require_match(run)
        else:
            bundled = self.options.data_dir is None
            sha256 = BUNDLED_SHA256 if bundled else self._read_data(self.recipe).sha256
            run = find_run(RUNS_DIR, self.recipe, sha256)
            if run is None:
                self._tell(f"no finished run of this recipe under {RUNS_DIR}/: training it first")
                run = self._train()
                self._show_result(run)
        from mnist_graph.classifier import Classifier

        return Classifier(run, self.options.device)

    def _require_match(self, run: "Run", but: str | None = None) -> None:
        """Refuse a run of another model, or with other hyperparameters than the flags say,
        `but` for this one.
        """
        if run.recipe.model != self.recipe.model:
            raise UsageError(
                f"{run.directory} is a run of {run.recipe.model}, not of {self.recipe.model}"
            )
        overrides = {name: value for name, value in self.overrides.items() if name != but}
        asked = run.recipe.override(**overrides)
        if differences := asked.differences(run.recipe):
            raise UsageError(f"in {run.directory} {'; '.join(differences)}")

    def _read_data(self, recipe: Recipe) -> "DataSets":
        from mnist_graph.datasets import find_files, read_data_sets

        folder = self.options.data_dir
        if folder is not None and not find_files(folder):
            there = "holds none of the four IDX files" if Path(folder).is_dir() else "is no folder"
            raise MnistGraphError(f"{folder} {there} (train-images-idx3-ubyte, plain or .gz, ...)")
        return read_data_sets(folder, validation_size=recipe.validation_size)

    def _show_result(self, run: "Run") -> None:
        line = f"Accuracy on test set: {run.result.test_accuracy:.6g}"
        if self.options.json:  # standard output is to be read by a program
            self._tell(line)
        else:
            print(line, flush=True)
        self._tell(f"kept in {run.directory}")

    def _tell(self, note: str) -> None:
        if not self.options.quiet:
            _note(note)


def _list_models() -> int:
    head = ("model", "network", "parameters", "training", "published")
    rows = [head, *(_describe(recipe) for recipe in recipes.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    return 0


def _describe(recipe: Recipe) -> tuple[str, ...]:
    rate = f"{recipe.optimizer} {recipe.learning_rate:g}"
    if recipe.schedule != "constant":
        rate += f", {recipe.schedule}"
    training = f"{recipe.iterations:,} x {recipe.batch_size}, {rate}"
    if recipe.keep_prob is not None:
        training += f", keep_prob {recipe.keep_prob:g}"
    return (recipe.model, recipe.summary, f"{recipe.parameters:,}", training, recipe.published)


def _note(message: str) -> None:
    if sys.stderr is not None:
        print(f"{PROGRAM}: {message}", file=sys.stderr, flush=True)


def _complain(error: object) -> None:
    """One line, whatever a file's name or TensorFlow's message holds."""
    _note(f"error: {' '.join(str(error).splitlines())}")
