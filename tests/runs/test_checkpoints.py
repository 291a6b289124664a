"""Checkpoints: saved, found again, and found to be damaged."""

import hashlib
import json
import os
import shutil

import pytest
from helpers import StopAt, flip, same_variables, truncate

from mnist_graph import MnistGraphError, MnistGraphWarning, recipes, resume, train
from mnist_graph.runs.checkpoints import find_checkpoint, save_checkpoint
from mnist_graph.runs.find import load_run
from mnist_graph.training.hooks import Hook, Stop

RECIPE = recipes["mlp"].override(hidden=(30,), iterations=40, batch_size=20, seed=3)


def write(prefix):
    """Write the files of a checkpoint."""
    for ending in ("index", "data-00000-of-00001"):
        with open(f"{prefix}.{ending}", "w") as file:
            file.write(f"{ending} of {prefix}")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_newest_checkpoint_is_found_and_the_previous_one_kept(tmp_path):
    assert find_checkpoint(tmp_path) is None
    for iteration in (9, 10, 100):
        save_checkpoint(tmp_path, write, iteration, iteration / 4)
        assert find_checkpoint(tmp_path)[1:] == (iteration, iteration / 4)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-100"]


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(tmp_path):
    """Mocked, because a disk cannot be filled at just this moment."""

    def fail(prefix):
        with open(f"{prefix}.index", "w") as file:
            file.write("half")
        raise OSError(28, "No space left on device")

    save_checkpoint(tmp_path, write, 10, 1.5)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, fail, 20, 3.0)
    assert find_checkpoint(tmp_path)[1:] == (10, 1.5)
    assert names(tmp_path) == ["checkpoint-10"]


def test_partial_checkpoints_of_a_killed_process_are_ignored_and_removed(tmp_path):
    save_checkpoint(tmp_path, write, 10, 1.5)
    for iteration in (19, 20):
        (tmp_path / f".checkpoint-{iteration}").mkdir()
        write(str(tmp_path / f".checkpoint-{iteration}" / "model"))
    (tmp_path / "checkpoint-x").mkdir()
    assert find_checkpoint(tmp_path).iteration == 10
    save_checkpoint(tmp_path, write, 20, 3.0)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-20", "checkpoint-x"]


def append_zero(path):
    """Append a byte to a file."""
    path.write_bytes(path.read_bytes() + b"\0")


def replace_by_link(path):
    """Move a file away and leave a link to it."""
    moved = path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(moved)


def replace_by_folder(path):
    """Replace a file by a folder."""
    path.unlink()
    path.mkdir()


DAMAGES = [truncate, flip, append_zero, replace_by_link, replace_by_folder, os.unlink]


@pytest.mark.parametrize("file", ["model.index", "model.data-00000-of-00001", "state.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_detected_and_the_previous_checkpoint_used(tmp_path, file, damage):
    for iteration in (10, 20):
        save_checkpoint(tmp_path, write, iteration, 1.0)
    damage(tmp_path / "checkpoint-20" / file)
    said = r"checkpoint-20 is damaged \(.*\); using checkpoint-10 instead"
    with pytest.warns(MnistGraphWarning, match=said):
        assert find_checkpoint(tmp_path).iteration == 10
    damage(tmp_path / "checkpoint-10" / file)
    with pytest.raises(MnistGraphError, match="no usable checkpoint is left"):
        find_checkpoint(tmp_path)


FORGED = {
    "a file elsewhere": ({"files": {"../../secret": "0"}}, "is not a checkpoint file"),
    "a path": ({"files": {"model.index/../x": "0"}}, "is not a checkpoint file"),
    "no files": ({"files": None}, "does not describe a checkpoint"),
    "a list of files": ({"files": ["model.index"]}, "does not describe a checkpoint"),
    "another iteration": ({"iteration": 21}, "belongs to another checkpoint"),
    "seconds of letters": ({"seconds": "x"}, "has no seconds"),
}
"""Changes to state.json, and a part of the answer."""


def sign(state):
    """Return the content of state.json with its own checksum: the SHA-256 of the rest, as JSON
    with sorted keys.
    """
    text = json.dumps(state, sort_keys=True)
    return {**state, "sha256": hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize("name", FORGED)
def test_forged_state_with_a_valid_checksum_is_refused(tmp_path, name):
    changes, said = FORGED[name]
    save_checkpoint(tmp_path, write, 20, 1.0)
    path = tmp_path / "checkpoint-20" / "state.json"
    saved = json.loads(path.read_text())
    state = {key: value for key, value in saved.items() if key != "sha256"}
    assert sign(state) == saved
    path.write_text(json.dumps(sign({**state, **changes})))
    with pytest.raises(MnistGraphError, match=f"checkpoint-20 is damaged .*{said}"):
        find_checkpoint(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "3", '{"sha256": 1}', "\ud800", "[" * 10**5])
def test_state_that_is_not_a_state_is_refused(tmp_path, content):
    save_checkpoint(tmp_path, write, 20, 1.0)
    path = tmp_path / "checkpoint-20" / "state.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(MnistGraphError, match=r"state\.json"):
        find_checkpoint(tmp_path)


def test_a_damaged_checkpoint_of_the_same_iteration_is_replaced(tmp_path):
    for iteration in (10, 20):
        save_checkpoint(tmp_path, write, iteration, 1.0)
    flip(tmp_path / "checkpoint-20" / "model.index")
    save_checkpoint(tmp_path, write, 20, 2.0)
    assert find_checkpoint(tmp_path)[1:] == (20, 2.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, mnist):
    """The uninterrupted run."""
    return train(RECIPE, mnist, tmp_path_factory.mktemp("whole") / "run", log_every=5)


def test_a_run_resumes_from_the_checkpoint_before_a_damaged_one(tmp_path, mnist, whole):
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


def test_a_lengthened_run_equals_a_longer_run(tmp_path, mnist, whole):
    short = train(RECIPE.override(iterations=15), mnist, tmp_path / "run", log_every=5)
    with pytest.raises(MnistGraphError, match="iterations is 15, not 14"):
        resume(short.directory, mnist, iterations=14)
    assert resume(short.directory, mnist, iterations=15).result == short.result
    longer = resume(short.directory, mnist, iterations=40, log_every=5)
    assert longer.recipe == RECIPE == load_run(short.directory).recipe
    assert longer.result.test_accuracy == whole.result.test_accuracy
    assert same_variables(longer.directory, whole.directory)


@pytest.mark.filterwarnings("ignore::mnist_graph.errors.MnistGraphWarning")
def test_training_continues_after_its_folder_was_deleted_and_reports_it(tmp_path, mnist, whole):
    class DeleteFolder(Hook):
        def after_iteration(self, iteration):
            if iteration == 12:
                shutil.rmtree(tmp_path / "run")

    accuracy = whole.result.test_accuracy
    said = rf"training finished \(test accuracy {accuracy:.6g}\) but could not be saved"
    with (
        pytest.warns(MnistGraphWarning, match="cannot write to .*; trying again in 0 seconds"),
        pytest.raises(MnistGraphError, match=said),
    ):
        train(RECIPE, mnist, tmp_path / "run", save_every=0, hooks=[DeleteFolder()])
    assert not (tmp_path / "run").exists()


def test_failed_writes_of_the_history_are_retried(tmp_path, mnist, whole):
    class BlockHistory(Hook):
        def after_iteration(self, iteration):
            if iteration == 10:
                (tmp_path / "run" / "history.csv").rename(tmp_path / "elsewhere")
                (tmp_path / "run" / "history.csv").mkdir()
            elif iteration == 20:
                (tmp_path / "run" / "history.csv").rmdir()

    said = r"history\.csv will be completed as soon as possible"
    with pytest.warns(MnistGraphWarning, match=said):
        run = train(RECIPE, mnist, tmp_path / "run", log_every=5, hooks=[BlockHistory()])
    assert run.history == whole.history


def test_a_link_to_a_checkpoint_is_refused(tmp_path):
    (tmp_path / "there").mkdir()
    save_checkpoint(tmp_path / "there", write, 5, 1.0)
    (tmp_path / "checkpoint-5").symlink_to(tmp_path / "there" / "checkpoint-5")
    with pytest.raises(MnistGraphError, match="it is a link"):
        find_checkpoint(tmp_path)
