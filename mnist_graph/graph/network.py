"""What a network is: a function over `Layers`, registered under its own name.

A network is written once and used three times. On the layers of `recipe_layers.py` it builds a
TensorFlow graph. On those of `numpy_layers.py` it computes with trained weights, and on those of
`outline.py` it only adds up shapes and parameters; neither needs TensorFlow.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from mnist_graph.data.arguments import whole_number, wrong_type
from mnist_graph.errors import UsageError

Tensor = TypeVar("Tensor")
"""A batch of images or of activations: a `tf.Tensor`, an array, or its shape alone."""
LRN = {"depth_radius": 4, "bias": 1.0, "alpha": 0.001 / 9, "beta": 0.75}
"""Local response normalization, as `tf.nn.lrn` takes it: the numbers of TensorFlow's CIFAR-10
tutorial."""
Size = int | tuple[int, int]
"""Height and width, or one number for both."""


def pair(size: Size) -> tuple[int, int]:
    """Return `size` as height and width."""
    return size if isinstance(size, tuple) else (size, size)


def pool_size(pool: bool | tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of a max pool; (1, 1) for none."""
    return pool if isinstance(pool, tuple) else (1 + pool, 1 + pool)


class Layers(Protocol[Tensor]):
    """The layers that a network is built from, with the recipe's settings.

    `conv2d` and `dense` are complete hidden layers: weights and biases, batch normalization
    if the recipe has it, and the recipe's activation.
    """

    keep_prob: Any
    """The share of units that dropout keeps."""

    def conv2d(
        self,
        inputs: Tensor,
        size: Size,
        channels: int,
        name: str,
        *,
        stride: Size = 1,
        padding: str = "SAME",
        pool: bool | tuple[int, int] = False,
    ) -> Tensor:
        """Apply a convolution with a filter of this `size`, and a max pool over `pool`, height by
        width (True: 2x2): [n, height, width, c] -> [n, height', width', channels].
        """

    def dense(self, inputs: Tensor, units: int, name: str) -> Tensor:
        """Connect every input to every unit: [n, features] -> [n, units]."""

    def crop(self, inputs: Tensor, margin: int, name: str) -> Tensor:
        """Leave out this many pixels at each edge: [n, height, width, c] ->
        [n, height - 2 * margin, width - 2 * margin, c].
        """

    def standardize(self, inputs: Tensor, name: str) -> Tensor:
        """Bring each image to mean 0 and variance 1: the same shape."""

    def max_pool(self, inputs: Tensor, size: int, stride: int, name: str) -> Tensor:
        """Return the maximum of each `size` x `size`, every `stride` pixels:
        [n, height, width, c] -> [n, ceil(height / stride), ceil(width / stride), c].
        """

    def local_response_normalization(self, inputs: Tensor, name: str) -> Tensor:
        """Divide each value by what its neighbouring channels amount to: the same shape."""

    def dropout(self, inputs: Tensor, keep_prob: Any, name: str) -> Tensor:
        """Drop units at random: the same shape."""

    def flatten(self, inputs: Tensor) -> Tensor:
        """[n, ...] -> [n, features]."""

    def columns(self, inputs: Tensor) -> Tensor:
        """Remove a height of 1: [n, 1, width, c] -> [n, width, c]."""

    def logits(self, inputs: Tensor, bias: float | None = None) -> Tensor:
        """Add the output layer: [n, features] -> [n, classes], or the same for each column:
        [n, width, features] -> [n, width, classes]. Its biases start at `bias` (default: the
        recipe's).
        """


class Network(NamedTuple):
    """A registered network."""

    build: Callable[..., Any]
    """(layers, images, recipe) -> logits, for images [n, height, width, channels]."""
    settings: frozenset[str]
    """The optional hyperparameters that the network uses, of OPTIONAL_SETTINGS."""
    convolutions: int | None
    """How many `channels` and `filter_sizes` it needs; None: any number."""
    reads_strips: bool
    """Whether it reads strips, rows of digits of any width, instead of images of one digit."""

    def uses(self, setting: str) -> bool:
        """Whether the hyperparameter of this name has an effect on the network."""
        if self.reads_strips and setting in IMAGE_SETTINGS:
            return False
        return setting in self.settings or setting not in OPTIONAL_SETTINGS


OPTIONAL_SETTINGS = (
    "hidden",
    "channels",
    "filter_sizes",
    "activation",
    "bias",
    "keep_prob",
    "dropout",
    "batch_normalization",
    "weight_decay",
)
"""The hyperparameters that some networks use and others do not."""
IMAGE_SETTINGS = ("label_smoothing", "augmentation", "mix")
"""The hyperparameters that no network of strips uses: a strip's label is no class to smooth, and
strips are distorted as they are made, from the digits of the data alone.
"""

NETWORKS: dict[str, Network] = {}
"""Every registered network by its name, which is that of its function."""

Function = TypeVar("Function", bound=Callable[..., Any])


def network(
    *settings: str, convolutions: int | None = None, reads_strips: bool = False
) -> Callable[[Function], Function]:
    """Register the decorated function as a network that a recipe can name.

    `settings` are the hyperparameters of OPTIONAL_SETTINGS that the network uses; a recipe
    that sets any other is refused. A network that `reads_strips` gets images [n, 32, width, 1] of
    any width and returns logits for each of `width / 4` columns (see strip_network.py).

    Raises UsageError for an unknown setting, and for a name that is taken by a network of another
    module.
    """
    for setting in settings:
        if not isinstance(setting, str) or setting not in OPTIONAL_SETTINGS:
            what = "names of optional hyperparameters, or none: @network()"
            raise wrong_type("the arguments of @network", what, setting)
    if convolutions is not None:
        convolutions = whole_number("convolutions", convolutions, lowest=0)

    def register(build: Function) -> Function:
        taken = NETWORKS.get(build.__name__)
        if taken is not None and taken.build.__module__ != build.__module__:
            raise UsageError(f"there is a network {build.__name__!r}; give yours another name")
        NETWORKS[build.__name__] = Network(build, frozenset(settings), convolutions, reads_strips)
        return build

    return register
