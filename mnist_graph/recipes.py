"""What can be trained: every hyperparameter of every recipe, and nothing else."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from mnist_graph.errors import MnistGraphError, UsageError

CHOICES = {
    "optimizer": ("adam", "gradient-descent"),
    "schedule": ("constant", "exponential", "one-cycle"),
    "activation": ("relu", "sigmoid", "tanh", "linear"),
    "weights": ("truncated-normal", "zeros", "glorot-uniform", "he"),
    "loss": ("mean", "sum"),
    "dropout": ("last", "each"),
    "precision": ("auto", "float32", "bfloat16"),
}
"""What a hyperparameter that is a word may say."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    None where a network has no such thing: softmax regression has no hidden layers, no
    activation and no dropout. Raises UsageError for a value that cannot be.
    """

    model: str
    """The recipe's own name."""
    network: str
    """The function of models.py that builds it."""
    iterations: int
    batch_size: int
    optimizer: str = "adam"
    learning_rate: float
    """Under a schedule: the rate that it starts from (exponential) or rises to (one-cycle)."""
    schedule: str = "constant"
    final_learning_rate: float = 1e-4
    """Where the exponential schedule, which adds it, and the one-cycle schedule end."""
    decay_iterations: float = 2000.0
    """The iterations in which the exponential schedule falls to 1/e."""
    warmup: float = 0.2
    """The share of the run in which the one-cycle schedule rises."""
    beta1: float = 0.9
    beta2: float = 0.999
    loss: str = "mean"
    """Over the batch: the mean or the sum of the cross-entropies."""
    keep_prob: float | None = None
    dropout: str = "last"
    """Behind the last hidden dense layer only, or behind each."""
    hidden: tuple[int, ...] | None = None
    """Units of each hidden dense layer."""
    activation: str | None = None
    weights: str = "truncated-normal"
    bias: float = 0.1
    """What hidden layers' biases start from."""
    validation_size: int = 5000
    precision: str = "float32"
    seed: int = 0
    summary: str = dataclasses.field(default="", compare=False)
    """The network in a few words. This and the next two play no part in the training."""
    parameters: int = dataclasses.field(default=0, compare=False)
    """The number of weights and biases, for images of 28x28 in 10 classes."""
    published: str = dataclasses.field(default="", compare=False)
    """The test accuracy that the recipe's source states."""

    def __post_init__(self) -> None:
        for name in ("iterations", "batch_size"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("seed", "validation_size"):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("learning_rate", "decay_iterations"):
            value = getattr(self, name)
            self._require(name, math.isfinite(value) and value > 0, "a number above 0")
        if self.keep_prob is not None:
            self._require("keep_prob", 0 < self.keep_prob <= 1, "above 0 and at most 1")
        if self.hidden is not None:
            fits = len(self.hidden) > 0 and all(1 <= units <= 2**16 for units in self.hidden)
            self._require("hidden", fits, "one or more layers of 1 to 65,536 units")
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not (name == "activation" and value is None):
                self._require(name, value in choices, f"one of {', '.join(choices)}")

    def _require(self, name: str, fits: bool, what: str) -> None:
        if not fits:
            raise UsageError(f"{name} must be {what}, not {getattr(self, name)}")

    def override(self, **changes: Any) -> "Recipe":
        """This recipe with other hyperparameters, by name.

        Raises UsageError for one that the network does not have, or a value that cannot be.
        """
        for name in changes:
            if getattr(self, name) is None:
                raise UsageError(f"{self.model} has no {name} to set")
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The hyperparameters by name, in values that JSON has."""
        values = {name: getattr(self, name) for name in _HYPERPARAMETERS}
        return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}

    @classmethod
    def from_json(cls, values: Any) -> "Recipe":
        """The recipe that `to_json` gave; one of an earlier version may lack what was
        added with a default since. Raises MnistGraphError for anything else.
        """
        if not isinstance(values, dict) or not set(values) <= set(_HYPERPARAMETERS):
            raise MnistGraphError("its recipe has hyperparameters that this version does not know")
        if missing := sorted(_REQUIRED - set(values)):
            raise MnistGraphError(f"its recipe lacks {', '.join(missing)}")
        values = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        hints = get_type_hints(cls)
        for name, value in values.items():
            if not _is_a(value, hints[name]):
                raise MnistGraphError(f"its recipe has {value!r} for {name}")
        return cls(**values)

    def differences(self, other: "Recipe") -> list[str]:
        """What sets `other` apart from this recipe, as "batch_size is 100, not 128"."""
        mine, others = self.to_json(), other.to_json()
        return [f"{n} is {others[n]}, not {mine[n]}" for n in mine if mine[n] != others[n]]


_HYPERPARAMETERS = {f.name: f for f in dataclasses.fields(Recipe) if f.compare}
_REQUIRED = {n for n, f in _HYPERPARAMETERS.items() if f.default is dataclasses.MISSING}


def _is_a(value: Any, hint: Any) -> bool:
    """Whether `value`, out of a JSON file, is of the annotated type `hint`."""
    if hint in (int, float, str):
        allowed = (int, float) if hint is float else (hint,)
        return isinstance(value, allowed) and not isinstance(value, bool)
    if hint == tuple[int, ...]:
        return isinstance(value, tuple) and all(_is_a(item, int) for item in value)
    return value is None or any(_is_a(value, option) for option in get_args(hint)[:1])


def _table(*rows: Recipe) -> dict[str, Recipe]:
    return {row.model: row for row in rows}


recipes = _table(
    Recipe(
        model="softmax",
        network="softmax",
        iterations=1000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.5,
        weights="zeros",
        summary="images x W + b",
        parameters=7_850,
        published="about 0.92",
    ),
    Recipe(
        model="mlp",
        network="mlp",
        iterations=1000,
        batch_size=128,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(512, 256, 128),
        activation="relu",
        summary="dense 512, 256, 128",
        parameters=567_434,
    ),
    Recipe(
        model="cnn",
        network="cnn",
        iterations=20_000,
        batch_size=50,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(1024,),
        activation="relu",
        summary="conv 5x5 32, 64, each pooled; dense 1024",
        parameters=3_274_634,
        published="about 0.992",
    ),
)
"""Every recipe, by the name that `--model` takes."""


def find_recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises UsageError, with the names there are, for any other."""
    if name not in recipes:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(recipes)}")
    return recipes[name]
