"""Every step of a training run against the same step in NumPy and float64."""

import numpy as np
import pytest
import reference_training as reference
import tensorflow as tf
from helpers import variables

from mnist_graph import read_data_sets, recipes, train
from mnist_graph.data.batches import make_batch
from mnist_graph.data.datasets import DataSet
from mnist_graph.graph.layers import stream_seed
from mnist_graph.training.hooks import Hook

tf1 = tf.compat.v1

# Relative errors: the norm of the difference as a share of the norm of the expected value.
GRADIENT_90 = 1e-4
"""Upper bound of 90 % of the errors of gradients."""
GRADIENT_99 = 0.05
"""Upper bound of 99 %: now and then float32 rounding changes which of two values is larger, or
whether one is above 0.
"""
UPDATE = 1e-4
"""Upper bound of all errors of updates, computed from the moments that TensorFlow saved."""
SMALLEST_NORM = 1e-8
"""Norms below this count as this: float32 does not hold the squares of such gradients."""


class DropoutMasks:
    """Which units dropout keeps in TensorFlow, by the layer's name and the seed."""

    def __init__(self, seed):
        self.graph = tf.Graph()
        self.session = tf1.Session(graph=self.graph)
        self.masks = {}
        with self.graph.as_default():
            tf1.set_random_seed(seed)
            self.iteration = tf1.placeholder(tf.int32, [])

    def at(self, iteration):
        """Return the function `kept_units` that `reference` takes."""

        def kept_units(name, shape, keep_prob):
            if name not in self.masks:
                with self.graph.as_default(), tf1.name_scope(name):
                    rate, seed = 1 - tf.constant(keep_prob), [stream_seed(name), self.iteration]
                    self.masks[name] = tf.nn.experimental.stateless_dropout(
                        tf.ones(shape), rate, seed, "philox"
                    )
            return self.session.run(self.masks[name], {self.iteration: iteration}) > 0

        return kept_units


class CompareSteps(Hook):
    """Compares each checkpoint with the one before it; needs one after every iteration."""

    def __init__(self, recipe, data):
        self.recipe, self.data = recipe, data
        self.errors = {"gradient": [], "update": []}
        self.before, self.steps = None, 0
        self.masks = DropoutMasks(recipe.seed)

    def begin(self, training):
        self.run = training.run

    def after_iteration(self, iteration):
        """The newest checkpoint is that of the iteration before."""
        if iteration:
            after = variables(self.run.directory)
            if self.before is not None:
                self.compare(self.before, after, iteration - 1)
            self.before = after

    def compare(self, before, after, iteration):
        assert (before["global_step"], after["global_step"]) == (iteration, iteration + 1)
        recipe = self.recipe
        pixels, labels = make_batch(self.data.train, recipe, iteration)
        values = {name: value for name, value in before.items() if value.ndim}
        gradients, moments, rate = reference.compute_step(
            recipe, values, pixels, labels, iteration, self.masks.at(iteration)
        )
        for name, gradient in gradients.items():
            weight, new = before[name].astype(np.float64), after[name]
            if recipe.optimizer == "adam":
                self.compare_moments(name, before, after, gradient)
                mean, square = after[f"{name}/Adam"], after[f"{name}/Adam_1"]
                expected = reference.adam(
                    recipe, weight, mean.astype(np.float64), square, rate, iteration
                )
            else:
                expected = weight - rate * gradient
            kind = "update" if recipe.optimizer == "adam" else "gradient"
            self.add_error(kind, new - weight, expected - weight, weight)
            if recipe.average_weights:
                self.compare_average(name, before, after, iteration)
        pace = 1 - min(recipe.moving_decay, (1 + iteration) / (10 + iteration))
        for name, moment in moments.items():
            change = after[name] - before[name].astype(np.float64)
            self.add_error("gradient", change, pace * (moment - before[name]), before[name])
        self.steps += 1

    def compare_moments(self, name, before, after, gradient):
        for slot, decay, term in (
            ("Adam", self.recipe.beta1, gradient),
            ("Adam_1", self.recipe.beta2, gradient**2),
        ):
            old = before[f"{name}/{slot}"].astype(np.float64)
            added = (after[f"{name}/{slot}"] - decay * old) / (1 - decay)
            self.add_error("gradient", added, term, old / (1 - decay))

    def compare_average(self, name, before, after, iteration):
        average = f"{name}/ExponentialMovingAverage"
        old = before[average].astype(np.float64)
        decay = min(self.recipe.moving_decay, (2 + iteration) / (11 + iteration))
        expected = (1 - decay) * (after[name] - old)
        self.add_error("gradient", after[average] - old, expected, old)

    def add_error(self, kind, found, expected, scale):
        """Record the relative error beyond the rounding of float32 values like `scale`."""
        rounding = 4 * np.finfo(np.float32).eps * np.linalg.norm(scale)
        error = max(0.0, float(np.linalg.norm(found - expected)) - rounding)
        self.errors[kind].append(error / max(float(np.linalg.norm(expected)), SMALLEST_NORM))


SMALL = {"batch_size": 8, "hidden": (24,)}
SMALL_CONV3 = {**SMALL, "channels": (4, 8, 12)}
CHANGES = {
    "softmax": {},
    "softmax-sum": {},
    "mlp": {"hidden": (64, 48, 32)},
    "mlp-linear": {"hidden": (64, 48, 32)},
    "mlp5-sigmoid": {"hidden": (50, 40, 30, 20)},
    "mlp5-relu-dropout": {"hidden": (50, 40, 30, 20)},
    "cnn": SMALL,
    "cnn-sgd": {**SMALL, "learning_rate": 1e-3},
    "cnn-fast": SMALL,
    "conv3": SMALL_CONV3,
    "conv3-batchnorm": SMALL_CONV3,
    "mnist-99": {**SMALL, "channels": (4, 8)},
    "cnn5-fast": {"batch_size": 6},
    "cnn-best": {"batch_size": 6},
}
"""The recipes, made narrower where possible to save time."""


@pytest.mark.slow
@pytest.mark.parametrize("model", CHANGES)
def test_every_training_step_equals_numpys(tmp_path, model):
    changes = {"iterations": 60, "seed": 5, "precision": "float32", **CHANGES[model]}
    recipe = recipes[model].override(**changes)
    data = read_data_sets(validation_size=recipe.validation_size)
    few = DataSet(data.test.pixels[:9], data.test.sparse_labels[:9], classes=10)
    hook = CompareSteps(recipe, data)
    train(recipe, data._replace(test=few), tmp_path / "run", save_every=0, hooks=[hook])
    assert hook.steps == recipe.iterations - 2
    assert np.percentile(hook.errors["gradient"], 90) < GRADIENT_90
    assert np.percentile(hook.errors["gradient"], 99) < GRADIENT_99
    assert max(hook.errors["update"], default=0) < UPDATE
