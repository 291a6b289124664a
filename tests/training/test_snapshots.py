"""--snapshots: what the network was at a few iterations."""

import numpy as np
import pytest
from helpers import StopAt, run_main, same_variables, truncate

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.errors import MnistGraphWarning
from mnist_graph.runs import snapshots
from mnist_graph.runs.digit_samples import load_sample
from mnist_graph.runs.predictor import Predictor, assign
from mnist_graph.runs.run import Run
from mnist_graph.runs.snapshots import choose_iterations, list_snapshots, load_snapshot
from mnist_graph.training.hooks import Stop
from mnist_graph.training.snapshots import SaveSnapshots
from mnist_graph.training.train import resume

RECIPE = recipes["mlp"].override(hidden=(30, 20), iterations=200)
AVERAGED = recipes["cnn-best"].override(iterations=3, batch_size=4, validation_size=5000)


@pytest.fixture
def trained_with_snapshots(mnist, tmp_path):
    return train(RECIPE, mnist, tmp_path / "run", hooks=[SaveSnapshots()], device="cpu")


@pytest.mark.parametrize("iterations", [1, 2, 3, 30, 235, 1000, 20_000])
def test_the_first_and_the_last_iteration_and_more_of_the_early_ones(iterations):
    chosen = choose_iterations(iterations)
    assert (chosen[0], chosen[-1]) == (0, iterations - 1)
    assert len(chosen) <= snapshots.COUNT
    if iterations >= 1000:
        assert len(chosen) == snapshots.COUNT
        assert sum(iteration < iterations / 4 for iteration in chosen) == 15


def test_snapshots_are_kept_at_exactly_these_iterations(trained_with_snapshots):
    run = trained_with_snapshots
    assert list(list_snapshots(run)) == choose_iterations(200)
    assert {path.stat().st_size < 100_000 for path in list_snapshots(run).values()} == {True}
    sample = load_sample(run.directory / "batch.npz")
    assert sample is not None
    assert len(run.log("test").read()) >= 2  # the last, and at least one before


def test_the_last_snapshot_is_the_network(trained_with_snapshots, mnist):
    *_, last = list_snapshots(trained_with_snapshots).values()
    with Predictor(trained_with_snapshots, "cpu") as network:
        before = network.predict(mnist.test.pixels[:100])
        assign(network.session, load_snapshot(last))
        np.testing.assert_allclose(network.predict(mnist.test.pixels[:100]), before, atol=0.01)


@pytest.mark.slow
def test_moving_averages_are_kept_as_the_network_has_them(mnist, tmp_path):
    run = train(AVERAGED, mnist, tmp_path / "run", hooks=[SaveSnapshots()], device="cpu")
    *_, last = list_snapshots(run).values()
    with Predictor(run, "cpu") as network:
        expected = network.variables()
    kept = load_snapshot(last)
    assert kept.keys() == expected.keys()
    for name, value in kept.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-3, atol=1e-6, err_msg=name)


def test_snapshots_do_not_change_what_is_learned(trained_with_snapshots, mnist, tmp_path):
    other = train(RECIPE, mnist, tmp_path / "other", device="cpu")
    assert same_variables(trained_with_snapshots.directory, other.directory)
    assert trained_with_snapshots.history == other.history


def test_a_resumed_run_keeps_the_same_snapshots(trained_with_snapshots, mnist, tmp_path):
    directory = tmp_path / "resumed"
    with pytest.raises(Stop):
        train(RECIPE, mnist, directory, hooks=[SaveSnapshots(), StopAt(100)], device="cpu")
    (directory / "snapshots" / "000150.npz").touch()  # of iterations that were lost
    run = resume(directory, mnist, hooks=[SaveSnapshots()], device="cpu")
    found, expected = list_snapshots(run), list_snapshots(trained_with_snapshots)
    assert found.keys() == expected.keys()
    for iteration, path in found.items():
        kept, other = load_snapshot(path), load_snapshot(expected[iteration])
        assert all(np.array_equal(value, other[name]) for name, value in kept.items())


def test_training_goes_on_where_snapshots_cannot_be_written(mnist, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnist_graph.training.snapshots.save_snapshot", fail)
    with pytest.warns(MnistGraphWarning, match="No space left") as warned:
        run = train(RECIPE, mnist, tmp_path / "run", hooks=[SaveSnapshots()], device="cpu")
    assert len(warned) == 1
    assert run.result is not None


def test_a_damaged_snapshot(trained_with_snapshots):
    path = next(iter(list_snapshots(trained_with_snapshots).values()))
    truncate(path)
    with pytest.raises(MnistGraphError, match=r"000000\.npz is damaged; delete it"):
        load_snapshot(path)
    np.savez(path, weights=np.array([np.nan], np.float16))
    with pytest.raises(MnistGraphError, match="is damaged"):
        load_snapshot(path)
    np.savez(path, weights=np.array([{}], object))
    with pytest.raises(MnistGraphError, match="is damaged"):
        load_snapshot(path)
    path.unlink()
    with pytest.raises(MnistGraphError, match="is missing"):
        load_snapshot(path)


def test_of_very_many_snapshots_some_are_listed_and_the_last(tmp_path):
    run = Run(tmp_path, RECIPE, (28, 28), 10, {})
    assert list_snapshots(run) == {}
    (tmp_path / "snapshots").mkdir()
    for iteration in range(130):
        (tmp_path / "snapshots" / f"{iteration:06}.npz").touch()
    (tmp_path / "snapshots" / ".0123abcd-000999.npz").touch()
    listed = list(list_snapshots(run))
    assert len(listed) <= snapshots.MOST_LISTED
    assert listed[-1] == 129


def test_the_flag(tmp_path):
    words = ("--model", "softmax", "--iterations", "20", "--quiet")
    outcome = run_main(tmp_path, *words, "--snapshots")
    assert (outcome.code, outcome.err) == (0, "")
    kept = list((tmp_path / "runs/softmax/1/snapshots").iterdir())
    assert len(kept) == len(choose_iterations(20))
    assert "snapshots" not in (tmp_path / "runs/softmax/1/recipe.json").read_text()
    run_main(tmp_path, *words)
    assert not (tmp_path / "runs/softmax/2/snapshots").exists()
