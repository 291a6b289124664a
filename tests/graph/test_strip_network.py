"""The graph of the recipe `reader`: strips of any width, one step per session call."""

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph import build_graph, recipes
from mnist_graph.data.batches import strip_batches
from mnist_graph.errors import UsageError
from mnist_graph.graph.build import build_network
from mnist_graph.graph.multistep import add_multistep
from mnist_graph.graph.sessions import choose_device, open_session

tf1 = tf.compat.v1
TINY = recipes["reader"].override(
    channels=(4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12), batch_size=4, precision="float32"
)


@pytest.fixture(scope="module")
def strips(mnist):
    """Three batches of strips of several widths."""
    ranges = [range(n, n + 1) for n in range(3)]
    return [batch for _, batch in strip_batches(mnist, TINY, ranges)]


def train(graph, step, batches, feeds):
    device, _ = choose_device(TINY, "cpu")
    with open_session(graph.graph, device, TINY.network) as session:
        session.run(graph.initialize)
        for pixels, labels in batches:
            values = dict(zip(feeds, (pixels, labels, TINY.fed_keep_prob), strict=True))
            session.run(step, values)
        with graph.graph.as_default():
            names = {v.op.name: v for v in tf1.global_variables()}
        return session.run(names)


@pytest.mark.slow
def test_every_step_of_the_loop_is_the_plain_train_step(strips):
    graph = build_graph(TINY)
    plain = train(graph, graph.train_step, strips, [graph.pixels, graph.labels, graph.keep_prob])
    graph = build_graph(TINY)
    steps = add_multistep(graph, TINY)
    looped = train(graph, steps.losses, strips, [steps.pixels, steps.labels, steps.keep_prob])
    assert plain["global_step"] == len(strips)
    assert [n for n in plain if plain[n].tobytes() != looped[n].tobytes()] == []


def test_a_strip_has_a_column_for_every_four_pixels():
    network = build_network(TINY.override(temperature=2.0))
    with tf1.Session(graph=network.graph) as session:
        with network.graph.as_default():
            session.run(tf1.global_variables_initializer())
        for width in (32, 96):
            fed = {network.pixels: np.zeros((2, 32, width), np.uint8)}
            logits, probabilities = session.run([network.logits, network.probabilities], fed)
            assert logits.shape == (2, width // 4, 11)
            exponents = np.exp(logits / 2)
            softmax = exponents / exponents.sum(axis=2, keepdims=True)
            np.testing.assert_allclose(probabilities, softmax, rtol=1e-4)


def test_accuracy_counts_strips_that_are_read_whole_and_right(strips):
    network = build_network(TINY)
    pixels, _ = strips[0]
    with tf1.Session(graph=network.graph) as session:
        with network.graph.as_default():
            session.run(tf1.global_variables_initializer())
        read = session.run(network.predictions, {network.pixels: pixels})
        mixed = np.concatenate([read[:1], np.full_like(read[1:], 3)])
        fed = {network.pixels: pixels, network.labels: mixed}
        accuracy, correct = session.run([network.accuracy, network.correct], fed)
    assert (accuracy, correct) == (0.25, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label_smoothing": 0.1}, "reader has no label_smoothing to set"),
        ({"hidden": (10,)}, "reader has no hidden to set"),
        ({"filter_sizes": (3,)}, "reader has no filter_sizes to set"),
        ({"augmentation": recipes["cnn-best"].augmentation}, "reader has no augmentation to set"),
        ({"channels": (4, 4)}, "channels must be 11 numbers"),
    ],
)
def test_what_has_no_effect_on_strips_is_refused(changes, said):
    with pytest.raises(UsageError, match=f"^{said}"):
        recipes["reader"].override(**changes)


def test_a_distortion_cannot_be_set_for_strips():
    with pytest.raises(UsageError, match="reader has no augmentation to set"):
        recipes["reader"].parse({"augmentation.rotation": "5"})
