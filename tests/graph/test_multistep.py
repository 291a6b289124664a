"""Several steps per session call against the plain train_step: the same bits."""

import numpy as np
import pytest
import tensorflow as tf
from helpers import IMAGE_MODELS, run_python

from mnist_graph import build_graph, recipes
from mnist_graph.data.batches import make_batch
from mnist_graph.data.scaling import scale
from mnist_graph.graph.multistep import add_multistep
from mnist_graph.graph.sessions import choose_device, open_session

tf1 = tf.compat.v1
STEPS = 5


def train_plainly(recipe, batches):
    """Train with one session call per step, fed with images, as the tutorials do."""
    graph = build_graph(recipe)
    device, _ = choose_device(recipe.override(precision="float32"), "cpu")
    with open_session(graph.graph, device, recipe.network) as session:
        session.run(graph.initialize)
        for pixels, labels in batches:
            images = scale(pixels.reshape(len(pixels), -1).astype(np.float32))
            feed = {graph.images: images, graph.labels: labels}
            session.run(graph.train_step, {**feed, graph.keep_prob: recipe.fed_keep_prob})
        return session.run(all_variables(graph))


def train_in_one_call(recipe, batches):
    graph = build_graph(recipe)
    steps = add_multistep(graph, recipe)
    device, _ = choose_device(recipe.override(precision="float32"), "cpu")
    pixels, labels = (np.concatenate(part) for part in zip(*batches, strict=True))
    with open_session(graph.graph, device, recipe.network) as session:
        session.run(graph.initialize)
        feed = {steps.pixels: pixels, steps.labels: labels, steps.steps: len(batches)}
        losses = session.run(steps.losses, {**feed, steps.keep_prob: recipe.fed_keep_prob})
        assert losses.shape == (len(batches),)
        return session.run(all_variables(graph))


def all_variables(graph):
    with graph.graph.as_default():
        return {variable.op.name: variable for variable in tf1.global_variables()}


QUICK = {
    "bfloat16": ("mlp", "mnist-99"),
    "float32": ("softmax", "mlp", "cnn", "mlp5-relu-dropout", "conv3", "mnist-99"),
}
"""The recipes of the default run; the others are slow."""
ROUNDED = ("conv2", "conv3", "cifar10")
"""The networks with strided convolutions, or with an overlapping pool after one: oneDNN sums them
in another order in the loop. They take two steps, for rounding soon switches a ReLU."""
ATOL = {"float32": 1e-5, "bfloat16": 0.02}
"""How far their weights may be apart then. Adam makes full steps of gradients that are only
rounding errors, so in bfloat16 the difference is up to two steps."""


@pytest.mark.parametrize(
    ("precision", "name"),
    [
        pytest.param(precision, name, marks=[] if name in QUICK[precision] else pytest.mark.slow)
        for precision in QUICK
        for name in IMAGE_MODELS
    ],
)
def test_multistep_trains_the_same_bits_as_train_step(mnist, precision, name):
    recipe = recipes[name].override(precision=precision, batch_size=20)
    steps = 2 if recipe.network in ROUNDED else STEPS
    batches = [make_batch(mnist.train, recipe, iteration) for iteration in range(steps)]
    plain, multistep = train_plainly(recipe, batches), train_in_one_call(recipe, batches)
    assert plain.keys() == multistep.keys()
    assert plain["global_step"] == steps
    if recipe.network in ROUNDED:
        for variable, value in plain.items():
            np.testing.assert_allclose(multistep[variable], value, rtol=0, atol=ATOL[precision])
        return
    different = [name for name in plain if plain[name].tobytes() != multistep[name].tobytes()]
    assert different == []


FIRST_LOSSES = """
import numpy as np
import tensorflow.compat.v1 as tf
from mnist_graph import build_graph, recipes
from mnist_graph.graph.multistep import add_multistep
if {disabled}:
    tf.disable_v2_behavior()
pixels = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
for name in ("softmax", "mnist-99", "conv3-batchnorm"):
    recipe = recipes[name].override(batch_size=10)
    graph = build_graph(recipe)
    steps = add_multistep(graph, recipe)
    with tf.Session(graph=graph.graph) as session:
        session.run(graph.initialize)
        fed = {{graph.pixels: pixels, graph.labels: np.arange(40) % 10, steps.steps: 4}}
        print(session.run(steps.losses, fed))
"""


@pytest.mark.slow
def test_multistep_is_the_same_after_disable_v2_behavior():
    plain, disabled = (
        run_python(FIRST_LOSSES.format(disabled=disabled)).out for disabled in (False, True)
    )
    assert plain.count("[") == 3
    assert disabled == plain
