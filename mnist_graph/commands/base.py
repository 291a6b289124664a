"""What all commands share."""

import argparse
import dataclasses
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.notes import note
from mnist_graph.recipe import Recipe
from mnist_graph.recipes import find_recipe

if TYPE_CHECKING:
    from mnist_graph.datasets import DataSets

RUNS_DIR = "runs"
READING = ("probabilities", "json", "annotate", "min_probability")
"""The flags that say how what is read is shown."""


class Command:
    """One call of the program, with its `options` checked. UsageError."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        if options.log_every < 1:
            raise UsageError(f"--log-every must be at least 1, not {options.log_every}")
        if not options.save_every >= 0:
            raise UsageError(f"--save-every must be at least 0, not {options.save_every}")
        given = [name for name in READING if getattr(options, name) not in (None, False)]
        if given and not options.predict:
            raise UsageError(f"--{given[0].replace('_', '-')} goes with --predict")
        changeable = {field.name for field in dataclasses.fields(Recipe)} - {"model"}
        said = {name: value for name, value in vars(options).items() if value is not None}
        self.overrides = {name: said[name] for name in said if name in changeable}

    def execute(self) -> int:
        """Do it; returns the exit code."""
        with ExitStack() as self.at_end:
            return self.run()

    def run(self) -> int:
        """The same, with `at_end` for what is to be closed behind it."""
        raise NotImplementedError

    @cached_property
    def recipe(self) -> Recipe:
        """That of --model, with the hyperparameters that were given."""
        if self.options.model is None:
            raise UsageError("--model is missing (see --list-models)")
        return find_recipe(self.options.model).override(**self.overrides)

    def read_data(self, recipe: Recipe) -> "DataSets":
        from mnist_graph.datasets import find_files, read_data_sets

        folder = self.options.data_dir
        if folder is not None and not find_files(folder):
            there = "holds none of the four IDX files" if Path(folder).is_dir() else "is no folder"
            raise MnistGraphError(f"{folder} {there} (train-images-idx3-ubyte, plain or .gz, ...)")
        return read_data_sets(folder, validation_size=recipe.validation_size)

    def tell(self, message: str) -> None:
        if not self.options.quiet:
            note(message)


def check_watch(options: argparse.Namespace, known: tuple[str, ...]) -> Path | None:
    """The file that --watch names, of one of the `known` suffixes; None where it names none."""
    if not options.watch:
        return None
    from mnist_graph.panels import check_output

    check_output(Path(options.watch), known)
    return Path(options.watch)


def print_table(rows: list[tuple[str, ...]], right: bool = False) -> None:
    """Prints `rows` in columns; all but the first of them flush `right`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if right and number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
