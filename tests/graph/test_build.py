import functools

import numpy as np
import pytest
import tensorflow as tf
from helpers import CLASSICS, IMAGE_MODELS

from mnist_graph import build_graph, recipes
from mnist_graph.errors import UsageError

tf1 = tf.compat.v1
TENSORS = (
    "pixels",
    "images",
    "labels",
    "class_numbers",
    "keep_prob",
    "logits",
    "probabilities",
    "predictions",
    "loss",
    "accuracy",
    "correct",
    "learning_rate",
)


@functools.cache
def build_once(name):
    """Build the graph of a recipe for several tests."""
    return build_graph(recipes[name])


@pytest.fixture
def opened():
    """Return a function that builds a recipe's graph and opens an initialized session."""
    sessions = []

    def build(recipe):
        graph = build_once(recipe.model) if recipe in recipes.values() else build_graph(recipe)
        session = tf1.Session(graph=graph.graph)
        session.run(graph.initialize)
        sessions.append(session)
        return graph, session

    yield build
    for session in sessions:
        session.close()


@pytest.fixture
def batch(mnist):
    return mnist.train.pixels[:32], mnist.train.sparse_labels[:32].astype(np.int32)


def feed(graph, batch, **others):
    values = {graph.pixels: batch[0], graph.labels: batch[1]}
    return values | {getattr(graph, name): value for name, value in others.items()}


def trainable_variables(graph):
    with graph.graph.as_default():
        return {variable.op.name: variable for variable in tf1.trainable_variables()}


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_tensors_have_the_names_of_their_fields(name):
    graph = build_once(name)
    for tensor in TENSORS:
        assert graph.graph.get_tensor_by_name(f"{tensor}:0") is getattr(graph, tensor)
    assert graph.graph.get_operation_by_name("train_step") is graph.train_step


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_train_step_changes_every_trainable_variable(opened, batch, name):
    graph, session = opened(recipes[name])
    variables = trainable_variables(graph)
    before = session.run(variables)
    session.run(graph.train_step, feed(graph, batch))
    after = session.run(variables)
    unchanged = [v for v in variables if np.array_equal(before[v], after[v])]
    assert unchanged == []


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_gradients_reach_every_trainable_variable(batch, name):
    graph = build_once(name)
    variables = trainable_variables(graph)
    with graph.graph.as_default(), tf1.Session() as session:
        gradients = tf1.gradients(graph.loss, list(variables.values()))
        session.run(graph.initialize)
        values = session.run(gradients, feed(graph, batch))
    for variable, value in zip(variables, values, strict=True):
        assert np.isfinite(value).all(), variable
        assert np.count_nonzero(value) > 0, variable


def test_gradient_descent_subtracts_the_rate_times_the_gradient(opened, batch):
    graph, session = opened(recipes["softmax"])
    session.run(graph.train_step, feed(graph, batch))
    after = session.run(trainable_variables(graph))
    images = batch[0].reshape(32, 784) / 255
    errors = 0.1 - np.eye(10)[batch[1]]  # with weights of 0 every class has a probability of 0.1
    change = -0.5 * images.T @ errors / 32
    np.testing.assert_allclose(after["output/weights"], change, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after["output/biases"], -0.5 * errors.mean(axis=0), rtol=1e-4)


def test_first_step_of_adam_is_as_long_as_the_rate(opened, batch):
    graph, session = opened(recipes["mlp"])
    *_, bias = trainable_variables(graph).values()
    before = session.run(bias)
    session.run(graph.train_step, feed(graph, batch))
    np.testing.assert_allclose(abs(session.run(bias) - before), 1e-4, rtol=0.01)


@pytest.mark.parametrize("name", CLASSICS)
def test_training_on_one_batch_lowers_its_loss(opened, batch, name):
    graph, session = opened(recipes[name])
    fed = feed(graph, batch)
    before = session.run(graph.loss, fed)
    for _ in range(10):
        session.run(graph.train_step, fed)
    assert session.run(graph.loss, fed) < 0.8 * before
    assert session.run(graph.global_step) == 10


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_keep_prob_is_1_by_default(opened, batch, name):
    graph, session = opened(recipes[name])
    unfed = session.run(graph.logits, feed(graph, batch))
    ones = session.run(graph.logits, feed(graph, batch, keep_prob=1))
    halves = session.run(graph.logits, feed(graph, batch, keep_prob=0.5))
    np.testing.assert_array_equal(unfed, ones)
    assert not np.array_equal(unfed, halves)


def test_dropout_changes_only_with_the_iteration(opened, batch):
    graph, session = opened(recipes["mlp"])
    fed = feed(graph, batch, keep_prob=0.5)
    first = session.run(graph.logits, fed)
    np.testing.assert_array_equal(session.run(graph.logits, fed), first)
    with graph.graph.as_default():
        session.run(graph.global_step.assign_add(1))
    assert not np.array_equal(session.run(graph.logits, fed), first)


@pytest.mark.parametrize("name", CLASSICS)
def test_images_can_be_fed_instead_of_pixels(opened, batch, name):
    graph, session = opened(recipes[name])
    session.run(graph.train_step, feed(graph, batch))
    floats = np.float32(batch[0].reshape(32, 784)) / np.float32(255)
    np.testing.assert_allclose(
        session.run(graph.logits, {graph.images: floats}),
        session.run(graph.logits, {graph.pixels: batch[0]}),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_initial_weights_depend_on_the_seed(opened, name):
    def initial_weights(seed):
        graph, session = opened(recipes[name].override(seed=seed))
        return session.run({n: v for n, v in trainable_variables(graph).items() if "weights" in n})

    first, again, other = (initial_weights(seed) for seed in (0, 0, 1))
    for variable, value in first.items():
        np.testing.assert_array_equal(again[variable], value)
        assert not np.array_equal(other[variable], value), variable


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss_and_accuracy_equal_numpys(opened, batch, reduction):
    graph, session = opened(recipes["mlp"].override(loss=reduction))
    logits, loss, accuracy, correct = session.run(
        [graph.logits, graph.loss, graph.accuracy, graph.correct], feed(graph, batch)
    )
    logits = logits.astype(np.float64)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(32), batch[1]]
    assert loss == pytest.approx(getattr(losses, reduction)(), rel=1e-5)
    hits = logits.argmax(axis=1) == batch[1]
    assert (accuracy, correct) == (pytest.approx(hits.mean()), hits.sum())


def test_loss_is_finite_where_the_log_of_a_softmax_is_not(opened, batch):
    graph, session = opened(recipes["softmax"])
    w = trainable_variables(graph)["output/weights"]
    large = np.random.default_rng(0).normal(0, 100, w.shape).astype(np.float32)
    with graph.graph.as_default():
        session.run(w.initializer, {w.initial_value: large})
        one_hot = tf.one_hot(graph.labels, 10)
        # As in old listings.
        naive_loss = tf.reduce_mean(-tf.reduce_sum(one_hot * tf1.log(graph.probabilities), axis=1))
        naive_gradient = tf1.gradients(naive_loss, w)[0]
    loss, naive_loss, naive_gradient = session.run(
        [graph.loss, naive_loss, naive_gradient], feed(graph, batch)
    )
    assert not np.isfinite(naive_loss)
    assert np.isnan(naive_gradient).any()
    assert np.isfinite(loss)
    session.run(graph.train_step, feed(graph, batch))
    assert np.isfinite(session.run(w)).all()


def test_one_hot_labels_train_as_class_numbers_do(opened, mnist):
    images = mnist.train.pixels[:32]
    numbers = mnist.train.sparse_labels[:32]
    trained = []
    for labels in (numbers, np.eye(10)[numbers], np.eye(10, dtype=int)[numbers]):
        graph, session = opened(recipes["softmax"])
        fetches = [graph.loss, graph.accuracy, graph.correct, graph.class_numbers]
        fed = feed(graph, (images, labels))
        session.run(graph.train_step, fed)
        trained.append([*session.run(fetches, fed), session.run(trainable_variables(graph))])
    for loss, accuracy, correct, given, variables in trained:
        assert (loss, accuracy, correct) == tuple(trained[0][:3])
        np.testing.assert_array_equal(given, numbers)
        for name, value in variables.items():
            np.testing.assert_array_equal(value, trained[0][4][name])


ONE_HOT = np.eye(10)[[3, 1, 4]]
NO_LABELS = {
    "soft": 0.9 * ONE_HOT + 0.01,
    "two classes": ONE_HOT + ONE_HOT[::-1],
    "no class": ONE_HOT * 0,
    "too narrow": ONE_HOT[:, :9],
    "a column": np.array([[3], [1], [4]]),
    "too many dimensions": ONE_HOT[None],
    "one number": 3,
}


@pytest.mark.parametrize("fault", NO_LABELS)
def test_labels_of_another_form_are_refused(opened, mnist, fault):
    graph, session = opened(recipes["softmax"])
    fed = feed(graph, (mnist.train.pixels[:3], NO_LABELS[fault]))
    for fetch in (graph.train_step, graph.accuracy):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"class.numbers"):
            session.run(fetch, fed)


@pytest.mark.parametrize("label", [10, -1])
def test_class_numbers_out_of_range_are_refused_in_training(opened, mnist, label):
    graph, session = opened(recipes["softmax"])
    fed = feed(graph, (mnist.train.pixels[:3], [1, label, 2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="outside the valid range"):
        session.run(graph.train_step, fed)


def test_build_graph_leaves_the_default_graph_alone():
    before = tf1.get_default_graph()
    graph = build_graph(recipes["mlp"])
    assert graph.graph is not before
    assert tf1.get_default_graph() is before
    assert before.get_operations() == []
    assert tf.executing_eagerly()


def test_temperature_changes_only_the_probabilities(opened, batch):
    fetched = []
    for temperature in (1.0, 0.5):
        recipe = recipes["softmax"].override(temperature=temperature, weights="he")
        graph, session = opened(recipe)
        fetches = [graph.logits, graph.loss, graph.probabilities]
        fetched.append(session.run(fetches, feed(graph, batch)))
    (logits, loss, plain), (same_logits, same_loss, sharper) = fetched
    np.testing.assert_array_equal(logits, same_logits)
    assert loss == same_loss
    np.testing.assert_allclose(sharper, plain**2 / (plain**2).sum(1, keepdims=True), rtol=1e-4)


WRONG_ARGUMENTS = {
    "a name": (("mlp",), "recipe must be a Recipe such as recipes"),
    "one side": ((recipes["mlp"], 28), "image_shape must be .* or .height, width, 3., not 28"),
    "channels": ((recipes["mlp"], (28, 28, 1)), "image_shape must be .height, width. or .*, not "),
    "no height": ((recipes["mlp"], (0, 28)), "image_shape must be at least 1, not 0"),
    "half a pixel": ((recipes["mlp"], (2.5, 28)), "image_shape must be a whole number, not 2.5"),
    "no classes": ((recipes["mlp"], (28, 28), 0), "classes must be at least 1, not 0"),
    "classes in words": ((recipes["mlp"], (28, 28), "ten"), "classes must be a whole number"),
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_arguments_of_other_types_are_refused(name):
    arguments, message = WRONG_ARGUMENTS[name]
    with pytest.raises(UsageError, match=message):
        build_graph(*arguments)


def test_arrays_and_tensors_are_taken_as_numbers():
    graph = build_graph(recipes["softmax"], np.array([20, 30]), tf.constant(5))
    assert graph.pixels.shape.as_list() == [None, 20, 30]
    assert graph.logits.shape.as_list() == [None, 5]
