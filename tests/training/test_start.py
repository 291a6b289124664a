"""--start-from: a run that begins with the weights of another."""

import json
import shutil

import numpy as np
import pytest
from helpers import (
    TINY_READER,
    StopAt,
    assert_refused,
    run_command,
    run_main,
    same_variables,
    some_mnist,
    variables,
    write_data,
)

from mnist_graph import MnistGraphError, read_data_sets, recipes, resume, train
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.errors import UsageError
from mnist_graph.runs.find import find_run, load_run
from mnist_graph.runs.start import find_start
from mnist_graph.runs.strip_predictor import read_variables
from mnist_graph.training.hooks import Stop

MLP = recipes["mlp"].override(hidden=(30,), iterations=12, batch_size=20, validation_size=0)
AVERAGED = MLP.override(batch_normalization=True, average_weights=True, moving_decay=0.9)
SLOW = {"learning_rate": 1e-30, "iterations": 1}
"""Changes no weight."""


@pytest.fixture(scope="module")
def few(tmp_path_factory, mnist):
    """300 of MNIST's digits as data of one's own, in a folder and read."""
    folder = write_data(tmp_path_factory.mktemp("few"), *some_mnist(mnist))
    return folder, read_data_sets(folder, validation_size=0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, few):
    """A finished run of a small network on these digits."""
    return train(AVERAGED, few[1], tmp_path_factory.mktemp("finished") / "run")


def test_the_first_weights_are_those_of_the_other_run(finished, few, tmp_path):
    """Those that the finished network predicts with: the averages."""
    expected = read_variables(finished)
    run = train(
        finished.recipe.override(**SLOW), few[1], tmp_path / "run", start_from=finished.directory
    )
    got = variables(run.directory)
    for name, value in expected.items():
        if "moving_" not in name:  # of the new batches
            np.testing.assert_array_equal(got[name], value)
            average = got[f"{name}/ExponentialMovingAverage"]
            np.testing.assert_allclose(average, value, rtol=1e-6)
    assert any("weights" in name for name in expected)


@pytest.mark.slow
def test_it_learns_on_from_there(finished, few, tmp_path):
    """The first loss is not much above the other run's last; a random network's is far above."""
    run = train(finished.recipe, few[1], tmp_path / "run", start_from=str(finished.directory))
    assert run.history[0].loss < finished.history[0].loss
    assert run.history[-1].loss < finished.history[-1].loss


def test_the_optimizer_starts_afresh(finished, few, tmp_path):
    with pytest.raises(Stop):
        train(
            finished.recipe.override(iterations=3, precision="float32"),
            few[1],
            tmp_path / "run",
            start_from=finished.directory,
            hooks=[StopAt(0)],
        )
    state = variables(tmp_path / "run")
    assert state["global_step"] == 1
    powers = [value for name, value in state.items() if "beta1_power" in name]
    assert powers == [pytest.approx(finished.recipe.beta1**2)]


def test_the_run_says_where_it_came_from_and_is_not_the_recipes_own(finished, few, tmp_path):
    runs = tmp_path / "runs"
    own = train(finished.recipe, few[1], runs_dir=runs)
    run = train(finished.recipe, few[1], runs_dir=runs, start_from=own.directory)
    assert run.start.run == str(own.directory)
    assert len(run.start.sha256) == 64
    assert load_run(run.directory) == run
    assert json.loads((run.directory / "recipe.json").read_text())["start"] == run.start._asdict()
    assert find_run(runs, finished.recipe, few[1].sha256) == own
    assert own.start is None
    compared = run_main(tmp_path, "--compare", own.directory, run.directory, "--data-dir", few[0])
    (line,) = [line for line in compared.out.splitlines() if line.startswith("started from")]
    assert line.split()[2:] == ["-", str(own.directory)]


def test_resume_is_the_uninterrupted_run_and_does_without_the_other(finished, few, tmp_path):
    other = load_run(shutil.copytree(finished.directory, tmp_path / "other"))
    recipe = AVERAGED.override(keep_prob=0.5, iterations=9)
    whole = train(recipe, few[1], tmp_path / "whole", start_from=other.directory)
    with pytest.raises(Stop):
        train(
            recipe,
            few[1],
            tmp_path / "stopped",
            start_from=other.directory,
            hooks=[StopAt(4)],
        )
    shutil.rmtree(other.directory)
    resumed = resume(tmp_path / "stopped", few[1])
    assert same_variables(resumed.directory, whole.directory)
    assert resumed.history == whole.history
    assert resumed.start == whole.start


@pytest.mark.slow
def test_a_run_that_was_killed_at_once_has_its_weights_already(few, tmp_path):
    """As if it had been killed after its first checkpoint, before the first iteration."""
    other = train(MLP, few[1], tmp_path / "other")
    whole = train(MLP, few[1], tmp_path / "whole", start_from=other.directory)
    with pytest.raises(Stop):
        train(MLP, few[1], tmp_path / "run", start_from=other.directory, hooks=[StopAt(0)])
    (older,) = [path for path in (tmp_path / "run").glob("checkpoint-*") if path.name[-1] == "0"]
    shutil.rmtree(tmp_path / "run" / "checkpoint-1")
    shutil.rmtree(other.directory)
    assert older.name == "checkpoint-0"
    assert same_variables(resume(tmp_path / "run", few[1]).directory, whole.directory)
    killed = tmp_path / "killed"
    killed.mkdir()
    shutil.copy(tmp_path / "whole" / "recipe.json", killed)
    with pytest.raises(MnistGraphError, match=r"had the weights of .*other; delete it"):
        resume(killed, few[1])


def test_other_classes_get_a_new_output_layer(finished, mnist, tmp_path):
    folder = write_data(tmp_path / "three", *some_mnist(mnist, classes=3))
    data = read_data_sets(folder, validation_size=0)
    recipe = finished.recipe.override(**SLOW)
    run = train(recipe, data, tmp_path / "run", start_from=finished.directory)
    got, before = variables(run.directory), read_variables(finished)
    assert got["output/weights"].shape == (30, 3)
    np.testing.assert_array_equal(got["dense1/weights"], before["dense1/weights"])


def test_classes_of_other_names_get_a_new_output_layer_and_no_digits(finished, few, tmp_path):
    named = few[1]._replace(class_names=tuple("abcdefghij"))
    with pytest.raises(UsageError, match="mix adds digits, but the classes are a, b, c"):
        train(MLP.override(mix=0.5), named, tmp_path / "mixed")
    run = train(
        finished.recipe.override(**SLOW), named, tmp_path / "run", start_from=finished.directory
    )
    got, before = variables(run.directory), read_variables(finished)
    np.testing.assert_array_equal(got["dense1/weights"], before["dense1/weights"])
    assert not np.array_equal(got["output/weights"], before["output/weights"])


def test_another_network_is_refused(finished, few, mnist, tmp_path):
    other, again = finished.recipe.override(hidden=(31,)), {"start_from": finished.directory}
    with pytest.raises(UsageError, match=r"another network: hidden is \[30\], not \[31\]"):
        train(other, few[1], tmp_path / "run", **again)
    with pytest.raises(UsageError, match="network is mlp, not softmax"):
        train(recipes["softmax"].override(validation_size=0), few[1], tmp_path / "run", **again)
    folder = write_data(tmp_path / "low", *some_mnist(mnist, rows=slice(27)))
    small = read_data_sets(folder, validation_size=0)
    with pytest.raises(UsageError, match="trained on images of 28x28, and these have 27x28"):
        train(finished.recipe, small, tmp_path / "run", **again)
    assert not (tmp_path / "run").exists()


def test_a_network_in_the_package_goes_on_without_batch_normalization(few, tmp_path):
    start = find_start("cnn-best", tmp_path)
    assert find_run(tmp_path, recipes["cnn-best"], BUNDLED_SHA256) is None
    recipe = recipes["cnn-best"].override(iterations=1, learning_rate=1e-30, batch_size=20)
    run = train(recipe, few[1], tmp_path / "run", start_from="cnn-best", runs_dir=tmp_path)
    assert not run.recipe.batch_normalization
    assert run.start.run == "cnn-best in the package"
    before, got = read_variables(start), variables(run.directory)
    assert before.keys() <= got.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(got[name], value)


def test_the_newest_finished_run_is_meant_by_the_name_of_a_model(trained):
    run = trained("mlp")
    assert find_start("mlp", run.cwd / "runs").directory == run.directory
    with pytest.raises(MnistGraphError, match="no finished run of softmax on MNIST; train it"):
        find_start("softmax", run.cwd)


def test_the_command_says_what_it_starts_from(trained, few, tmp_path):
    run = trained("mlp")
    words = ("--start-from", run.directory, "--data-dir", few[0], "--validation-size", 0)
    outcome = run_main(tmp_path, *words, "--iterations", 3, "--batch-size", 10)
    assert outcome.code == 0, outcome.err
    assert f"starting from {run.directory}\n" in outcome.err
    assert load_run(tmp_path / "runs" / "mlp" / "1").start.run == str(run.directory)
    again = run_main(tmp_path, "--model", "mlp", *words, "--resume")
    assert_refused(again, 1, "there is no unfinished run of mlp")


@pytest.mark.slow
def test_a_reader_starts_from_a_reader(trained, tmp_path):
    run = trained("reader")
    words = ("--start-from", run.directory, *TINY_READER[2:], "--iterations", 2)
    outcome = run_main(tmp_path, *words, "--quiet")
    assert outcome.code == 0, outcome.err
    assert load_run(tmp_path / "runs" / "reader" / "1").start.run == str(run.directory)


@pytest.mark.slow
def test_several_processes_start_from_a_run_and_mix_as_one_does(trained, few, tmp_path):
    words = ("--start-from", trained("mlp").directory, "--data-dir", few[0], "--mix", 0.5)
    words += ("--validation-size", 0, "--iterations", 4, "--batch-size", 10, "--log-every", 1)
    words += ("--precision", "float32", "--keep-prob", 1)
    assert run_main(tmp_path, *words).code == 0
    outcome = run_command(tmp_path, *words, "--workers", 2)
    assert outcome.code == 0, outcome.err
    one, two = (load_run(tmp_path / "runs" / "mlp" / number) for number in "12")
    assert two.start == one.start
    for alone, together in zip(one.history, two.history, strict=True):
        assert together == pytest.approx(alone, rel=1e-4)


WRONG = [
    (("--start-from", "cnn-bst"), 2, "did you mean cnn-best?"),
    (("--start-from", "empty"), 1, "empty is not a run directory: it has no recipe.json"),
    (("--start-from", "mlp"), 1, "runs has no finished run of mlp on MNIST; train it first"),
    (("--start-from", "x" * 300), 2, "there is no run directory and no model"),
    (("--start-from", ""), 2, "--start-from has an empty value"),
    (("--start-from", "unfinished"), 1, "unfinished is not finished; continue it with --resume"),
    (("--model", "cnn", "--start-from", "cnn-best"), 2, "has another network: network is cnn5"),
    (("--model", "mlp", "--start-from", "cnn-best", "--describe"), 2, "--start-from has no effect"),
    (("--model", "mlp", "--start-from", "cnn-best", "--sweep", "seed=1"), 2, "has no effect with"),
    (("--start-from", "unfinished", "--model", "mlp", "--predict", "a.png"), 2, "has no effect"),
    (("--model", "mlp", "--resume", "--run-dir", "unfinished", "--start-from", "a"), 2, "leave"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_cannot_be_started_from_is_refused(trained, command, tmp_path, words, code, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "unfinished").mkdir()
    shutil.copy(trained("mlp").directory / "recipe.json", tmp_path / "unfinished")
    assert_refused(command(*words), code, said)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("start", [5, "text", {"run": "a"}, {"run": "a", "sha256": 1}, ["a", "b"]])
def test_a_damaged_start_is_no_run(trained, tmp_path, start):
    values = json.loads((trained("mlp").directory / "recipe.json").read_text())
    (tmp_path / "recipe.json").write_text(json.dumps({**values, "start": start}))
    with pytest.raises(MnistGraphError, match="does not describe a run"):
        load_run(tmp_path)
