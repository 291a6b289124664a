"""Images in colour have three channels from the placeholders to the step of the optimizer."""

import numpy as np
import pytest
import tensorflow as tf
from photos import crops

from mnist_graph import build_graph, recipes
from mnist_graph.errors import UsageError
from mnist_graph.graph.layers import decayed_weights
from mnist_graph.graph.multistep import add_multistep

tf1 = tf.compat.v1
SHAPE, CLASSES, BATCH = (16, 16, 3), 3, 6


@pytest.fixture(scope="module")
def batches():
    """Two batches of photographs, with labels."""
    return crops("flower", 2 * BATCH, size=16), np.arange(2 * BATCH, dtype=np.int32) % CLASSES


def tiny(name):
    # In float32 and without strides, the two ways to take steps give the same bits everywhere.
    small = {"hidden": (8,)} if recipes[name].hidden else {}
    return recipes[name].override(batch_size=BATCH, precision="float32", **small)


def test_the_placeholders_have_the_shape_of_the_images():
    graph = build_graph(recipes["mlp"], SHAPE, CLASSES)
    assert graph.pixels.shape.as_list() == [None, *SHAPE]
    assert graph.images.shape.as_list() == [None, 16 * 16 * 3]
    grey = build_graph(recipes["mlp"], SHAPE[:2], CLASSES)
    assert grey.pixels.shape.as_list() == [None, 16, 16]


@pytest.mark.parametrize("shape", [(28,), (28, 28, 1), (28, 28, 4), (8, 8, 3, 3), 28, None])
def test_other_shapes_are_refused(shape):
    said = r"^image_shape must be \(height, width\) or \(height, width, 3\), not "
    with pytest.raises(UsageError, match=said):
        build_graph(recipes["mlp"], shape)


@pytest.mark.parametrize(
    "name", ["softmax", "cifar10", pytest.param("colour-fast", marks=pytest.mark.slow)]
)
def test_several_steps_per_call_give_the_bits_of_the_plain_step(batches, name):
    pixels, labels = batches
    recipe, found = tiny(name), []
    for several in (False, True):
        graph = build_graph(recipe, SHAPE, CLASSES)
        steps = add_multistep(graph, recipe)
        with tf1.Session(graph=graph.graph) as session, graph.graph.as_default():
            session.run(graph.initialize)
            if several:
                feed = {steps.pixels: pixels, steps.labels: labels, steps.steps: 2}
                session.run(steps.losses, {**feed, steps.keep_prob: recipe.fed_keep_prob})
            else:
                for rows in (slice(BATCH), slice(BATCH, None)):
                    feed = {graph.pixels: pixels[rows], graph.labels: labels[rows]}
                    session.run(graph.train_step, {**feed, graph.keep_prob: recipe.fed_keep_prob})
            found.append(session.run(tf1.trainable_variables()))
    for plain, several in zip(*found, strict=True):
        # TensorFlow rounds convolutions of cifar10 differently on some processors.
        np.testing.assert_allclose(several, plain, rtol=0, atol=1e-6 * (name == "cifar10"))


def test_weight_decay_pulls_the_hidden_dense_weights_to_zero(batches):
    """With gradient descent, by rate times decay times the weight more than without."""
    pixels, labels = (part[:BATCH] for part in batches)
    after = []
    for decay in (0.0, 0.25):
        recipe = tiny("cnn").override(
            optimizer="gradient-descent", learning_rate=0.1, weight_decay=decay
        )
        graph = build_graph(recipe, SHAPE, CLASSES)
        with tf1.Session(graph=graph.graph) as session, graph.graph.as_default():
            session.run(graph.initialize)
            names = {v.op.name for v in decayed_weights()}
            before = {v.op.name: session.run(v) for v in tf1.trainable_variables()}
            feed = {graph.pixels: pixels, graph.labels: labels}
            loss = session.run(graph.loss, feed)
            session.run(graph.train_step, feed)
            after.append((loss, {v.op.name: session.run(v) for v in tf1.trainable_variables()}))
    assert names == {"dense1/weights"}
    (loss, plain), (other_loss, decayed) = after
    assert loss == other_loss  # what is printed is the cross-entropy alone
    for name, value in before.items():
        expected = plain[name] - (0.1 * 0.25 * value if name in names else 0)
        np.testing.assert_allclose(decayed[name], expected, rtol=1e-4, atol=1e-6)


def test_standardized_images_have_mean_0_and_variance_1(batches):
    graph = build_graph(recipes["cifar10"], SHAPE, CLASSES)
    (output,) = graph.graph.get_operation_by_name("standardize/truediv").outputs
    plain = np.full((1, *SHAPE), 77, np.uint8)
    with tf1.Session(graph=graph.graph) as session:
        values = session.run(output, {graph.pixels: np.concatenate([batches[0], plain])})
    np.testing.assert_allclose(values[:-1].mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(values[:-1].std(axis=(1, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(values[-1], 0, atol=1e-4)
