"""The flags of one call, checked."""

import argparse
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_graph.cli.messages import note
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.recipe import OVERRIDABLE, Recipe
from mnist_graph.graph.recipes import find_recipe
from mnist_graph.panels import FILMS, PICTURES, check_output
from mnist_graph.training.intervals import check_intervals

if TYPE_CHECKING:
    from mnist_graph.data.datasets import DataSets

COMMANDS = ("resume", "predict", "evaluate", "describe", "plot", "list_models")
"""The flags that ask for something other than training; only one of them can be given."""
PREDICT_FLAGS = ("probabilities", "json", "annotate", "min_probability")
"""The flags that need --predict."""


class Request:
    """The flags of one call. Raises UsageError for flags that contradict each other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.at_exit = ExitStack()
        """What has to be closed when the command is done, such as a window."""
        check_intervals(options.log_every, options.save_every)
        commands = [flag(name) for name in COMMANDS if getattr(options, name)]
        if len(commands) > 1:
            raise UsageError(f"{commands[0]} and {commands[1]} cannot be used together")
        given = [
            flag(name)
            for name in PREDICT_FLAGS
            if (value := getattr(options, name)) is not None and value is not False
        ]
        if given and not options.predict:
            raise UsageError(f"{given[0]} needs --predict")

    @cached_property
    def base_recipe(self) -> Recipe:
        """The recipe that --model names."""
        if self.options.model is None:
            raise UsageError("--model is missing (see --list-models)")
        return find_recipe(self.options.model)

    @cached_property
    def overrides(self) -> dict[str, Any]:
        """The hyperparameters given by flags, by name."""
        given = vars(self.options)
        names = set(OVERRIDABLE)
        overrides = {n: v for n, v in given.items() if n in names and v is not None}
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

    def read_data(self, recipe: Recipe) -> "DataSets":
        """Read the data in --data-dir (default: MNIST), split as `recipe` says. Raises
        MnistGraphError if --data-dir has none of the files.
        """
        from mnist_graph.data.datasets import find_files, read_data_sets

        folder = self.options.data_dir
        if folder is not None and not find_files(folder):
            fault = "has none of the four IDX files" if Path(folder).is_dir() else "is not a folder"
            raise MnistGraphError(f"{folder} {fault} (train-images-idx3-ubyte, plain or .gz, ...)")
        return read_data_sets(folder, validation_size=recipe.validation_size)

    @cached_property
    def watch_file(self) -> Path | None:
        """The file given with --watch; None if there is none. Raises UsageError if nothing can be
        drawn into it; only training makes films.
        """
        if not self.options.watch:
            return None
        check_output(Path(self.options.watch), PICTURES if self.options.plot else PICTURES + FILMS)
        return Path(self.options.watch)

    def check(self) -> None:
        """Raise UsageError for an invalid recipe or --watch file, before any work is done."""
        self.recipe, self.watch_file  # noqa: B018 - they raise

    def say(self, message: str) -> None:
        """Write a line to standard error, unless --quiet."""
        if not self.options.quiet:
            note(message)


def flag(name: str) -> str:
    """Return the flag of the option `name`."""
    return f"--{name.replace('_', '-')}"
