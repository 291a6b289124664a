"""Commands as the user can paste them."""

import dataclasses
import shlex
import sys
from collections.abc import Sequence

from mnist_graph.cli.parser import PROGRAM, create_parser
from mnist_graph.cli.request import flag
from mnist_graph.data.augmentation import NAMED, Augmentation
from mnist_graph.experiments.knobs import as_text
from mnist_graph.graph.recipe import OVERRIDABLE, Recipe
from mnist_graph.graph.recipes import recipes


def as_command(words: Sequence[str]) -> str:
    """Return the command with these words, as this one was called."""
    program = ["python", sys.argv[0]] if sys.argv[0].endswith("main.py") else [PROGRAM]
    return shlex.join([*program, *words])


def recipe_words(recipe: Recipe) -> list[str]:
    """Return the words that make the command train `recipe`: its name, and what differs from the
    recipe of that name.
    """
    base, words = recipes[recipe.model], ["--model", recipe.model]
    options = vars(create_parser().parse_args([]))
    for name in OVERRIDABLE:
        value = getattr(recipe, name)
        if value == getattr(base, name):
            continue
        if name in options and value is not None:
            words += [flag(name), as_text(value, between=",")]
        else:
            for setting in _settings(name, value):
                words += ["--set", setting]
    return words


def _settings(name: str, value: object) -> list[str]:
    """Return what --set takes to set hyperparameter `name`, whatever its value was before."""
    if not isinstance(value, Augmentation):
        return [f"{name}={as_text(value, between=',')}"]
    whole = "photo" if value.photo else "default"
    default = NAMED[whole]
    fields = [field.name for field in dataclasses.fields(value)]
    changed = [each for each in fields if getattr(value, each) != getattr(default, each)]
    settings = [f"{name}.{each}={as_text(getattr(value, each))}" for each in changed]
    return [f"{name}={whole}", *settings]
