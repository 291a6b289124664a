from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import Classifier, build_graph, recipes, train
from mnist_graph.data.datasets import DataSet
from mnist_graph.graph.layers import BATCH_NORM_EPSILON, batch_normalization

tf1 = tf.compat.v1


class Normalized(NamedTuple):
    """The layer's inputs and outputs, around one update of its moving averages."""

    values: np.ndarray
    in_training: np.ndarray
    averages: dict[str, np.ndarray]
    """All variables after the update, by name."""
    in_evaluation: np.ndarray
    """Of the same values, after the update."""

    @property
    def axes(self):
        """All axes but that of the channels."""
        return tuple(range(self.values.ndim - 1))


@pytest.fixture(scope="module", params=[(50, 6, 5, 3), (50, 3)], ids=["convolution", "dense"])
def normalized(request):
    values = np.random.default_rng(0).normal(3, 2, request.param).astype(np.float32)
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        inputs = tf1.placeholder(tf.float32, [None, *request.param[1:]])
        in_training = batch_normalization(inputs, True, "layer", decay=0.999)
        with tf1.variable_scope("", reuse=True):
            in_evaluation = batch_normalization(inputs, False, "layer", decay=0.999)
        session.run(tf1.global_variables_initializer())
        updates = tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
        assert len(updates) == 2
        outputs, _ = session.run([in_training, updates], {inputs: values})
        averages = {v.op.name: session.run(v) for v in tf1.global_variables()}
        evaluated = session.run(in_evaluation, {inputs: values})
    return Normalized(values, outputs, averages, evaluated)


def test_training_normalizes_each_channel_of_the_batch(normalized):
    outputs = normalized.in_training
    np.testing.assert_allclose(outputs.mean(normalized.axes), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.var(normalized.axes), 1, atol=1e-3)


def test_training_moves_the_averages_towards_the_batch(normalized):
    values, averages, axes = normalized.values, normalized.averages, normalized.axes
    count = values.size / values.shape[-1]
    # At iteration 0 the averages move by 1 - min(0.999, 1 / 10).
    mean, variance = values.mean(axes), values.var(axes) * count / (count - 1)
    np.testing.assert_allclose(averages["layer/moving_mean"], 0.9 * mean, rtol=1e-4)
    np.testing.assert_allclose(averages["layer/moving_variance"], 0.1 + 0.9 * variance, rtol=1e-3)


def test_evaluation_uses_the_averages(normalized):
    values, averages = normalized.values, normalized.averages
    spread = np.sqrt(averages["layer/moving_variance"] + BATCH_NORM_EPSILON)
    expected = (values - averages["layer/moving_mean"]) / spread + averages["layer/offset"]
    np.testing.assert_allclose(normalized.in_evaluation, expected, atol=1e-4)


def test_only_train_step_updates_the_averages_of_every_layer(mnist):
    graph = build_graph(recipes["conv3-batchnorm"])
    feed = {graph.pixels: mnist.train.pixels[:20], graph.labels: mnist.train.labels[:20]}
    with graph.graph.as_default(), tf1.Session(graph=graph.graph) as session:
        moving = {v.op.name: v for v in tf1.global_variables() if "moving" in v.op.name}
        moving = {n: v for n, v in moving.items() if "Adam" not in n}
        assert sum(name.endswith("moving_mean") for name in moving) == 4
        session.run(graph.initialize)
        before = session.run(moving)
        session.run(graph.loss, feed)
        assert all(np.array_equal(v, before[n]) for n, v in session.run(moving).items())
        session.run(graph.train_step, feed)
        after = session.run(moving)
    assert not any(np.array_equal(after[name], before[name]) for name in moving)


@pytest.fixture(scope="module")
def short_run(mnist, tmp_path_factory):
    """A short run of a recipe with batch normalization and averaged weights, and its data."""
    recipe = recipes["conv3-batchnorm"].override(
        channels=(8, 16, 24),
        average_weights=True,
        iterations=60,
        validation_size=5000,
        precision="float32",
    )
    few = DataSet(mnist.test.pixels[:1000], mnist.test.labels[:1000], classes=10)
    data = mnist._replace(test=few)
    return train(recipe, data, runs_dir=tmp_path_factory.mktemp("runs")), data


def test_restored_network_has_the_test_accuracy_of_the_run(short_run):
    run, data = short_run
    with Classifier.restore(run.directory) as classifier:
        predictions = classifier.predict(data.test.pixels).argmax(axis=1)
    accuracy = np.mean(predictions == data.test.labels)
    assert accuracy == run.result.test_accuracy
    assert accuracy > 0.5


def test_use_averages_sets_the_weights_to_their_averages(short_run):
    run, _ = short_run
    graph = build_graph(run.recipe)
    with graph.graph.as_default(), tf1.Session(graph=graph.graph) as session:
        graph.saver.restore(session, run.checkpoint().prefix)
        weights = next(v for v in tf1.trainable_variables() if v.op.name == "output/weights")
        (average,) = (
            v
            for v in tf1.global_variables()
            if v.op.name == "output/weights/ExponentialMovingAverage"
        )
        trained, averaged = session.run([weights, average])
        assert not np.allclose(trained, averaged, atol=1e-4), "the checkpoint has both"
        session.run(graph.use_averages)
        np.testing.assert_array_equal(session.run(weights), averaged)
