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


def events(directory):
    """All events of a run, file by file."""
    return [
        event
        for path in sorted(directory.glob("events.out.tfevents.*"))
        for event in tf1.train.summary_iterator(str(path))
    ]


def scalars(found, tag):
    return {
        event.step: value.simple_value
        for event in found
        for value in event.summary.value
        if value.tag == tag
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory, mnist):
    return train(RECIPE, mnist, tmp_path_factory.mktemp("events") / "run", log_every=10)


def test_the_curves_are_the_history(run):
    found = events(run.directory)
    for what in ("loss", "accuracy"):
        curve = scalars(found, what)
        assert list(curve) == [row.iteration for row in run.history]
        expected = [getattr(row, what) for row in run.history]
        np.testing.assert_allclose(list(curve.values()), expected, rtol=1e-6)
    assert scalars(found, "test_accuracy") == {49: pytest.approx(run.result.test_accuracy)}
    assert 0 < scalars(found, "test_loss")[49] < 3


def test_the_learning_rate_is_the_next_steps(run):
    """Of the recipe's schedule: up to its highest, then down to 0."""
    rates = scalars(events(run.directory), "learning_rate")
    peak = RECIPE.warmup * RECIPE.iterations
    for iteration, rate in rates.items():
        step = iteration + 1
        rising, falling = 0.1 + 0.9 * step / peak, (50 - step) / (50 - peak)
        assert rate == pytest.approx(RECIPE.learning_rate * min(rising, falling), abs=1e-10)


def assert_histograms(directory, step):
    """At the end, of the last weights, of every `step`th of them, and biases."""
    histograms = {
        value.tag: value.histo
        for event in events(directory)
        for value in event.summary.value
        if event.step == 49 and value.HasField("histo")
    }
    last = variables(directory).items()
    values = {n: v.reshape(-1)[::step] for n, v in last if n.endswith("/weights")}
    values |= {n: v for n, v in last if n.endswith("/biases")}
    assert set(histograms) == set(values)
    for name, histogram in histograms.items():
        assert histogram.num == values[name].size
        assert histogram.min == pytest.approx(values[name].min())
        assert histogram.max == pytest.approx(values[name].max())
        assert histogram.sum == pytest.approx(
            values[name].sum(dtype=np.float64), rel=1e-3, abs=1e-3
        )


def test_the_histograms_are_of_every_weight_and_bias(run):
    assert_histograms(run.directory, 1)


def test_the_histograms_of_many_weights_are_of_a_sample(tmp_path, mnist, monkeypatch):
    """Of 7,840 weights every third, so that it is of all ten columns."""
    monkeypatch.setattr(panel_data, "MAX_SAMPLE", 7000)
    train(recipes["softmax"].override(iterations=50), mnist, tmp_path / "run")
    assert_histograms(tmp_path / "run", 3)


def test_the_graph_reads_like_the_network(run):
    (definition,) = [e.graph_def for e in events(run.directory) if e.graph_def]
    graph = tf1.GraphDef.FromString(definition)
    names = {node.name for node in graph.node}
    assert {"dense1/weights", "dense1/biases", "dense1/MatMul", "dense1/Relu"} <= names
    scopes = {name.split("/")[0] for name in names if "/" in name}
    layers = {"dense1", "dense2", "dropout2", "output"}
    assert layers | {"loss", "train", "accuracy", "scale"} <= scopes
    assert not [scope for scope in scopes if scope.endswith(("_1", "_2"))]
    assert not [name for name in names if name.startswith("summaries")]


def test_what_a_stopped_run_had_beyond_its_checkpoint_is_taken_back(tmp_path, mnist):
    with pytest.raises(Stop):
        train(RECIPE, mnist, tmp_path / "run", log_every=10, save_every=0, hooks=[StopAt(25)])
    resume(tmp_path / "run", mnist, log_every=10)
    found = events(tmp_path / "run")
    starts = [e.step for e in found if e.session_log.status == tf1.SessionLog.START]
    assert starts == [0, 26]
    assert list(scalars(found, "loss")) == [0, 10, 20, 30, 40, 49]
