from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from helpers import CLASSICS, printed, run_python, same_variables, variables

from mnist_graph import (
    Classifier,
    MnistGraphError,
    build_graph,
    read_data_sets,
    recipes,
    resume,
    train,
)
from mnist_graph.data.datasets import DataSet, batch_indices
from mnist_graph.errors import UsageError
from mnist_graph.graph.sessions import choose_device, open_session
from mnist_graph.runs.batches import BATCH
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import restore
from mnist_graph.runs.run import Metrics
from mnist_graph.training.hooks import Hook, Stop

tf1 = tf.compat.v1
SHORT = recipes["mlp"].override(iterations=30, hidden=(64, 32), batch_size=50)


class Recorder(Hook):
    """Records the loop's calls; stops training after iteration `last`."""

    def __init__(self, last=None):
        self.last, self.calls, self.evaluations = last, [], []

    def begin(self, training):
        self.calls.append(f"begin {training.iteration}")

    def evaluated(self, metrics):
        self.evaluations.append(metrics)

    def after_iteration(self, iteration):
        self.calls.append(iteration)
        if iteration == self.last:
            raise Stop

    def end(self):
        self.calls.append("end")


@pytest.fixture
def step_by_step(monkeypatch):
    """Take one step per session call, so that hooks are called after every iteration."""
    monkeypatch.setattr("mnist_graph.training.pace.MAX_CALL_SECONDS", 0)


@pytest.fixture
def short(tmp_path, mnist):
    """Return a function that trains a short recipe in the run directory of the given name."""

    def run(name, recipe=SHORT, data=mnist, **options):
        return train(recipe, data, tmp_path / name, **options)

    return run


# What is learned.


@pytest.mark.parametrize(("model", "least"), [("softmax", 0.90), ("mlp", 0.92), ("cnn", 0.95)])
def test_short_run_reaches_its_accuracy(trained, model, least):
    assert load_run(trained(model).directory).result.test_accuracy >= least


@pytest.mark.parametrize("model", CLASSICS)
def test_printed_loss_falls_and_accuracy_rises(trained, model):
    lines = [(float(loss), float(acc)) for _, loss, acc in printed(trained(model).outcome.out)]
    losses, accuracies = np.array(lines).T
    assert losses[-3:].mean() < 0.5 * losses[0]
    assert accuracies[-3:].mean() > accuracies[0] + 0.3


def test_train_equals_the_plain_loop_of_the_tutorials(tmp_path, mnist):
    recipe = recipes["mlp"].override(iterations=30, seed=4)
    run = train(recipe, mnist, tmp_path / "run", log_every=10)
    history, weights = train_plainly(recipe, log_every=10)
    assert run.history == history
    trained = variables(run.directory)
    assert {name: value.tobytes() for name, value in trained.items()} == {
        name: value.tobytes() for name, value in weights.items()
    }


def train_plainly(recipe, log_every):
    """Train as the tutorials do; return the evaluations and all variables by name."""
    data = read_data_sets(seed=recipe.seed)
    device, recipe = choose_device(recipe)
    graph = build_graph(recipe)
    history = []
    with open_session(graph.graph, device, recipe.network) as session:
        session.run(graph.initialize)
        for iteration in range(recipe.iterations):
            images, labels = data.train.next_batch(recipe.batch_size)
            feed = {graph.images: images, graph.labels: labels}
            session.run(graph.train_step, {**feed, graph.keep_prob: recipe.keep_prob})
            if iteration % log_every == 0 or iteration == recipe.iterations - 1:
                loss, accuracy = session.run([graph.loss, graph.accuracy], feed)
                history.append(Metrics(iteration, float(f"{loss:.6g}"), float(f"{accuracy:.6g}")))
        with graph.graph.as_default():
            weights = {variable.op.name: variable for variable in tf1.global_variables()}
        return history, session.run(weights)


def test_test_accuracy_is_that_of_the_predictions(trained, mnist):
    run = load_run(trained("mlp").directory)
    with Classifier(run, precision=run.recipe.precision) as classifier:
        predictions = classifier.predict(mnist.test.images).argmax(axis=1)
    assert run.result.test_accuracy == (predictions == mnist.test.labels).mean()


def test_same_seed_gives_the_same_evaluations_and_bits(short):
    recorders = [Recorder() for _ in range(2)]
    one, two = (short(f"{n}", hooks=[r], log_every=10) for n, r in enumerate(recorders))
    assert recorders[0].evaluations == recorders[1].evaluations
    assert same_variables(one.directory, two.directory)


def test_another_seed_gives_another_run(short):
    one, two = short("0"), short("1", SHORT.override(seed=1))
    assert one.history != two.history
    assert not same_variables(one.directory, two.directory)


def test_dropout_changes_what_is_learned(short):
    dropped, whole = short("dropped"), short("whole", SHORT.override(keep_prob=1.0))
    assert not same_variables(dropped.directory, whole.directory)


def test_steps_per_session_call_change_only_when_hooks_are_called(short, monkeypatch):
    runs, iterations = [], []
    for seconds in (0, 10):
        monkeypatch.setattr("mnist_graph.training.pace.MAX_CALL_SECONDS", seconds)
        monkeypatch.setattr("mnist_graph.training.pace.CALL_SECONDS", seconds)
        recorder = Recorder()
        runs.append(short(f"{seconds}", hooks=[recorder], log_every=12))
        iterations.append(recorder.calls[1:-1])
    assert iterations == [list(range(30)), [0, 1, 3, 7, 12, 24, 29]]
    assert runs[0].history == runs[1].history
    assert same_variables(runs[0].directory, runs[1].directory)


# Evaluations.


@pytest.mark.usefixtures("step_by_step")
def test_evaluation_every_log_every_iterations_and_after_the_last(short):
    recorder = Recorder()
    run = short("run", hooks=[recorder], log_every=7)
    assert [metrics.iteration for metrics in recorder.evaluations] == [0, 7, 14, 21, 28, 29]
    assert recorder.calls == ["begin 0", *range(30), "end"]
    assert run.history == recorder.evaluations


def test_evaluation_is_of_the_batch_just_trained_on_at_keep_prob_1(short, mnist):
    recipe = SHORT.override(iterations=1, keep_prob=0.2, seed=3)
    run = short("run", recipe)
    batch = batch_indices(mnist.train.num_examples, 50, recipe.seed, 0)
    with Classifier(run) as classifier:
        probabilities = classifier.predict(mnist.train.pixels[batch])
    labels = mnist.train.sparse_labels[batch]
    loss = -np.log(probabilities[np.arange(50), labels]).mean()
    accuracy = (probabilities.argmax(axis=1) == labels).mean()
    assert run.history[0].loss == pytest.approx(loss, rel=1e-4)
    assert run.history[0].accuracy == pytest.approx(accuracy)


# Interrupted runs.


@pytest.mark.usefixtures("step_by_step")
@pytest.mark.parametrize("last", [0, 12, 29])
def test_resumed_run_equals_the_uninterrupted_run(short, mnist, last):
    whole = short("whole", log_every=5)
    with pytest.raises(Stop) as stopped:
        short("stopped", hooks=[Recorder(last)], log_every=5)
    run = stopped.value.run
    assert stopped.value.iteration == last
    assert (run.result, run.checkpoint().iteration) == (None, last + 1)
    recorder = Recorder()
    assert resume(run.directory, mnist, hooks=[recorder], log_every=5).result is not None
    assert recorder.calls == [f"begin {last + 1}", *range(last + 1, 30), "end"]
    assert same_variables(whole.directory, run.directory)
    histories = [(r.directory / "history.csv").read_text() for r in (run, whole)]
    assert histories[0] == histories[1]
    assert run.result.test_accuracy == whole.result.test_accuracy


@pytest.mark.usefixtures("step_by_step")
def test_run_killed_before_its_first_checkpoint_starts_again(short, mnist):
    class KilledError(Exception):
        pass

    class Kill(Hook):
        def after_iteration(self, iteration):
            if iteration == 12:
                raise KilledError

    with pytest.raises(KilledError):
        short("killed", hooks=[Kill()], log_every=5)
    whole = short("whole", log_every=5)
    run = resume(whole.directory.parent / "killed", mnist, log_every=5)
    assert run.history == whole.history
    assert same_variables(run.directory, whole.directory)


def test_finished_run_is_not_trained_again(short, mnist):
    run, recorder = short("run"), Recorder()
    assert resume(run.directory, mnist, hooks=[recorder]) == run
    assert recorder.calls == []


@pytest.mark.usefixtures("step_by_step")
def test_resume_refuses_other_data(short, mnist, tmp_path):
    with pytest.raises(Stop):
        short("run", hooks=[Recorder(3)])
    other = mnist._replace(sha256={**mnist.sha256, "train-labels-idx1-ubyte": "0"})
    with pytest.raises(UsageError, match="was trained on other data"):
        resume(tmp_path / "run", other)


@pytest.mark.parametrize("last", [3, None], ids=["unfinished", "finished"])
def test_resume_refuses_fewer_iterations(short, mnist, tmp_path, last):
    try:
        short("run", hooks=[Recorder(last)])
    except Stop:
        assert last is not None
    recorder = Recorder()
    with pytest.raises(UsageError, match=r"iterations is 30, not 29; .* can only be made longer"):
        resume(tmp_path / "run", mnist, iterations=29, hooks=[recorder])
    assert recorder.calls == []
    assert load_run(tmp_path / "run").recipe.iterations == 30


# What is refused.


def test_data_with_another_validation_set_is_refused(short):
    with pytest.raises(UsageError, match=r"read_data_sets\(validation_size=5000\)"):
        short("run", data=read_data_sets(validation_size=10))


def test_infinite_loss_ends_the_run_with_advice(short, tmp_path):
    recipe = recipes["softmax"].override(learning_rate=1e38, iterations=20)
    with pytest.raises(MnistGraphError, match=r"lower --learning-rate$"):  # no checkpoints
        short("run", recipe, log_every=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_missing_gpu_is_refused_with_what_to_install(short, tmp_path):
    with pytest.raises(MnistGraphError, match=r"tensorflow\[and-cuda\]"):
        short("run", device="gpu")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def cpu_flags(monkeypatch):
    """Return a function that sets the flags that the system reports for the CPU."""

    def set_flags(flags):
        monkeypatch.setattr(Path, "read_text", lambda path, **options: f"flags : {flags}\n")

    return set_flags


@pytest.mark.parametrize("requested", ["auto", "bfloat16"])
@pytest.mark.parametrize("flags", ["fpu avx512_bf16", "fpu amx_bf16 amx_tile"])
def test_cpu_with_bfloat16_uses_it(cpu_flags, flags, requested):
    cpu_flags(flags)
    device, recipe = choose_device(SHORT.override(precision=requested), "cpu")
    assert (device.precision, recipe.precision) == ("bfloat16", "bfloat16")


def test_cpu_without_bfloat16_uses_float32(cpu_flags):
    cpu_flags("fpu avx512f")
    device, recipe = choose_device(SHORT, "cpu")
    assert (device.precision, recipe.precision) == ("float32", "float32")
    with pytest.raises(MnistGraphError, match="use --precision auto"):
        choose_device(SHORT.override(precision="bfloat16"), "cpu")


# Checkpoints.


@pytest.mark.parametrize("model", CLASSICS)
def test_restored_logits_equal_those_of_the_saved_graph(trained, mnist, model):
    """The package's network against the saved graph alone, fed by name."""
    run = load_run(trained(model).directory)
    images = mnist.test.images[:100]
    with Classifier(run, precision=run.recipe.precision) as classifier:
        network = classifier.network
        logits = classifier.session.run(network.logits, {network.images: images})
        probabilities = classifier.predict(images)
    prefix = run.checkpoint().prefix
    with tf.Graph().as_default(), tf1.Session() as session:
        saver = tf1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        fed = {"images:0": images, "keep_prob:0": 1, "labels:0": mnist.test.labels[:100]}
        found = session.run(["logits:0", "probabilities:0", "accuracy:0", "loss:0"], fed)
    np.testing.assert_array_equal(found[0], logits)
    np.testing.assert_array_equal(found[1], probabilities)
    assert found[2] == pytest.approx((logits.argmax(axis=1) == mnist.test.labels[:100]).mean())


def test_saved_graph_can_be_trained_further_by_name(trained, mnist):
    prefix = load_run(trained("mlp").directory).checkpoint().prefix
    fed = {
        "images:0": mnist.test.images[:128],
        "labels:0": mnist.test.labels[:128],
        "keep_prob:0": 0.5,
    }
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        before = session.run("loss:0", fed)
        for _ in range(20):
            session.run("train_step", fed)
        assert session.run(tf1.train.get_global_step()) == 1020
        assert session.run("loss:0", fed) < before


def test_checkpoint_of_another_recipe_is_refused(trained):
    checkpoint = load_run(trained("softmax").directory).checkpoint()
    graph = build_graph(SHORT)
    with (
        open_session(graph.graph, choose_device(SHORT, "cpu")[0]) as session,
        pytest.raises(MnistGraphError, match="is damaged or of another recipe"),
    ):
        restore(session, graph, checkpoint)


@pytest.mark.parametrize("change", [{"image_shape": (1, 1)}, {"classes": 3}])
def test_checkpoint_with_larger_weights_than_the_network_is_refused(trained, change):
    run = load_run(trained("softmax").directory)._replace(**change)
    with pytest.raises(MnistGraphError, match="is damaged or of another recipe"):
        Classifier(run)


def test_checkpoint_has_all_variables_and_the_iteration(trained):
    values = variables(trained("mlp").directory)
    assert values["global_step"] == 1000
    assert values["dense1/weights"].shape == (784, 512)
    assert "dense1/weights/Adam" in values


def test_predict_in_batches_equals_predict_at_once(trained, mnist):
    run = load_run(trained("softmax").directory)
    size = 2 * BATCH + 17
    pixels, labels = mnist.test.pixels, mnist.test.sparse_labels
    with Classifier(run) as classifier:
        network = classifier.network
        for start in (0, 3000):
            part = slice(start, start + size)
            images = DataSet(pixels[part], labels[part], classes=10).images
            logits = classifier.session.run(network.logits, {network.images: images})
            predictions = classifier.predict(images).argmax(axis=1)
            np.testing.assert_array_equal(logits.argmax(axis=1), predictions)


# The host program.

HOST = """
import os
import tensorflow as tf
tf1 = tf.compat.v1
environment = dict(os.environ)
threads = tf.config.threading.get_intra_op_parallelism_threads()
from mnist_graph import read_data_sets, recipes, train
train(recipes["mlp"].override(iterations=3), read_data_sets(), {run!r})
assert dict(os.environ) == environment
assert tf.executing_eagerly()
assert tf1.get_default_graph().get_operations() == []
assert tf1.get_default_session() is None
assert tf1.resource_variables_enabled()
assert tf.config.threading.get_intra_op_parallelism_threads() == threads
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "threads",
    [
        pytest.param(None, id="plain"),
        pytest.param("0", id="thread settings", marks=pytest.mark.slow),
    ],
)
def test_train_changes_nothing_in_the_host_program(tmp_path, threads):
    """Neither the process environment nor TensorFlow's global settings."""
    code = HOST.format(run=str(tmp_path / "run"))
    outcome = run_python(code, TF_OVERRIDE_GLOBAL_THREADPOOL=threads)
    assert outcome.code == 0, outcome.err
    assert load_run(tmp_path / "run").result is not None
