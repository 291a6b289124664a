"""What a recipe is: a network and how it is trained, as one checked set of numbers."""

import dataclasses
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


MAX_RATE = 1e38
"""The largest learning rate that float32 holds, or near it."""

MAX_LAYERS = 64
CONVOLUTIONS = {"conv2": 2, "conv3": 3}
"""Of the networks that leave their channels and sizes open."""

NETWORKS: dict[str, set[str]] = {
    "softmax": set(),
    "mlp": {"hidden", "activation"},
    "cnn": {"hidden", "activation"},
    "cnn5": {"activation"},
    "conv2": {"hidden", "activation", "channels", "filter_sizes"},
    "conv3": {"hidden", "activation", "channels", "filter_sizes"},
}
"""The networks of models.py, and which of these four they leave to the recipe."""


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
    blur: float = 0.0
    """The probability that an image is made coarse, as small scans are."""

    def __post_init__(self) -> None:
        limits = {"rotation": 180, "shear": 60, "thickness": 1, "blur": 1}
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
    temperature: float = 1.0
    """What the logits are divided by for calibrated probabilities (Guo et al. 2017), found on
    the validation images."""
    validation_size: int = 5000
    precision: str = "auto"
    seed: int = 0
    summary: str = dataclasses.field(default="", compare=False)
    """The network in a few words. This and the next two play no part in the training."""
    parameters: int = dataclasses.field(default=0, compare=False)
    """The number of weights and biases, for images of 28x28 in 10 classes."""
    published: str = dataclasses.field(default="", compare=False)
    """The test accuracy that the recipe's source states."""

    def __post_init__(self) -> None:
        self._require("network", self.network in NETWORKS, f"one of {', '.join(NETWORKS)}")
        for name in set.union(*NETWORKS.values()):
            there = getattr(self, name) is not None
            wanted = name in NETWORKS[self.network]
            self._require(name, there == wanted, "given" if wanted else "None")
        for name in ("iterations", "batch_size"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("seed", "validation_size"):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("learning_rate", "decay_iterations", "temperature"):
            value = getattr(self, name)
            self._require(name, 0 < value <= MAX_RATE, f"a number above 0 and at most {MAX_RATE}")
        self._require("warmup", 0 < self.warmup < 1, "above 0 and below 1")
        self._require("label_smoothing", 0 <= self.label_smoothing < 1, "at least 0, below 1")
        self._require("moving_decay", 0 < self.moving_decay < 1, "above 0 and below 1")
        if self.keep_prob is not None:
            self._require("keep_prob", 0 < self.keep_prob <= 1, "above 0 and at most 1")
        self._check_layers()
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not (name == "activation" and value is None):
                self._require(name, value in choices, f"one of {', '.join(choices)}")

    def _check_layers(self) -> None:
        if self.hidden is not None:
            layers = 1 <= len(self.hidden) <= MAX_LAYERS
            fits = layers and all(1 <= units <= 2**16 for units in self.hidden)
            self._require("hidden", fits, f"1 to {MAX_LAYERS} layers of 1 to 65,536 units")
        for name, most in (("channels", 2**12), ("filter_sizes", 2**6)):
            value = getattr(self, name)
            if value is not None:
                count = CONVOLUTIONS[self.network]
                fits = len(value) == count and all(1 <= number <= most for number in value)
                self._require(name, fits, f"{count} numbers of 1 to {most:,}")

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
        if set(value) <= set(known):
            return Augmentation(**{n: _typed(n, v, known[n]) for n, v in value.items()})
    allowed = (int, float) if hint is float else hint
    plain = hint in (bool, int, float, str) and isinstance(value, allowed)
    if not plain or (isinstance(value, bool) and hint is not bool):
        raise MnistGraphError(f"its recipe has {value!r} for {name}")
    return value
