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
class Augmentation:
    """How strongly training images are distorted, each differently in every epoch."""

    rotation: float = 10.0
    """Degrees to either side, at most; uniform, as are the next three."""
    shear: float = 10.0
    """Degrees of slant to either side, at most."""
    scale: float = 0.12
    """Height and width are each multiplied by 1 / (1 + scale) to 1 + scale."""
    shift: float = 2.0
    """Pixels in each direction, at most."""
    elastic: float = 0.8
    """Standard deviation of the elastic displacement in each direction, in pixels."""
    thickness: float = 0.3
    """The probability that strokes get thicker or thinner, either as likely."""

    def __post_init__(self) -> None:
        limits = {"rotation": 180, "shear": 60, "thickness": 1}
        for name, value in dataclasses.asdict(self).items():
            highest = limits.get(name, 100)
            if not 0 <= value <= highest:
                raise UsageError(f"{name} must be from 0 to {highest}, not {value}")


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
    learning_rate_floor: float = 1e-4
    """What the exponential schedule adds to its rate, and so ends at."""
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
    channels: tuple[int, ...] | None = None
    """Of each convolution, where the network leaves them open."""
    filter_sizes: tuple[int, ...] | None = None
    """Of each convolution, in pixels, where the network leaves them open."""
    batch_normalization: bool = False
    """Of every hidden layer, before its activation."""
    activation: str | None = None
    weights: str = "truncated-normal"
    bias: float = 0.1
    """What hidden layers' biases start from."""
    label_smoothing: float = 0.0
    """The share of each label that training spreads over all classes (Szegedy et al. 2016)."""
    moving_decay: float = 0.999
    """Of batch normalisation's averages, and of the weights' where these are averaged."""
    average_weights: bool = False
    """Whether the network is judged with moving averages of its weights."""
    augmentation: Augmentation | None = None
    """How the training images are distorted."""
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
        self._require("warmup", 0 < self.warmup < 1, "above 0 and below 1")
        self._require("label_smoothing", 0 <= self.label_smoothing < 1, "at least 0, below 1")
        self._require("moving_decay", 0 < self.moving_decay < 1, "above 0 and below 1")
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
        values = dataclasses.asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if name in _HYPERPARAMETERS
        }

    @classmethod
    def from_json(cls, values: Any) -> "Recipe":
        """The recipe that `to_json` gave; one of an earlier version may lack what was
        added with a default since. Raises MnistGraphError for anything else.
        """
        if not isinstance(values, dict) or not set(values) <= set(_HYPERPARAMETERS):
            raise MnistGraphError("its recipe has hyperparameters that this version does not know")
        if missing := sorted(_REQUIRED - set(values)):
            raise MnistGraphError(f"its recipe lacks {', '.join(missing)}")
        hints = get_type_hints(cls)
        return cls(**{name: _typed(name, value, hints[name]) for name, value in values.items()})

    def differences(self, other: "Recipe") -> list[str]:
        """What sets `other` apart from this recipe, as "batch_size is 100, not 128"."""
        mine, others = self.to_json(), other.to_json()
        return [f"{n} is {others[n]}, not {mine[n]}" for n in mine if mine[n] != others[n]]


_HYPERPARAMETERS = {f.name: f for f in dataclasses.fields(Recipe) if f.compare}
_REQUIRED = {n for n, f in _HYPERPARAMETERS.items() if f.default is dataclasses.MISSING}


def _typed(name: str, value: Any, hint: Any) -> Any:
    """`value`, out of a JSON file, as what the annotation `hint` of hyperparameter `name` says.

    Raises MnistGraphError where it is something else.
    """
    options = get_args(hint)
    if type(None) in options:
        return None if value is None else _typed(name, value, options[0])
    if hint == tuple[int, ...] and isinstance(value, list):
        return tuple(_typed(name, item, int) for item in value)
    if hint is Augmentation and isinstance(value, dict):
        known = get_type_hints(Augmentation)
        if set(value) == set(known):
            return Augmentation(**{n: _typed(n, v, known[n]) for n, v in value.items()})
    allowed = (int, float) if hint is float else hint
    plain = hint in (bool, int, float, str) and isinstance(value, allowed)
    if not plain or (isinstance(value, bool) and hint is not bool):
        raise MnistGraphError(f"its recipe has {value!r} for {name}")
    return value


def _table(*rows: Recipe) -> dict[str, Recipe]:
    return {row.model: row for row in rows}


_DENSE_5 = (200, 100, 60, 30)
_DECAY = {"learning_rate": 0.003, "schedule": "exponential"}
_ONE_CYCLE = {
    "schedule": "one-cycle",
    "beta2": 0.99,
    "weights": "he",
    "bias": 0.0,
    "precision": "auto",
}
_GOERNER = {
    "iterations": 10_000,
    "batch_size": 100,
    "validation_size": 0,  # his listings train on all 60,000 images
}

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
    Recipe(
        model="mlp-linear",
        network="mlp",
        iterations=1000,
        batch_size=128,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(512, 256, 128),
        activation="linear",
        summary="dense 512, 256, 128, without activations",
        parameters=567_434,
        published="0.9206",
    ),
    Recipe(
        model="cnn-sgd",
        network="cnn",
        iterations=10_000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.001,
        keep_prob=0.6,
        hidden=(1024,),
        activation="relu",
        weights="glorot-uniform",
        bias=0.0,
        summary="conv 5x5 32, 64, each pooled; dense 1024",
        parameters=3_274_634,
        published="0.9521",
    ),
    Recipe(
        model="softmax-sum",
        network="softmax",
        iterations=1000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.003,
        loss="sum",
        weights="zeros",
        validation_size=0,
        summary="images x W + b",
        parameters=7_850,
        published="0.92",
    ),
    Recipe(
        model="mlp-sigmoid",
        network="mlp",
        **_GOERNER,
        optimizer="gradient-descent",
        learning_rate=0.003,
        loss="sum",
        hidden=(200, 100),
        activation="sigmoid",
        bias=0.0,
        summary="dense 200, 100, sigmoid",
        parameters=178_110,
        published="above 0.97",
    ),
    Recipe(
        model="mlp5-sigmoid",
        network="mlp",
        **_GOERNER,
        learning_rate=0.003,
        hidden=_DENSE_5,
        activation="sigmoid",
        bias=0.0,
        summary="dense 200, 100, 60, 30, sigmoid",
        parameters=185_300,
        published="0.9788",
    ),
    Recipe(
        model="mlp5-relu",
        network="mlp",
        **_GOERNER,
        learning_rate=0.003,
        hidden=_DENSE_5,
        activation="relu",
        summary="dense 200, 100, 60, 30",
        parameters=185_300,
        published="0.98 (0.9825 at its best)",
    ),
    Recipe(
        model="mlp5-relu-decay",
        network="mlp",
        **_GOERNER,
        **_DECAY,
        hidden=_DENSE_5,
        activation="relu",
        summary="dense 200, 100, 60, 30",
        parameters=185_300,
        published="above 0.98 (0.9824)",
    ),
    Recipe(
        model="mlp5-relu-dropout",
        network="mlp",
        **_GOERNER,
        **_DECAY,
        keep_prob=0.75,
        dropout="each",
        hidden=_DENSE_5,
        activation="relu",
        summary="dense 200, 100, 60, 30",
        parameters=185_300,
        published="about 0.98",
    ),
    Recipe(
        model="conv3",
        network="conv3",
        **_GOERNER,
        **_DECAY,
        filter_sizes=(5, 5, 4),
        channels=(4, 8, 12),
        hidden=(200,),
        activation="relu",
        summary="conv 5x5 4, 5x5 8, 4x4 12; dense 200",
        parameters=122_270,
        published="0.989",
    ),
    Recipe(
        model="conv3-dropout",
        network="conv3",
        **_GOERNER,
        **_DECAY,
        keep_prob=0.75,
        filter_sizes=(6, 5, 4),
        channels=(6, 12, 24),
        hidden=(200,),
        activation="relu",
        summary="conv 6x6 6, 5x5 12, 4x4 24; dense 200",
        parameters=244_076,
        published="0.993",
    ),
    Recipe(
        model="conv3-batchnorm",
        network="conv3",
        **_GOERNER,
        learning_rate=0.02,
        schedule="exponential",
        decay_iterations=1600.0,
        keep_prob=0.75,
        filter_sizes=(6, 5, 4),
        channels=(24, 48, 64),
        batch_normalization=True,
        hidden=(200,),
        activation="relu",
        summary="conv 6x6 24, 5x5 48, 4x4 64; dense 200; batch norm",
        parameters=708_362,
        published="0.995",
    ),
    Recipe(
        model="cnn-fast",
        network="cnn",
        iterations=600,
        batch_size=128,
        **_ONE_CYCLE,
        learning_rate=0.005,
        keep_prob=0.5,
        hidden=(1024,),
        activation="relu",
        label_smoothing=0.1,
        augmentation=Augmentation(
            rotation=7.0, shear=7.0, scale=0.07, shift=1.0, elastic=0.4, thickness=0.0
        ),
        validation_size=0,
        summary="conv 5x5 32, 64, each pooled; dense 1024",
        parameters=3_274_634,
    ),
    Recipe(
        model="cnn-best",
        network="cnn5",
        iterations=7031,  # 15 epochs
        batch_size=128,
        **_ONE_CYCLE,
        learning_rate=0.003,
        keep_prob=0.6,
        batch_normalization=True,
        activation="relu",
        label_smoothing=0.05,
        moving_decay=0.995,
        average_weights=True,
        augmentation=Augmentation(),
        validation_size=0,
        summary="conv 5x5 32, 3x3 64, 64, 128, 128; batch norm",
        parameters=298_186,
    ),
)
"""Every recipe, by the name that `--model` takes."""


def find_recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises UsageError, with the names there are, for any other."""
    if name not in recipes:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(recipes)}")
    return recipes[name]
