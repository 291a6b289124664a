"""To train, and to have a run that is finished."""

import argparse
import shlex
import sys
from typing import TYPE_CHECKING, Any

from mnist_graph.commands.base import RUNS_DIR, Command, check_watch
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.flags import PROGRAM, parser
from mnist_graph.notes import note
from mnist_graph.panels import FILMS, PICTURES

if TYPE_CHECKING:
    from mnist_graph.runs import Run
    from mnist_graph.watch import Watch


class Train(Command):
    """Train a recipe, or go on with a run."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self.recipe  # noqa: B018 - what is wrong with it is said before anything is done
        self.output = check_watch(options, PICTURES + FILMS)

    def run(self) -> int:
        self.show_result(self._resume() if self.options.resume else self._train())
        return 0

    def _train(self) -> "Run":
        data = self.read_data(self.recipe)
        from mnist_graph.sessions import choose_device
        from mnist_graph.training import train

        device = choose_device(self.options.device, self.recipe.precision)
        beginning = f"training {self.recipe.model} on the {device}"
        return self._until_stopped(
            beginning, train, self.recipe, data, self.options.run_dir, runs_dir=RUNS_DIR
        )

    def _resume(self) -> "Run":
        from mnist_graph.runs import load_run

        directory = self.options.run_dir
        run = self._newest_unfinished() if directory is None else load_run(directory)
        longer = (self.options.iterations or 0) > run.recipe.iterations
        self._require_match(run, but="iterations" if longer else None)
        if run.result is not None and not longer:
            return run
        data = self.read_data(run.recipe)
        from mnist_graph.training import resume

        beginning = f"going on with {run.directory}"
        return self._until_stopped(
            beginning, resume, run.directory, data, iterations=self.options.iterations
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

    def _until_stopped(self, beginning: str, train: Any, *arguments: Any, **keywords: Any) -> "Run":
        """The finished run, with a note at its `beginning`; where Ctrl-C or SIGTERM stops it,
        says how to go on and exits.
        """
        from mnist_graph.console import Announce, PrintLines, ProgressBar, StopOnSignal
        from mnist_graph.hooks import Stop

        announce = Announce(lambda: note(beginning))
        lines = [] if self.options.json else [PrintLines()]
        display = [] if self.options.quiet else [announce, *lines, ProgressBar()]
        stop_on_signal = StopOnSignal()
        watch = [] if self.options.watch is None else [self._watch()]
        try:
            return train(
                *arguments,
                **keywords,
                device=self.options.device,
                log_every=self.options.log_every,
                save_every=self.options.save_every,
                hooks=[*display, stop_on_signal, *watch],
            )
        except Stop as stop:
            go_on = self._go_on(stop.run)
            note(f"stopped after iteration {stop.iteration}; go on with: {go_on}")
            sys.exit(128 + stop_on_signal.received)

    def _watch(self) -> "Watch":
        from mnist_graph.watch import Watch

        return self.at_end.enter_context(Watch(self.output, self.tell))

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

    def finished_run(self) -> "Run":
        """The run asked for; trained first where there is none yet."""
        from mnist_graph.datasets import BUNDLED_SHA256
        from mnist_graph.runs import find_run, load_run

        if self.options.run_dir is not None:
            run = load_run(self.options.run_dir)
            self._require_match(run)
            return run
        bundled = self.options.data_dir is None
        sha256 = BUNDLED_SHA256 if bundled else self.read_data(self.recipe).sha256
        run = find_run(RUNS_DIR, self.recipe, sha256)
        if run is None:
            self.tell(f"no finished run of this recipe under {RUNS_DIR}/: training it first")
            run = self._train()
            self.show_result(run)
        return run

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

    def show_result(self, run: "Run") -> None:
        line = f"Accuracy on test set: {run.result.test_accuracy:.6g}"
        if self.options.json:  # standard output is to be read by a program
            self.tell(line)
        else:
            print(line, flush=True)
        self.tell(f"kept in {run.directory}")
