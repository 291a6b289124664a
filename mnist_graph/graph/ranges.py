"""The values that a search tries for each hyperparameter of a recipe. They follow from the recipe's
own values, so that a new recipe needs none of its own.
"""

from typing import Any, NamedTuple

from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.recipe import MAX_RATE, MAX_SIZES, ONLY_WITH, Recipe


class Range(NamedTuple):
    """Where values of one hyperparameter are searched: from `low` to `high`, on a logarithmic scale
    with `log`; or, if there are any, among `choices`.
    """

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


FACTORS = {"learning_rate": 10.0, "learning_rate_floor": 10.0, "decay_iterations": 3.0}
"""Searched from the recipe's value divided by this to its value times this: tutorials' rates for
the same network and optimizer differ by up to 30."""
LIMITS = {
    "keep_prob": (0.4, 1.0),
    "beta1": (0.6, 0.98),
    "beta2": (0.9, 0.9995),
    "label_smoothing": (0.0, 0.2),
    "warmup": (0.05, 0.5),
}
"""Searched between these, or the recipe's own value if that is beyond: the values that published
recipes for MNIST have."""
SIZES = {"batch_size": (0.5, 1, 2), "hidden": (0.5, 1, 2)}
"""Searched among these multiples of the recipe's value, of all layers together. Larger ones would
be found better and slower: the number of iterations stays the same."""
WORDS = {"activation": ("relu", "sigmoid", "tanh")}
"""Searched among these and the recipe's own."""


def find_ranges(recipe: Recipe) -> dict[str, Range]:
    """Return the range of every hyperparameter that has an effect on `recipe`, by name. What the
    recipe does without, such as dropout, stays out.
    """
    ranges = {}
    for name in (*FACTORS, *LIMITS, *SIZES, *WORDS):
        value = getattr(recipe, name)
        if value and _has_effect(recipe, name):
            ranges[name] = _range(name, value)
    return ranges


def _has_effect(recipe: Recipe, name: str) -> bool:
    if name in ONLY_WITH:
        other, needed = ONLY_WITH[name]
        if getattr(recipe, other) != needed:
            return False
    return NETWORKS[recipe.network].uses(name)


def _range(name: str, value: Any) -> Range:
    if name in FACTORS:
        factor = FACTORS[name]
        return Range(value / factor, min(value * factor, MAX_RATE), log=True)
    if name in LIMITS:
        low, high = LIMITS[name]
        return Range(min(low, value), max(high, value))
    if name in WORDS:
        return Range(choices=tuple(dict.fromkeys((value, *WORDS[name]))))
    choices = [_multiply(value, factor) for factor in SIZES[name]]
    return Range(choices=tuple(dict.fromkeys(choices)))


def _multiply(size: Any, factor: float) -> Any:
    """Return a size, or each of several, times `factor`; at least 1."""
    if isinstance(size, tuple):
        most = MAX_SIZES["hidden"]
        return tuple(min(max(1, int(each * factor)), most) for each in size)
    return max(1, int(size * factor))
