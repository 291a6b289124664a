"""Checkpoints that disks and strangers have been at."""

import json
import os
import shutil

import pytest
from helpers import StopAt, flip, same_variables, truncate

from mnist_graph import MnistGraphError, MnistGraphWarning, recipes, resume, train
from mnist_graph.runs.checkpoints import _digest, find_checkpoint, save_checkpoint
from mnist_graph.training.hooks import Hook, Stop
from mnist_graph.runs.find import load_run

RECIPE = recipes["mlp"].override(hidden=(30,), iterations=40, batch_size=20, seed=3)


def write(prefix):
    for ending in ("index", "data-00000-of-00001"):
        with open(f"{prefix}.{ending}", "w") as file:
            file.write(f"{ending} of {prefix}")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_newest_is_found_and_the_one_before_kept(tmp_path):
    assert find_checkpoint(tmp_path) is None
    for iteration in (9, 10, 100):
        save_checkpoint(tmp_path, write, iteration, iteration / 4)
        assert find_checkpoint(tmp_path)[1:] == (iteration, iteration / 4)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-100"]


def test_one_that_cannot_be_written_leaves_those_before(tmp_path):
    """Mocked, for a disk that is full at this very moment."""

    def fail(prefix):
        with open(f"{prefix}.index", "w") as file:
            file.write("half")
        raise OSError(28, "No space left on device")

    save_checkpoint(tmp_path, write, 10, 1.5)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, fail, 20, 3.0)
    assert find_checkpoint(tmp_path)[1:] == (10, 1.5)
    assert names(tmp_path) == ["checkpoint-10"]


def test_what_a_kill_left_half_written_is_no_checkpoint_and_makes_way(tmp_path):
    save_checkpoint(tmp_path, write, 10, 1.5)
    for iteration in (19, 20):
        (tmp_path / f".checkpoint-{iteration}").mkdir()
        write(str(tmp_path / f".checkpoint-{iteration}" / "model"))
    (tmp_path / "checkpoint-x").mkdir()
    assert find_checkpoint(tmp_path).iteration == 10
    save_checkpoint(tmp_path, write, 20, 3.0)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-20", "checkpoint-x"]


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


def link(path):
    moved = path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(moved)


def fold(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("file", ["model.index", "model.data-00000-of-00001", "state.json"])
@pytest.mark.parametrize("damage", [truncate, flip, lengthen, link, fold, os.unlink])
def test_damage_is_seen_and_the_one_before_taken(tmp_path, file, damage):
    for iteration in (10, 20):
        save_checkpoint(tmp_path, write, iteration, 1.0)
    damage(tmp_path / "checkpoint-20" / file)
    with pytest.warns(MnistGraphWarning, match=r"checkpoint-20 is damaged \(.*using checkpoint-10"):
        assert find_checkpoint(tmp_path).iteration == 10
    damage(tmp_path / "checkpoint-10" / file)
    with pytest.raises(MnistGraphError, match="no checkpoint is left"):
        find_checkpoint(tmp_path)


FORGED = {
    "a file elsewhere": {"files": {"../../secret": "0"}},
    "a file of another kind": {"files": {"model.index/../x": "0"}},
    "no files": {"files": None},
    "a list of files": {"files": ["model.index"]},
    "another iteration": {"iteration": 21},
    "no number of seconds": {"seconds": "x"},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_state_that_was_forged_is_refused(tmp_path, name):
    save_checkpoint(tmp_path, write, 20, 1.0)
    path = tmp_path / "checkpoint-20" / "state.json"
    state = {**json.loads(path.read_text()), **FORGED[name]}
    del state["sha256"]
    path.write_text(json.dumps({**state, "sha256": _digest(state)}))
    with pytest.raises(MnistGraphError, match="checkpoint-20 is damaged"):
        find_checkpoint(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "3", '{"sha256": 1}', "\ud800", "[" * 10**5])
def test_a_state_that_is_none_is_refused(tmp_path, content):
    save_checkpoint(tmp_path, write, 20, 1.0)
    path = tmp_path / "checkpoint-20" / "state.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(MnistGraphError, match=r"state\.json"):
        find_checkpoint(tmp_path)


def test_a_damaged_one_of_the_same_iteration_is_replaced(tmp_path):
    for iteration in (10, 20):
        save_checkpoint(tmp_path, write, iteration, 1.0)
    flip(tmp_path / "checkpoint-20" / "model.index")
    save_checkpoint(tmp_path, write, 20, 2.0)
    assert find_checkpoint(tmp_path)[1:] == (20, 2.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, mnist):
    return train(RECIPE, mnist, tmp_path_factory.mktemp("whole") / "run", log_every=5)


def test_a_run_with_a_damaged_checkpoint_goes_on_from_the_one_before(tmp_path, mnist, whole):
    with pytest.raises(Stop):
        train(RECIPE, mnist, tmp_path / "run", save_every=0, log_every=5, hooks=[StopAt(23)])
    assert [n for n in names(tmp_path / "run") if "check" in n] == [
        "checkpoint-23",
        "checkpoint-24",
    ]
    flip(tmp_path / "run" / "checkpoint-24" / "model.data-00000-of-00001")
    with pytest.warns(MnistGraphWarning, match="using checkpoint-23"):
        run = resume(tmp_path / "run", mnist, log_every=5)
    assert run.history == whole.history
    assert same_variables(run.directory, whole.directory)


def test_a_run_with_more_iterations_is_the_longer_run(tmp_path, mnist, whole):
    short = train(RECIPE.override(iterations=15), mnist, tmp_path / "run", log_every=5)
    with pytest.raises(MnistGraphError, match="iterations is 15, not 14"):
        resume(short.directory, mnist, iterations=14)
    assert resume(short.directory, mnist, iterations=15).result == short.result
    longer = resume(short.directory, mnist, iterations=40, log_every=5)
    assert longer.recipe == RECIPE == load_run(short.directory).recipe
    assert longer.result.test_accuracy == whole.result.test_accuracy
    assert same_variables(longer.directory, whole.directory)


@pytest.mark.filterwarnings("ignore:.*the history will be written:UserWarning")
def test_a_folder_deleted_under_the_run_is_said_and_the_training_goes_on(tmp_path, mnist, whole):
    class Delete(StopAt):
        def after_iteration(self, iteration):
            if iteration == self.last:
                shutil.rmtree(tmp_path / "run")

    accuracy = whole.result.test_accuracy
    with (
        pytest.warns(MnistGraphWarning, match="cannot write to .*; trying again in 0 seconds"),
        pytest.raises(MnistGraphError, match=f"not kept is .* accuracy of {accuracy:.6g}"),
    ):
        train(RECIPE, mnist, tmp_path / "run", save_every=0, hooks=[Delete(12)])
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore:.*the history will be written:UserWarning")
def test_a_history_that_cannot_be_written_is_as_soon_as_it_can(tmp_path, mnist, whole):
    class Block(Hook):
        def after_iteration(self, iteration):
            if iteration == 12:
                (tmp_path / "run" / "history.csv").rename(tmp_path / "elsewhere")
                (tmp_path / "run" / "history.csv").mkdir()
            elif iteration == 22:
                (tmp_path / "run" / "history.csv").rmdir()

    run = train(RECIPE, mnist, tmp_path / "run", log_every=5, hooks=[Block()])
    assert run.history == whole.history


def test_a_checkpoint_that_is_a_link_is_none(tmp_path):
    (tmp_path / "there").mkdir()
    save_checkpoint(tmp_path / "there", write, 5, 1.0)
    (tmp_path / "checkpoint-5").symlink_to(tmp_path / "there" / "checkpoint-5")
    with pytest.raises(MnistGraphError, match="it is a link"):
        find_checkpoint(tmp_path)
