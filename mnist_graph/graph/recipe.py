"""A recipe: a network and how it is trained, as one checked set of hyperparameters."""

import dataclasses
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_type_hints

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.network import IMAGE_SETTINGS, NETWORKS, OPTIONAL_SETTINGS, Network
from mnist_graph.graph.settings import convert, from_text

CHOICES = {
    "optimizer": ("adam", "gradient-descent"),
    "schedule": ("constant", "exponential", "one-cycle"),
    "activation": ("relu", "sigmoid", "tanh", "linear"),
    "weights": ("truncated-normal", "zeros", "glorot-uniform", "he"),
    "loss": ("mean", "sum"),
    "dropout": ("last", "each"),
    "precision": ("auto", "float32", "bfloat16"),
}
"""The valid values of the hyperparameters that are words."""

MAX_RATE = 1e38
"""The largest learning rate, just below the largest float32."""
MIN_DIVISOR = 1e-6
"""The least value of what the graph divides by; the quotient of less can be infinite or NaN."""
MAX_LAYERS = 64
"""The largest number of hidden dense layers, or of convolutions."""
MAX_SIZES = {"hidden": 2**16, "channels": 2**12, "filter_sizes": 2**6}
"""The largest number of units, of channels, and the largest filter, in pixels."""

ONLY_WITH = {
    "learning_rate_floor": ("schedule", "exponential"),
    "decay_iterations": ("schedule", "exponential"),
    "warmup": ("schedule", "one-cycle"),
    "beta1": ("optimizer", "adam"),
    "beta2": ("optimizer", "adam"),
}
"""Hyperparameters that have an effect only if another one has this value."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    A value is None where the network has no such thing: softmax regression has no hidden
    layers, no activation and no dropout. NumPy's numbers become Python's, lists become tuples.
    Raises UsageError for an invalid value, and for a hyperparameter that the network does not
    use.
    """

    model: str
    """The name of the recipe, and of its folder in runs/."""
    network: str
    """The name of the registered network (networks.py)."""
    iterations: int
    batch_size: int
    optimizer: str = "adam"
    learning_rate: float
    """Under a schedule: the rate that it starts from (exponential) or rises to (one-cycle)."""
    schedule: str = "constant"
    learning_rate_floor: float = 1e-4
    """Added to the exponential schedule's rate, which therefore ends at this value."""
    decay_iterations: float = 2000.0
    """The iterations in which the exponential schedule falls to 1/e."""
    warmup: float = 0.2
    """The fraction of the run in which the one-cycle schedule rises."""
    warmup_iterations: int = 0
    """The iterations in which the rate of every schedule first rises from 0 (Goyal et al. 2017)."""
    beta1: float = 0.9
    beta2: float = 0.999
    loss: str = "mean"
    """The mean or the sum of the cross-entropies of a batch."""
    keep_prob: float | None = None
    dropout: str = "last"
    """After the last hidden dense layer only, or after each."""
    hidden: tuple[int, ...] | None = None
    """The units of each hidden dense layer."""
    channels: tuple[int, ...] | None = None
    """The channels of each convolution."""
    filter_sizes: tuple[int, ...] | None = None
    """The filter size of each convolution, in pixels."""
    batch_normalization: bool = False
    """Whether every hidden layer is batch-normalized before its activation."""
    activation: str | None = None
    weights: str = "truncated-normal"
    """How weights are initialized; see `layers.weight_variable`."""
    bias: float = 0.1
    """The initial value of biases."""
    weight_decay: float = 0.0
    """This times half the sum of the squared weights of the hidden dense layers is added to what
    training minimizes."""
    label_smoothing: float = 0.0
    """The share of each label that training spreads over all classes (Szegedy et al. 2016)."""
    moving_decay: float = 0.999
    """The decay of batch normalization's moving averages, and of the weights' if averaged."""
    average_weights: bool = False
    """Whether the trained network uses moving averages of its weights."""
    augmentation: Augmentation | None = None
    """How training images are distorted."""
    mix: float = 0.0
    """The share of each batch that is drawn from MNIST's training digits, for data of one's own."""
    temperature: float = 1.0
    """Logits are divided by this for calibrated probabilities (Guo et al. 2017); fitted on the
    validation images.
    """
    validation_size: int = 5000
    precision: str = "auto"
    """Of matrix products and convolutions; auto is bfloat16 where the hardware supports it."""
    seed: int = 0
    published: str = dataclasses.field(default="", compare=False)
    """The test accuracy that the recipe's source states; not a hyperparameter."""

    @property
    def reads_strips(self) -> bool:
        """Whether the network reads strips, rows of digits, instead of images of one digit."""
        return NETWORKS[self.network].reads_strips

    @property
    def fed_keep_prob(self) -> float:
        """What training feeds for keep_prob: 1 without dropout."""
        return 1.0 if self.keep_prob is None else self.keep_prob

    @property
    def mixed_in(self) -> int:
        """How many of the images of each batch are MNIST's: the share `mix`, rounded."""
        return round(self.mix * self.batch_size)

    def __post_init__(self) -> None:
        for name, hint in _type_hints().items():
            # The class is frozen.
            object.__setattr__(self, name, convert(name, getattr(self, name), hint))
        is_name = re.fullmatch(r"\w[\w.-]*", self.model) is not None
        self._require("model", is_name, "a name of letters, digits, -, _ and .")
        self._require("network", self.network in NETWORKS, f"one of {', '.join(NETWORKS)}")
        self._check_numbers()
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not (name == "activation" and value is None):
                self._require(name, value in choices, f"one of {', '.join(choices)}")
        self._check_network(NETWORKS[self.network])

    def _check_numbers(self) -> None:
        for name in ("iterations", "batch_size"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("seed", "validation_size", "warmup_iterations"):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        fits = 0 < self.learning_rate <= MAX_RATE
        self._require("learning_rate", fits, f"a number above 0 and at most {MAX_RATE}")
        for name in ("decay_iterations", "temperature"):
            fits = MIN_DIVISOR <= getattr(self, name) <= MAX_RATE
            self._require(name, fits, f"a number from {MIN_DIVISOR} to {MAX_RATE}")
        fits = MIN_DIVISOR <= self.warmup <= 1 - MIN_DIVISOR
        self._require("warmup", fits, f"a number from {MIN_DIVISOR} to {1 - MIN_DIVISOR}")
        self._require("moving_decay", 0 < self.moving_decay < 1, "above 0 and below 1")
        for name in ("label_smoothing", "beta1", "beta2", "mix"):
            self._require(name, 0 <= getattr(self, name) < 1, "at least 0 and below 1")
        fits = 0 <= self.weight_decay <= MAX_RATE
        self._require("weight_decay", fits, f"a number from 0 to {MAX_RATE}")
        for name in ("learning_rate_floor", "bias"):
            self._require(name, abs(getattr(self, name)) <= MAX_RATE, "a finite number")
        if self.keep_prob is not None:
            self._require("keep_prob", 0 < self.keep_prob <= 1, "above 0 and at most 1")
        if self.mix:
            fits, batch = 1 <= self.mixed_in < self.batch_size, f"a batch of {self.batch_size}"
            self._require("mix", fits, f"a share that leaves {batch} an image of either kind")

    def _check_network(self, network: Network) -> None:
        for name in (*OPTIONAL_SETTINGS, *IMAGE_SETTINGS):
            value = getattr(self, name)
            if not network.uses(name) and value != HYPERPARAMETERS[name].default:
                raise UsageError(self._not_used(name))
            if name in MAX_SIZES and name in network.settings:
                self._check_sizes(name, None if name == "hidden" else network.convolutions)
        if "activation" in network.settings:
            self._require("activation", self.activation is not None, "given")

    def _check_sizes(self, name: str, count: int | None) -> None:
        sizes, most = getattr(self, name) or (), MAX_SIZES[name]
        fits = all(1 <= size <= most for size in sizes)
        fits &= 1 <= len(sizes) <= MAX_LAYERS if count is None else len(sizes) == count
        numbers = f"1 to {MAX_LAYERS}" if count is None else f"{count}"
        self._require(name, fits, f"{numbers} numbers from 1 to {most:,}")

    def _require(self, name: str, fits: bool, what: str) -> None:
        if not fits:
            value = " ".join(str(getattr(self, name)).split())
            raise UsageError(f"{name} must be {what}, not {value:.80}")

    def _not_used(self, name: str) -> str:
        return f"{self.model} has no {name} to set"

    def override(self, **changes: Any) -> "Recipe":
        """Return this recipe with other hyperparameters, by name.

        Raises UsageError for an unknown name, an invalid value, or a hyperparameter that would
        have no effect.
        """
        for name in changes:
            if name not in OVERRIDABLE:
                raise UsageError(unknown("hyperparameter", name, OVERRIDABLE))
        changed = dataclasses.replace(self, **changes)
        network = NETWORKS[changed.network]
        for name in changes:
            if not network.uses(name):
                raise UsageError(self._not_used(name))
            if name in ONLY_WITH:
                other, value = ONLY_WITH[name]
                if getattr(changed, other) != value:
                    raise UsageError(f"{name} has no effect unless {other} is {value}")
        if "dropout" in changes and changed.keep_prob is None:
            raise UsageError("dropout has no effect without keep_prob")
        return changed

    def parse(self, settings: dict[str, str]) -> dict[str, Any]:
        """Return the values of hyperparameters given as text, as `--set` takes them, by name; see
        `settings.from_text`. "augmentation.rotation" and the like set one distortion.

        Raises UsageError for an unknown name or an invalid text.
        """
        hints, values = _type_hints(), {}
        for full_name, text in settings.items():
            if full_name not in (*OVERRIDABLE, *DISTORTIONS):
                raise UsageError(unknown("hyperparameter", full_name, [*OVERRIDABLE, *DISTORTIONS]))
            name, _, part = full_name.partition(".")
            if not part:
                values[name] = from_text(name, text, hints[name])
                continue
            whole, parts = values.get(name, getattr(self, name)), get_type_hints(Augmentation)
            if whole is None:
                if not NETWORKS[self.network].uses(name):
                    raise UsageError(self._not_used(name))
                raise UsageError(
                    f"{self.model} has no augmentation; set augmentation=default first"
                )
            value = from_text(full_name, text, parts[part])
            values[name] = dataclasses.replace(whole, **{part: value})
        return values

    def to_json(self) -> dict[str, Any]:
        """Return the hyperparameters by name, in values that JSON has."""
        values = dataclasses.asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if name in HYPERPARAMETERS
        }

    @classmethod
    def from_json(cls, values: Any) -> "Recipe":
        """Return the recipe that `to_json` described. One written by an earlier version may
        lack hyperparameters that were added with a default since.

        Raises MnistGraphError for anything else.
        """
        if not isinstance(values, dict) or not set(values) <= set(HYPERPARAMETERS):
            raise MnistGraphError("its recipe has hyperparameters that this version does not know")
        if missing := sorted(REQUIRED - set(values)):
            raise MnistGraphError(f"its recipe lacks {', '.join(missing)}")
        distortions = values.get("augmentation")
        if isinstance(distortions, dict):
            if not set(distortions) <= set(get_type_hints(Augmentation)):
                raise MnistGraphError(f"its recipe has {distortions} for augmentation")
            values = {**values, "augmentation": Augmentation(**distortions)}
        return cls(**values)

    def differences(self, other: "Recipe") -> list[str]:
        """Describe how `other` differs from this recipe, as "batch_size is 100, not 128"."""
        mine, others = self.to_json(), other.to_json()
        return [f"{n} is {others[n]}, not {mine[n]}" for n in mine if mine[n] != others[n]]


HYPERPARAMETERS = {f.name: f for f in dataclasses.fields(Recipe) if f.compare}
"""Every hyperparameter's field by its name, the recipe's own name included."""
OVERRIDABLE = [name for name in HYPERPARAMETERS if name != "model"]
DISTORTIONS = [f"augmentation.{field.name}" for field in dataclasses.fields(Augmentation)]
"""The names by which `--set` changes one distortion of an augmentation."""
REQUIRED = {n for n, f in HYPERPARAMETERS.items() if f.default is dataclasses.MISSING}


@cache
def _type_hints() -> dict[str, Any]:
    return get_type_hints(Recipe)


def unknown(kind: str, name: str, known: Any, hint: str = "") -> str:
    """Say that `name` is unknown, with the most similar of the `known` names if there is one."""
    close = get_close_matches(name, list(known), n=1)
    advice = f"; did you mean {close[0]}?" if close else hint or f"; there are {', '.join(known)}"
    return f"there is no {kind} {name!r:.80}{advice}"
