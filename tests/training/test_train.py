import numpy as np
import pytest
import tensorflow as tf
from helpers import CLASSICS, printed, same_variables, variables

from mnist_graph import Classifier, MnistGraphError, read_data_sets, recipes, train
from mnist_graph.data.datasets import batch_indices
from mnist_graph.graph.sessions import choose_device, open_session
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import BATCH, restore
from mnist_graph.training.hooks import Hook, Stop
from mnist_graph.training.train import resume

tf1 = tf.compat.v1
SHORT = recipes["mlp"].override(iterations=30, hidden=(64, 32), batch_size=50)


class Recorder(Hook):
    """Keeps what the loop told it, and stops the training after iteration `last`."""

    def __init__(self, last=None):
        self.last, self.told, self.evaluations = last, [], []

    def begin(self, training):
        self.told.append(f"begin {training.iteration}")

    def evaluated(self, evaluation):
        self.evaluations.append(evaluation)

    def after_iteration(self, iteration):
        self.told.append(iteration)
        if iteration == self.last:
            raise Stop

    def end(self):
        self.told.append("end")


@pytest.fixture
def step_by_step(monkeypatch):
    """Each run of the graph takes one step, so that hooks hear of every iteration."""
    monkeypatch.setattr("mnist_graph.training.pace.MAX_CALL_SECONDS", 0)


@pytest.fixture
def short(tmp_path, mnist):
    """A function that trains the short recipe, changed as asked, in a directory so named."""

    def run(name, recipe=SHORT, data=mnist, **options):
        return train(recipe, data, tmp_path / name, **options)

    return run


@pytest.mark.parametrize(("model", "least"), [("softmax", 0.90), ("mlp", 0.92), ("cnn", 0.95)])
def test_each_model_reaches_its_accuracy_on_a_short_run(trained, model, least):
    assert load_run(trained(model).directory).result.test_accuracy >= least


@pytest.mark.parametrize("model", CLASSICS)
def test_the_loss_falls_and_the_batches_are_read_better(trained, model):
    lines = [(float(loss), float(acc)) for _, loss, acc in printed(trained(model).outcome.out)]
    losses, accuracies = np.array(lines).T
    assert losses[-3:].mean() < 0.5 * losses[0]
    assert accuracies[-3:].mean() > accuracies[0] + 0.3


def test_the_test_accuracy_is_the_share_that_predict_reads_right(trained, mnist):
    run = load_run(trained("mlp").directory)
    with Classifier(run, precision=run.recipe.precision) as classifier:
        found = classifier.predict(mnist.test.images).argmax(axis=1)
    assert run.result.test_accuracy == (found == mnist.test.labels).mean()


def test_the_same_seed_gives_the_same_lines_and_the_same_bits(short):
    recorders = [Recorder() for _ in range(2)]
    one, two = (short(f"{n}", hooks=[r], log_every=10) for n, r in enumerate(recorders))
    assert recorders[0].evaluations == recorders[1].evaluations
    assert same_variables(one.directory, two.directory)


def test_another_seed_gives_others(short):
    one, two = short("0"), short("1", SHORT.override(seed=1))
    assert one.history != two.history
    assert not same_variables(one.directory, two.directory)


@pytest.mark.usefixtures("step_by_step")
def test_evaluations_come_every_log_every_iterations_and_at_the_last(short):
    recorder = Recorder()
    run = short("run", hooks=[recorder], log_every=7)
    assert [e.iteration for e in recorder.evaluations] == [0, 7, 14, 21, 28, 29]
    assert recorder.told == ["begin 0", *range(30), "end"]
    assert run.history == recorder.evaluations


def test_evaluations_are_of_the_batch_just_trained_on_at_keep_prob_1(short, mnist):
    recipe = SHORT.override(iterations=1, keep_prob=0.2, seed=3)
    run = short("run", recipe)
    batch = batch_indices(mnist.train.num_examples, 50, recipe.seed, 0)
    with Classifier(run) as classifier:
        shares = classifier.predict(mnist.train.pixels[batch])
    labels = mnist.train.sparse_labels[batch]
    loss = -np.log(shares[np.arange(50), labels]).mean()
    assert run.history[0].loss == pytest.approx(loss, rel=1e-4)
    assert run.history[0].accuracy == pytest.approx((shares.argmax(axis=1) == labels).mean())


def test_dropout_takes_part_in_the_training(short):
    assert not same_variables(
        short("half").directory, short("whole", SHORT.override(keep_prob=1.0)).directory
    )


def test_how_many_steps_a_run_of_the_graph_takes_changes_nothing_else(short, monkeypatch):
    finished, told = [], []
    for seconds in (0, 10):
        monkeypatch.setattr("mnist_graph.training.pace.MAX_CALL_SECONDS", seconds)
        monkeypatch.setattr("mnist_graph.training.pace.CALL_SECONDS", seconds)
        recorder = Recorder()
        finished.append(short(f"{seconds}", hooks=[recorder], log_every=12))
        told.append(recorder.told[1:-1])
    assert told == [list(range(30)), [0, 1, 3, 7, 12, 24, 29]]
    assert finished[0].history == finished[1].history
    assert same_variables(finished[0].directory, finished[1].directory)


@pytest.mark.usefixtures("step_by_step")
@pytest.mark.parametrize("last", [0, 12, 29])
def test_a_stopped_and_resumed_run_is_the_run_that_was_not_stopped(short, mnist, last):
    whole = short("whole", log_every=5)
    with pytest.raises(Stop) as stopped:
        short("stopped", hooks=[Recorder(last)], log_every=5)
    run = stopped.value.run
    assert stopped.value.iteration == last
    assert (run.result, run.checkpoint().iteration) == (None, last + 1)
    recorder = Recorder()
    assert resume(run.directory, mnist, hooks=[recorder], log_every=5).result is not None
    assert recorder.told == [f"begin {last + 1}", *range(last + 1, 30), "end"]
    assert same_variables(whole.directory, run.directory)
    assert (run.directory / "history.csv").read_text() == (
        whole.directory / "history.csv"
    ).read_text()
    assert run.result.test_accuracy == whole.result.test_accuracy


@pytest.mark.usefixtures("step_by_step")
def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(short, mnist):
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


def test_a_finished_run_is_not_trained_again(short, mnist):
    run, recorder = short("run"), Recorder()
    resume(run.directory, mnist, hooks=[recorder])
    assert recorder.told == []


@pytest.mark.usefixtures("step_by_step")
def test_other_data_is_not_taken_to_go_on(short, mnist):
    with pytest.raises(Stop):
        short("run", hooks=[Recorder(3)])
    other = mnist._replace(sha256={**mnist.sha256, "train-labels-idx1-ubyte": "0"})
    run = short("other")
    with pytest.raises(MnistGraphError, match="was trained on other data"):
        resume(run.directory.parent / "run", other)


def test_data_split_otherwise_than_the_recipe_says_is_refused(short):
    with pytest.raises(MnistGraphError, match=r"read_data_sets\(validation_size=5000\)"):
        short("run", data=read_data_sets(validation_size=10))


def test_a_loss_that_is_no_number_ends_the_run_with_advice(short, tmp_path):
    recipe = recipes["softmax"].override(learning_rate=1e38, iterations=20)
    with pytest.raises(MnistGraphError, match="lower --learning-rate"):
        short("run", recipe, log_every=1)
    assert load_run(tmp_path / "run").result is None


@pytest.mark.parametrize("model", CLASSICS)
def test_restore_gives_the_same_logits_bit_for_bit(trained, mnist, model):
    """Through the package, and through the saved graph alone, fed by name."""
    run = load_run(trained(model).directory)
    images = mnist.test.images[:100]
    with Classifier(run, precision=run.recipe.precision) as classifier:
        graph = classifier.network
        logits = classifier.session.run(graph.logits, {graph.images: images})
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


def test_a_saved_graph_can_be_trained_on_by_name(trained, mnist):
    prefix = load_run(trained("mlp").directory).checkpoint().prefix
    fed = {
        "images:0": mnist.train.images[:128],
        "labels:0": mnist.train.labels[:128],
        "keep_prob:0": 0.5,
    }
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        before = session.run("loss:0", fed)
        for _ in range(20):
            session.run("train_step", fed)
        assert session.run(tf1.train.get_global_step()) == 1020
        assert session.run("loss:0", fed) < before


def test_a_checkpoint_of_another_graph_is_refused(trained):
    from mnist_graph import build_graph

    checkpoint = load_run(trained("softmax").directory).checkpoint()
    graph = build_graph(SHORT)
    with (
        open_session(graph.graph, choose_device(SHORT, "cpu")[0]) as session,
        pytest.raises(MnistGraphError, match="not of this recipe"),
    ):
        restore(session, graph, checkpoint)


def test_the_checkpoint_holds_every_variable_and_the_iterations_done(trained):
    values = variables(trained("mlp").directory)
    assert values["global_step"] == 1000
    assert values["dense1/weights"].shape == (784, 512)
    assert "dense1/weights/Adam" in values


def test_testing_in_pieces_counts_every_image_once(trained, mnist):
    run = load_run(trained("softmax").directory)
    size = 2 * BATCH + 17
    test = mnist.test
    with Classifier(run) as classifier:
        for start in (0, 3000):
            part = type(test)(
                test.pixels[start : start + size], test.sparse_labels[start : start + size], 10
            )
            network = classifier.network
            logits = classifier.session.run(network.logits, {network.images: part.images})
            found = classifier.predict(part.images).argmax(axis=1)
            assert np.array_equal(logits.argmax(axis=1), found)


def test_training_changes_no_switch_of_tensorflow(short, mnist):
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    short("run")
    assert tf.executing_eagerly()
    assert tf1.get_default_graph().get_operations() == []
    assert tf1.get_default_session() is None
    assert tf1.resource_variables_enabled()
    assert tf.config.threading.get_intra_op_parallelism_threads() == threads


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_install(short, tmp_path):
    with pytest.raises(MnistGraphError, match=r"tensorflow\[and-cuda\]"):
        short("run", device="gpu")
    assert not (tmp_path / "run").exists()


def test_bfloat16_is_refused_where_it_is_not_native(monkeypatch):
    monkeypatch.setattr("mnist_graph.graph.sessions._cpu_supports_bfloat16", lambda: False)
    with pytest.raises(MnistGraphError, match="use --precision auto"):
        choose_device(SHORT.override(precision="bfloat16"), "cpu")
    device, recipe = choose_device(SHORT, "cpu")
    assert (device.precision, recipe.precision) == ("float32", "float32")
