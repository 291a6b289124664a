"""Every step of a training, held against the same step in NumPy and float64."""

import numpy as np
import pytest
import reference_training as reference
import tensorflow as tf
from helpers import variables

from mnist_graph import read_data_sets, recipes, train
from mnist_graph.data.batches import make_batch
from mnist_graph.graph.layers import stream_seed
from mnist_graph.training.hooks import Hook

tf1 = tf.compat.v1

GRADIENT = 1e-4
"""What nine in ten gradients in float32 differ by at most, as a share of their norms,"""
DECIDED = 0.05
"""and 99 in a hundred: rounding now and then decides which of two is the larger, or above 0;"""
FLOOR = 1e-8
"""A norm below this is as good as 0: the squares of such gradients float32 does not hold;"""
UPDATE = 1e-4
"""and so much an update that is made of the same moments."""


class KeptByDropout:
    """Which units TensorFlow's generator keeps: as often as the unit's share says, of the
    stream that the layer's name and the seed choose."""

    def __init__(self, seed):
        self.graph = tf.Graph()
        self.session = tf1.Session(graph=self.graph)
        self.drawn = {}
        with self.graph.as_default():
            tf1.set_random_seed(seed)
            self.iteration = tf1.placeholder(tf.int32, [])

    def at(self, iteration):
        def kept(name, shape, keep_prob):
            if name not in self.drawn:
                with self.graph.as_default(), tf1.name_scope(name):
                    rate, seed = 1 - tf.constant(keep_prob), [stream_seed(name), self.iteration]
                    self.drawn[name] = tf.nn.experimental.stateless_dropout(
                        tf.ones(shape), rate, seed, "philox"
                    )
            return self.session.run(self.drawn[name], {self.iteration: iteration}) > 0

        return kept


class HoldAgainst(Hook):
    """Compares each checkpoint with the one before it: one is written after each iteration."""

    def __init__(self, recipe, data):
        self.recipe, self.data, self.off = recipe, data, {"gradient": [], "update": []}
        self.before, self.steps = None, 0
        self.kept = KeptByDropout(recipe.seed)

    def begin(self, training):
        self.run = training.run

    def after_iteration(self, iteration):
        """The newest checkpoint is of what was before this iteration."""
        if iteration:
            now = variables(self.run.directory)
            if self.before is not None:
                self.compare(self.before, now, iteration - 1)
            self.before = now

    def compare(self, before, after, iteration):
        assert (before["global_step"], after["global_step"]) == (iteration, iteration + 1)
        recipe = self.recipe
        images, labels = make_batch(self.data.train, recipe, iteration)
        trained = {name: value for name, value in before.items() if value.ndim}
        gradients, moments, rate = reference.step(
            recipe, trained, images, labels, iteration, self.kept.at(iteration)
        )
        for name, gradient in gradients.items():
            weight, new = before[name].astype(np.float64), after[name]
            if recipe.optimizer == "adam":
                self.compare_adam(name, before, after, gradient)
                mean, square = after[f"{name}/Adam"], after[f"{name}/Adam_1"]
                wanted = reference.adam(
                    recipe, weight, mean.astype(np.float64), square, rate, iteration
                )
            else:
                wanted = weight - rate * gradient
            self.note(
                "update" if recipe.optimizer == "adam" else "gradient",
                new - weight,
                wanted - weight,
                weight,
            )
            if recipe.average_weights:
                self.compare_average(name, before, after, iteration)
        pace = 1 - min(recipe.moving_decay, (1 + iteration) / (10 + iteration))
        for name, moment in moments.items():
            change = pace * (moment - before[name])
            self.note(
                "gradient", after[name] - before[name].astype(np.float64), change, before[name]
            )
        self.steps += 1

    def compare_adam(self, name, before, after, gradient):
        for slot, decay, term in (
            ("Adam", self.recipe.beta1, gradient),
            ("Adam_1", self.recipe.beta2, gradient**2),
        ):
            old = before[f"{name}/{slot}"].astype(np.float64)
            got = (after[f"{name}/{slot}"] - decay * old) / (1 - decay)
            self.note("gradient", got, term, old / (1 - decay))

    def compare_average(self, name, before, after, iteration):
        average = f"{name}/ExponentialMovingAverage"
        old = before[average].astype(np.float64)
        decay = min(self.recipe.moving_decay, (2 + iteration) / (11 + iteration))
        wanted = (1 - decay) * (after[name] - old)
        self.note("gradient", after[average] - old, wanted, old)

    def note(self, kind, got, wanted, scale):
        """How far `got` is from `wanted`, beyond the rounding of numbers of that `scale`."""
        rounding = 4 * np.finfo(np.float32).eps * np.linalg.norm(scale)
        off = max(0.0, float(np.linalg.norm(got - wanted)) - rounding)
        share = off / max(float(np.linalg.norm(wanted)), FLOOR)
        self.off[kind].append(share)


SMALL = {"batch_size": 8, "hidden": (24,)}
CHANNELS = {**SMALL, "channels": (4, 8, 12)}
NETWORKS = {
    "softmax": {},
    "softmax-sum": {},
    "mlp": {"hidden": (64, 48, 32)},
    "mlp-linear": {"hidden": (64, 48, 32)},
    "mlp5-sigmoid": {"hidden": (50, 40, 30, 20)},
    "mlp5-relu-dropout": {"hidden": (50, 40, 30, 20)},
    "cnn": SMALL,
    "cnn-sgd": {**SMALL, "learning_rate": 1e-3},
    "cnn-fast": SMALL,
    "conv3": CHANNELS,
    "conv3-batchnorm": CHANNELS,
    "mnist-99": {**SMALL, "channels": (4, 8)},
    "cnn-best": {"batch_size": 6},
}
"""Narrow, for the sake of time, where that leaves the network what it is."""


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
def test_every_step_is_that_of_numpy(tmp_path, model):
    changes = {"iterations": 200, "seed": 5, "precision": "float32", **NETWORKS[model]}
    recipe = recipes[model].override(**changes)
    data = read_data_sets(validation_size=recipe.validation_size)
    data = data._replace(
        test=type(data.test)(data.test.pixels[:9], data.test.sparse_labels[:9], 10)
    )
    hook = HoldAgainst(recipe, data)
    train(recipe, data, tmp_path / "run", save_every=0, hooks=[hook])
    assert hook.steps == recipe.iterations - 2
    assert np.percentile(hook.off["gradient"], 90) < GRADIENT
    assert np.percentile(hook.off["gradient"], 99) < DECIDED
    assert max(hook.off["update"], default=0) < UPDATE
