import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import Classifier, build_graph, recipes, train
from mnist_graph.data.datasets import DataSet
from mnist_graph.graph.layers import BATCH_NORM_EPSILON, batch_normalization

tf1 = tf.compat.v1


@pytest.fixture(scope="module", params=[(50, 6, 5, 3), (50, 3)], ids=["convolution", "dense"])
def normalised(request):
    """Values, what they become in training, the averages then, and what they become judged."""
    values = np.random.default_rng(0).normal(3, 2, request.param).astype(np.float32)
    with tf.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        inputs = tf1.placeholder(tf.float32, [None, *request.param[1:]])
        in_training = batch_normalization(inputs, True, "layer", decay=0.999)
        with tf1.variable_scope("", reuse=True):
            once_trained = batch_normalization(inputs, False, "layer", decay=0.999)
        session.run(tf1.global_variables_initializer())
        updates = tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
        assert len(updates) == 2
        trained, _ = session.run([in_training, updates], {inputs: values})
        averages = {v.op.name: session.run(v) for v in tf1.global_variables()}
        judged = session.run(once_trained, {inputs: values})
    return values, trained, averages, judged


def test_in_training_each_channel_has_mean_0_and_variance_1(normalised):
    values, trained, _, _ = normalised
    axes = tuple(range(values.ndim - 1))
    np.testing.assert_allclose(trained.mean(axes), 0, atol=1e-4)
    np.testing.assert_allclose(trained.var(axes), 1, atol=1e-3)


def test_the_averages_move_towards_the_batch(normalised):
    values, _, averages, _ = normalised
    axes = tuple(range(values.ndim - 1))
    count = values.size / values.shape[-1]
    # At iteration 0 the averages move by 1 - min(0.999, 1 / 10).
    mean, variance = values.mean(axes), values.var(axes) * count / (count - 1)
    np.testing.assert_allclose(averages["layer/moving_mean"], 0.9 * mean, rtol=1e-4)
    np.testing.assert_allclose(averages["layer/moving_variance"], 0.1 + 0.9 * variance, rtol=1e-3)


def test_it_is_judged_by_the_averages(normalised):
    values, _, averages, judged = normalised
    spread = np.sqrt(averages["layer/moving_variance"] + BATCH_NORM_EPSILON)
    expected = (values - averages["layer/moving_mean"]) / spread + averages["layer/offset"]
    np.testing.assert_allclose(judged, expected, atol=1e-4)


def test_a_train_step_moves_the_averages_of_every_layer(mnist):
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
    """A network with batch normalisation and averaged weights, after a few iterations."""
    recipe = recipes["cnn-best"].override(iterations=40, validation_size=5000, precision="float32")
    few = DataSet(mnist.test.pixels[:1000], mnist.test.labels[:1000], classes=10)
    data = mnist._replace(test=few)
    return train(recipe, data, runs_dir=tmp_path_factory.mktemp("runs")), data


def test_the_restored_network_is_judged_as_the_trained_one_was(short_run):
    run, data = short_run
    with Classifier.restore(run.directory) as classifier:
        guesses = classifier.predict(data.test.pixels).argmax(axis=1)
    accuracy = np.mean(guesses == data.test.labels)
    assert accuracy == run.result.test_accuracy
    assert accuracy > 0.5


def test_the_network_is_judged_with_the_averages_of_its_weights(short_run):
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
        assert not np.allclose(trained, averaged, atol=1e-4), "the checkpoint keeps both"
        session.run(graph.use_averages)
        np.testing.assert_array_equal(session.run(weights), averaged)
