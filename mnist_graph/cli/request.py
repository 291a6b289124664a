"""The flags of one call, checked."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_graph.cli.messages import note, reading_bar
from mnist_graph.cli.parser import WINDOW, create_parser
from mnist_graph.errors import UsageError
from mnist_graph.graph.recipe import OVERRIDABLE, Recipe
from mnist_graph.graph.recipes import find_recipe
from mnist_graph.panels import FILMS, PICTURES, check_output
from mnist_graph.runs.run import RUNS_DIR
from mnist_graph.training.intervals import check_intervals

if TYPE_CHECKING:
    from mnist_graph.data.datasets import DataSets
    from mnist_graph.runs.run import Run

CACHE_DIR = f"{RUNS_DIR}/cache"
"""Where decoded pictures are saved, beside the runs."""
COMMANDS = (
    *("resume", "predict", "evaluate", "export", "serve", "describe", "plot", "list_models"),
    *("sweep", "tune", "compare", "collect"),
)
"""The flags that ask for something other than training; only one of them can be given."""
PREDICT_FLAGS = ("probabilities", "json", "csv", "annotate", "min_probability", "runtime")
"""The flags that need --predict."""
SERVE_FLAGS = ("port", "host", "token")
"""The flags that need --serve."""
SWEEP_FLAGS, TUNE_FLAGS = ("seeds",), ("study",)
"""The flags that need --sweep, and those that need --tune."""
NEEDED = {
    **dict.fromkeys(PREDICT_FLAGS, "--predict"),
    **dict.fromkeys(SERVE_FLAGS, "--serve"),
    **dict.fromkeys(SWEEP_FLAGS, "--sweep"),
    **dict.fromkeys(TUNE_FLAGS, "--tune"),
    "at_a_time": "--sweep or --tune",
    "labels": "--collect",
}
"""What a flag needs that has an effect on few commands alone."""
TRAINING_FLAGS = ("watch", "snapshots", "log_every", "save_every")
"""The flags that need a run that is still to be trained."""
DATA_FLAGS = ("data_dir", "image_size", "colour", "grey")
"""The flags that say what to train on."""
RECIPE_FLAGS = ("model", *DATA_FLAGS, "set", *OVERRIDABLE)
CLUSTER_FLAGS = ("workers", "restarts", "scale_batch", "timeout")
"""The flags of training in several processes."""
RUN_FLAGS = (*RECIPE_FLAGS, *TRAINING_FLAGS, "device", "quiet", "run_dir")
MANY_RUNS_FLAGS = (*RECIPE_FLAGS, "device", "quiet", "at_a_time")
FLAGS_OF: dict[str, tuple[str, ...]] = {
    "train": (*RUN_FLAGS, *CLUSTER_FLAGS, "start_from"),
    "resume": (*RUN_FLAGS, *CLUSTER_FLAGS, "start_from"),
    "predict": (*RUN_FLAGS, *PREDICT_FLAGS),
    "evaluate": RUN_FLAGS,
    "export": RUN_FLAGS,
    "serve": (*RUN_FLAGS, *SERVE_FLAGS),
    "describe": RECIPE_FLAGS,
    "plot": ("watch", "quiet"),
    "list_models": (),
    "sweep": (*MANY_RUNS_FLAGS, *SWEEP_FLAGS),
    "tune": (*MANY_RUNS_FLAGS, *TUNE_FLAGS),
    "compare": (*DATA_FLAGS, "device", "quiet"),
    "collect": ("labels", "device", "quiet"),
}
"""The flags that have an effect on each command, apart from the command itself."""


class Request:
    """The flags of one call. Raises UsageError for flags that contradict each other or have no
    effect.
    """

    def __init__(self, options: argparse.Namespace, words: Sequence[str] = ()) -> None:
        self.options = options
        self.words = words
        """What was typed after the command."""
        self.at_exit = ExitStack()
        """What has to be closed when the command is done, such as a window."""
        self._data: dict[int, DataSets] = {}
        check_intervals(options.log_every, options.save_every)
        self.given = given = given_flags(options)
        """The names of the options that differ from their defaults."""
        for name in given:
            value = getattr(options, name)
            if value == "" or (isinstance(value, list) and "" in value):
                raise UsageError(f"{flag(name)} has an empty value; leave it out or name something")
        for name in DATA_FLAGS[1:]:
            if name in given and options.data_dir is None:
                raise UsageError(f"{flag(name)} needs --data-dir, a folder of pictures")
        if options.colour and options.grey:
            raise UsageError("--colour and --grey cannot be used together")
        commands = [name for name in COMMANDS if name in given]
        if len(commands) > 1:
            one, other, *_ = map(flag, commands)
            raise UsageError(f"{one} and {other} cannot be used together")
        command = commands[0] if commands else "train"
        for name in given:
            if name != command and name not in FLAGS_OF[command]:
                if (needed := NEEDED.get(name)) is not None:
                    raise UsageError(f"{flag(name)} needs {needed}")
                raise UsageError(f"{flag(name)} has no effect with {flag(command)}")

    @property
    def uses_shipped_reader(self) -> bool:
        """Whether the network in the package is used: no recipe and no run is named."""
        options = self.options
        has_default = bool(options.predict) or options.export is not None or options.serve
        return has_default and options.model is None and options.run_dir is None

    @cached_property
    def base_recipe(self) -> Recipe:
        """The recipe that --model names; without it, that of the run in --start-from, or the one
        that the run in --run-dir is of.
        """
        options = self.options
        if options.model is not None:
            return find_recipe(options.model)
        if self.start is not None and not options.resume:
            return self.start.recipe
        needs_run = any(
            (options.predict, options.evaluate, options.resume, options.export, options.serve)
        )
        if options.run_dir is None or not needs_run:
            raise UsageError("--model is missing (see --list-models)")
        from mnist_graph.runs.find import load_run

        return find_recipe(load_run(options.run_dir).recipe.model)

    @cached_property
    def start(self) -> "Run | None":
        """The finished run that --start-from names."""
        if self.options.start_from is None:
            return None
        from mnist_graph.runs.start import find_start  # NumPy

        return find_start(self.options.start_from)

    @cached_property
    def overrides(self) -> dict[str, Any]:
        """The hyperparameters given by flags, by name."""
        overrides = {n: getattr(self.options, n) for n in self.given if n in OVERRIDABLE}
        texts: dict[str, str] = {}
        for setting in self.options.set:
            name, equals, text = setting.partition("=")
            if not equals:
                raise UsageError(f"--set takes NAME=VALUE, not {setting!r}")
            if name in texts or name in overrides:
                raise UsageError(f"{name} is given twice")
            texts[name] = text
        return {**overrides, **self.base_recipe.parse(texts)}

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that --model names, with the hyperparameters given by flags."""
        return self.base_recipe.override(**self.overrides)

    @property
    def pictures(self) -> dict[str, Any]:
        """What the pictures in --data-dir are brought to, and where they are saved then, as
        `read_data_sets` takes it.
        """
        options = self.options
        colour = True if options.colour else False if options.grey else None
        return {"image_size": options.image_size, "colour": colour, "cache_dir": CACHE_DIR}

    def read_data(self, recipe: Recipe) -> "DataSets":
        """Read the data in --data-dir (default: MNIST), split as `recipe` says: once, however
        often it is needed. Raises MnistGraphError if --data-dir has no data in a known format.
        """
        size = recipe.validation_size
        if size not in self._data:
            self._data[size] = self._read_data(size)
        return self._data[size]

    def _read_data(self, validation_size: int) -> "DataSets":
        from mnist_graph.data.datasets import read_data_sets

        with reading_bar(self.options.quiet) as progress:
            data = read_data_sets(
                self.options.data_dir,
                validation_size=validation_size,
                **self.pictures,
                or_bundled=self.options.data_dir is None,
                progress=progress,
            )
        if data.own_validation is not None and self.overrides.get("validation_size"):
            raise UsageError(
                f"--validation-size has no effect: {self.options.data_dir} sets "
                f"{data.own_validation:,} images apart itself; --validation-size 0 trains on them"
            )
        return data

    def check_data_dir(self) -> None:
        """Raise MnistGraphError if --data-dir is given and has no data in a known format."""
        if self.options.data_dir is not None:
            from mnist_graph.data.formats.find import require_reader

            require_reader(Path(self.options.data_dir))

    def data_words(self) -> list[str]:
        """Return the words that make another command read the same data."""
        words: list[str] = []
        for name in DATA_FLAGS:
            if name in self.given:
                value = getattr(self.options, name)
                text = "x".join(map(str, value)) if name == "image_size" else str(value)
                words += [flag(name)] if value is True else [flag(name), text]
        return words

    def require_no_training_flags(self, run: "Run", names: Sequence[str] = TRAINING_FLAGS) -> None:
        """Raise UsageError if one of the flags `names` is given, since `run` is finished."""
        for name in names:
            if name in self.given:
                directory = run.directory
                advice = f"; show it with --plot {directory}" if name == "watch" else ""
                raise UsageError(f"{flag(name)} has no effect: {directory} is finished{advice}")

    @cached_property
    def watch_file(self) -> Path | None:
        """The file given with --watch; None if there is none. Raises UsageError if nothing can be
        drawn into it; only training makes films.
        """
        if self.options.watch in (None, WINDOW):
            return None
        check_output(Path(self.options.watch), PICTURES if self.options.plot else PICTURES + FILMS)
        return Path(self.options.watch)

    def check(self) -> None:
        """Raise UsageError for an invalid recipe or --watch file, before any work is done."""
        if self.uses_shipped_reader:
            for name in self.given:
                if name in (*RECIPE_FLAGS, *TRAINING_FLAGS):
                    raise UsageError(f"{flag(name)} needs --model")
            return
        self.recipe, self.watch_file  # noqa: B018 - they raise

    def say(self, message: str) -> None:
        """Write a line to standard error, unless --quiet."""
        if not self.options.quiet:
            note(message)


def given_flags(options: argparse.Namespace) -> list[str]:
    parser = create_parser()
    return [name for name, value in vars(options).items() if value != parser.get_default(name)]


def flag(name: str) -> str:
    """Return the flag of the option `name`."""
    return f"--{name.replace('_', '-')}"
