"""Knobs: hyperparameters of a recipe with the values to try, and the grid of all combinations."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mnist_graph.data.arguments import require, whole_number
from mnist_graph.data.augmentation import Augmentation
from mnist_graph.errors import UsageError
from mnist_graph.graph.ranges import Range
from mnist_graph.graph.recipe import DISTORTIONS, MAX_SIZES, OVERRIDABLE, Recipe, unknown

MAX_RUNS = 1000
"""The largest sweep: a run of mlp takes 4 seconds, of cnn a quarter of an hour."""

Values = dict[str, Any]
"""The value of each knob, by its name: that of a hyperparameter, or augmentation.rotation and the
like."""


class Trial(NamedTuple):
    """One training of a sweep or a search."""

    number: int
    """From 1; the name of its run directory."""
    values: Values
    recipe: Recipe
    """With these values, and with the trial's own seed."""


def parse_knobs(recipe: Recipe, texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values in texts such as "learning_rate=1e-4,3e-4", by name. A value that is a list
    itself has an x between its numbers: "hidden=512x256,128".

    Raises UsageError for an unknown name, a name that is given twice or a value that is invalid.
    """
    knobs: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        if not (equals and listed):
            raise UsageError(f"--sweep takes NAME=VALUE,VALUE,..., not {text!r:.200}")
        if name in knobs:
            raise UsageError(f"{name} is swept twice; list all its values at once")
        knobs[name] = [_parse(recipe, name, value) for value in listed.split(",")]
    return knobs


def _parse(recipe: Recipe, name: str, text: str) -> Any:
    if name in MAX_SIZES:
        text = text.replace("x", ",")
    (value,) = recipe.parse({name: text}).values()
    _, _, part = name.partition(".")
    return getattr(value, part) if part else value


def as_text(value: Any, between: str = "x") -> str:
    """Return a value as the command line takes it; `between` stands between the numbers of a list:
    an x in a sweep, a comma elsewhere.
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return between.join(map(str, value))
    if isinstance(value, Augmentation):
        return "default" if value == Augmentation() else str(value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def range_as_text(searched: Range) -> str:
    """Return the range of a knob in words."""
    if searched.choices:
        return ", ".join(map(as_text, searched.choices))
    scale = " on a logarithmic scale" if searched.log else ""
    return f"{searched.low:g} to {searched.high:g}{scale}"


def apply(recipe: Recipe, values: Values) -> Recipe:
    """Return `recipe` with these values. Raises UsageError if one of them is invalid or would have
    no effect.
    """
    changes: Values = {name: value for name, value in values.items() if "." not in name}
    for full_name, value in values.items():
        name, _, part = full_name.partition(".")
        if part:
            whole = changes.get(name, getattr(recipe, name))
            if whole is None:
                raise UsageError(f"{full_name} has no effect without augmentation")
            changes[name] = dataclasses.replace(whole, **{part: value})
    return recipe.override(**changes)


def make_grid(recipe: Recipe, knobs: Mapping[str, Sequence[Any]], seeds: int = 1) -> list[Trial]:
    """Return a trial for each combination of the knobs' values and each of the seeds, of which the
    recipe's own is the first. All combinations come with one seed before the next.

    Raises UsageError for knobs that are unknown, empty, or have a value twice; for an invalid
    value; and for more than MAX_RUNS trials.
    """
    seeds = whole_number("seeds", seeds, 1)
    require("knobs", knobs, Mapping, "values by name, such as {'learning_rate': [1e-4, 1e-3]}")
    if not knobs:
        raise UsageError("there is nothing to sweep; name a hyperparameter and its values")
    knobs = {name: _checked_values(name, values) for name, values in knobs.items()}
    count = math.prod(len(values) for values in knobs.values()) * seeds
    if count > MAX_RUNS:
        raise UsageError(f"that is a sweep of {count:,} runs; at most {MAX_RUNS:,} are trained")
    if "seed" in knobs and seeds > 1:
        raise UsageError("seed is swept already; leave out --seeds")
    combinations = [
        dict(zip(knobs, values, strict=True)) for values in itertools.product(*knobs.values())
    ]
    recipes = [apply(recipe, values) for values in combinations]
    numbers = itertools.count(1)
    return [
        Trial(next(numbers), values, each.override(seed=each.seed + seed))
        for seed in range(seeds)
        for values, each in zip(combinations, recipes, strict=True)
    ]


def _checked_values(name: str, values: Any) -> list[Any]:
    """Return the values of a knob as a list, NumPy's numbers as Python's."""
    known = [*OVERRIDABLE, *DISTORTIONS]
    if name not in known:
        raise UsageError(unknown("hyperparameter", str(name), known))
    if isinstance(values, str | bytes) or not hasattr(values, "__len__") or not len(values):
        raise UsageError(f"{name} must have a list of values, not {values!r:.80}")
    checked: list[Any] = []
    for value in values:
        plain = value.tolist() if hasattr(value, "tolist") else value
        plain = tuple(plain) if isinstance(plain, list) else plain
        if plain in checked:
            raise UsageError(f"{name} has the value {as_text(plain)} twice")
        checked.append(plain)
    return checked
