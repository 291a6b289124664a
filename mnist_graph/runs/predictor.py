"""A finished run's network with its trained weights: images in, probabilities out."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.arguments import require
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.build import Graph, Network, build_network
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.recipes import find_recipe
from mnist_graph.graph.sessions import Device, choose_device, open_session, require_own_process
from mnist_graph.runs.batches import BATCH, batch_slices
from mnist_graph.runs.checkpoints import Checkpoint
from mnist_graph.runs.find import find_run, load_run
from mnist_graph.runs.image_network import ImageNetwork
from mnist_graph.runs.run import RUNS_DIR, Run
from mnist_graph.runs.shipped import folded_recipe, is_shipped, load_shipped

Own = TypeVar("Own", bound="TrainedNetwork")


class TrainedNetwork:
    """The network of a finished run with its trained weights, in a session of its own.

    Use it as a context manager, or call `close`. It computes in `precision`, whatever the run
    was trained in; float32 works on every machine. It can be used by several threads at once.

    Raises MnistGraphError if the run is unfinished or its weights are damaged, and UsageError if
    its network takes another kind of input.
    """

    reads_strips: bool
    """Whether the network takes strips, rows of digits, or else images of one digit."""

    def __init__(self, run: Run, device: str = "auto", precision: str = "float32") -> None:
        require("run", run, Run, "a Run (see restore)")
        if run.recipe.reads_strips != self.reads_strips:
            kind = "rows of digits" if run.recipe.reads_strips else "images of one digit"
            raise UsageError(f"{run.directory} is a run of {run.recipe.model}, which reads {kind}")
        self.run = run
        chosen, recipe = choose_device(run.recipe.override(precision=precision), device)
        if is_shipped(run):
            weights = load_shipped(run)
            self._open(folded_recipe(recipe), chosen)
            try:
                assign(self.session, weights)
            except ValueError as error:
                raise MnistGraphError(
                    f"{run.directory} has the weights of another network"
                ) from error
        else:
            checkpoint = run.checkpoint()
            if run.result is None or checkpoint is None:
                raise MnistGraphError(f"{run.directory} is not finished; continue it with --resume")
            self._open(recipe, chosen)
            restore(self.session, self.network, checkpoint)

    def _open(self, recipe: Recipe, device: Device) -> None:
        self.recipe = recipe
        """Of the network as it is opened: that of the run, in another precision, or with batch
        normalization folded into the weights."""
        self.network = build_network(recipe, self.run.image_shape, self.run.classes)
        self.session = open_session(self.network.graph, device)

    def variables(self) -> dict[str, np.ndarray]:
        """Return the trained variables, float32 by name."""
        return self.session.run(_variables(self.network.graph))

    @classmethod
    def restore(cls: type[Own], directory: str | Path, device: str = "auto") -> Own:
        """Load the finished run in `directory`.

        Raises MnistGraphError if there is none, or its checkpoints are damaged.
        """
        return cls(load_run(directory), device)

    @classmethod
    def from_model(
        cls: type[Own],
        model: str,
        runs_dir: str | Path = RUNS_DIR,
        device: str = "auto",
        **overrides: Any,
    ) -> Own:
        """Load the newest finished run of recipe `model` on the bundled MNIST; `overrides` are
        hyperparameters that differ from the recipe's.

        Raises MnistGraphError if there is no such run.
        """
        require("model", model, str, "the name of a recipe")
        recipe = find_recipe(model).override(**overrides)
        run = find_run(runs_dir, recipe, BUNDLED_SHA256)
        if run is None:
            raise MnistGraphError(f"{runs_dir} has no finished run of {model}; train it first")
        return cls(run, device)

    def _run_batches(
        self, fetched: tf.Tensor, fed: tf.Tensor, values: np.ndarray, size: int
    ) -> np.ndarray:
        """Return `fetched` for `values` that are fed to `fed`, at most `size` of them at a time.

        Raises MnistGraphError if the session is closed, and in a process that was forked from the
        one that opened it.
        """
        with _in_open_session():
            run = self.session.make_callable(fetched, [fed])
            return np.concatenate([run(values[part]) for part in batch_slices(len(values), size)])

    def close(self) -> None:
        """Close the session."""
        self.session.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Predictor(ImageNetwork, TrainedNetwork):
    """The trained network of a finished run that classifies images. See `TrainedNetwork`."""

    def _predict_pixels(self, pixels: np.ndarray) -> np.ndarray:
        return self._run_batches(self.network.probabilities, self.network.pixels, pixels, BATCH)

    def _predict_images(self, images: np.ndarray) -> np.ndarray:
        return self._run_batches(self.network.probabilities, self.network.images, images, BATCH)

    def activations(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Return what each hidden layer makes of one image, by the layer's name in their order:
        float32 [height, width, channels] after pooling, or [units].

        `pixels` are uint8 [height, width]. Raises MnistGraphError if the session is closed.
        """
        graph = self.network.graph
        layers = {
            output.op.name.rpartition("/")[0]: output
            for output in graph.get_collection(tf1.GraphKeys.ACTIVATIONS)
        }
        with _in_open_session():
            found = self.session.run(layers, {self.network.pixels: pixels[np.newaxis]})
        return {name: output[0] for name, output in found.items()}


@contextmanager
def _in_open_session() -> Iterator[None]:
    """Raise MnistGraphError if the session is closed, or was opened by the parent process."""
    require_own_process()
    try:
        yield
    except (RuntimeError, tf.errors.CancelledError) as error:  # closed before, or meanwhile
        raise MnistGraphError("the session is closed; open the run again") from error


def _variables(graph: tf.Graph) -> dict[str, tf.Variable]:
    """Return all variables by name, except the number of iterations."""
    with graph.as_default():
        step = tf1.train.get_global_step()
        return {v.op.name: v for v in tf1.global_variables() if v is not step}


def make_assign(session: tf1.Session) -> Callable[[dict[str, np.ndarray]], None]:
    """Return a function that sets all variables of the session's graph to values, by name. It can
    be called often, and raises ValueError for values of another network.
    """
    variables = _variables(session.graph)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    with session.graph.as_default():  # elsewhere, variables have no initial values
        fed = {name: variable.initial_value for name, variable in variables.items()}
        initialize = tf1.global_variables_initializer()

    def assign_values(values: dict[str, np.ndarray]) -> None:
        if {name: value.shape for name, value in values.items()} != shapes:
            raise ValueError("the weights of another network")
        session.run(initialize, {fed[name]: value for name, value in values.items()})

    return assign_values


def assign(session: tf1.Session, values: dict[str, np.ndarray]) -> None:
    """Set all variables of the session's graph to `values`, by name. Raises ValueError if they are
    those of another network.
    """
    make_assign(session)(values)


def restore(session: tf1.Session, network: Network, checkpoint: Checkpoint) -> None:
    """Restore the network's variables from `checkpoint`.

    Raises MnistGraphError if it is damaged or belongs to another network.
    """
    with network.graph.as_default():  # outside of a graph, Saver expects eager execution
        variables = tf1.global_variables()
        expected = sum(v.shape.num_elements() * v.dtype.size for v in variables)
        # Compare sizes before allocating what a damaged file may claim.
        size = sum(path.stat().st_size for path in checkpoint.folder.glob("*.data-*"))
        most = 1.01 * expected + 2**16 if isinstance(network, Graph) else math.inf
        try:
            if not expected <= size <= most:
                raise ValueError
            # The saver restores variables of other shapes too.
            shapes = tf.train.load_checkpoint(checkpoint.prefix).get_variable_to_shape_map()
            if any(shapes.get(v.op.name) != v.shape.as_list() for v in variables):
                raise ValueError
            network.saver.restore(session, checkpoint.prefix)
        except (ValueError, OSError, tf.errors.OpError) as error:
            raise MnistGraphError(
                f"the checkpoint {checkpoint.folder} is damaged or of another recipe; train again"
            ) from error
