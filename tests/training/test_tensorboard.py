"""What TensorBoard finds in a run directory."""

import numpy as np
import pytest
import tensorflow as tf
from helpers import StopAt, variables

from mnist_graph import recipes, resume, train
from mnist_graph.training import panel_data
from mnist_graph.training.hooks import Stop

tf1 = tf.compat.v1
RECIPE = recipes["mlp"].override(hidden=(30, 20), iterations=50, schedule="one-cycle")


def read_events(directory):
    """Return all events of a run, file by file."""
    return [
        event
        for path in sorted(directory.glob("events.out.tfevents.*"))
        for event in tf1.train.summary_iterator(str(path))
    ]


def summaries(events, plugin):
    """Return (iteration, tag, array) of each summary that the plugin, by its name, shows."""
    return [
        (event.step, value.tag, tf.make_ndarray(value.tensor))
        for event in events
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == plugin
    ]


def curve(events, tag):
    """Return the scalars of a tag by iteration."""
    scalars = summaries(events, "scalars")
    return {iteration: float(value) for iteration, name, value in scalars if name == tag}


@pytest.fixture(scope="module")
def run(tmp_path_factory, mnist):
    return train(RECIPE, mnist, tmp_path_factory.mktemp("events") / "run", log_every=10)


def test_curves_equal_the_history(run):
    events = read_events(run.directory)
    for name in ("loss", "accuracy"):
        found = curve(events, name)
        assert list(found) == [metrics.iteration for metrics in run.history]
        expected = [getattr(metrics, name) for metrics in run.history]
        np.testing.assert_allclose(list(found.values()), expected, rtol=1e-6)
    assert curve(events, "test_accuracy") == {49: pytest.approx(run.result.test_accuracy)}
    assert 0 < curve(events, "test_loss")[49] < 3


def test_learning_rate_is_that_of_the_next_step(run):
    rates = curve(read_events(run.directory), "learning_rate")
    assert list(rates) == [metrics.iteration for metrics in run.history]
    peak = RECIPE.warmup * RECIPE.iterations
    for iteration, rate in rates.items():
        step = iteration + 1
        rising, falling = 0.1 + 0.9 * step / peak, (50 - step) / (50 - peak)
        assert rate == pytest.approx(RECIPE.learning_rate * min(rising, falling), abs=1e-10)


def assert_last_histograms(directory, step):
    """The last histograms are of every `step`th of the final weights and of all biases."""
    found = summaries(read_events(directory), "histograms")
    histograms = {name: buckets for iteration, name, buckets in found if iteration == 49}
    last = variables(directory).items()
    values = {n: v.reshape(-1)[::step] for n, v in last if n.endswith("/weights")}
    values |= {n: v for n, v in last if n.endswith("/biases")}
    assert set(histograms) == set(values)
    for name, buckets in histograms.items():
        assert buckets.shape == (30, 3)
        left, right, count = buckets.T
        assert count.sum() == values[name].size
        assert left[0] == pytest.approx(values[name].min())
        assert right[-1] == pytest.approx(values[name].max())
        mean = np.average((left + right) / 2, weights=count)
        assert mean == pytest.approx(values[name].mean(), abs=0.51 * (right[0] - left[0]))


def test_histograms_are_of_all_weights_and_biases(run):
    assert_last_histograms(run.directory, 1)


def test_histograms_of_many_weights_are_of_a_sample(tmp_path, mnist, monkeypatch):
    """Of 7,840 weights every third, which includes all ten columns."""
    monkeypatch.setattr(panel_data, "MAX_SAMPLE", 7000)
    train(recipes["softmax"].override(iterations=50), mnist, tmp_path / "run")
    assert_last_histograms(tmp_path / "run", 3)


def test_graph_has_the_scopes_of_the_network(run):
    (definition,) = [event.graph_def for event in read_events(run.directory) if event.graph_def]
    graph = tf1.GraphDef.FromString(definition)
    names = {node.name for node in graph.node}
    assert {"dense1/weights", "dense1/biases", "dense1/MatMul", "dense1/Relu"} <= names
    scopes = {name.split("/")[0] for name in names if "/" in name}
    layers = {"dense1", "dense2", "dropout2", "output"}
    assert layers | {"loss", "train", "accuracy", "scale"} <= scopes
    assert not [scope for scope in scopes if scope.endswith(("_1", "_2"))]


def test_graph_has_no_summary_operations(run):
    (definition,) = [event.graph_def for event in read_events(run.directory) if event.graph_def]
    graph = tf1.GraphDef.FromString(definition)
    assert not [node.name for node in graph.node if "summar" in (node.op + node.name).lower()]


def test_resumed_run_discards_what_follows_its_checkpoint(tmp_path, mnist):
    with pytest.raises(Stop):
        train(RECIPE, mnist, tmp_path / "run", log_every=10, save_every=0, hooks=[StopAt(25)])
    resume(tmp_path / "run", mnist, log_every=10)
    events = read_events(tmp_path / "run")
    starts = [e.step for e in events if e.session_log.status == tf1.SessionLog.START]
    assert starts == [0, 26]
    assert list(curve(events, "loss")) == [0, 10, 20, 30, 40, 49]
