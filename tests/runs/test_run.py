"""Run directories: created, written, read back and found."""

import json
import platform
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import numpy as np
import pytest
import tensorflow as tf
from helpers import printed

from mnist_graph import MnistGraphError, MnistGraphWarning, recipes
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.errors import UsageError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.files import create_unfinished, write_whole
from mnist_graph.runs.find import create_run, find_run, list_runs, load_run
from mnist_graph.runs.run import Metrics, Result

RESULT = Result(0.9, 12.5, 80.0)
MLP = recipes["mlp"]


@pytest.fixture
def new_run(tmp_path):
    """A function that creates a run in runs/, by default a finished one."""

    def create(recipe=MLP, finished=True, sha256=BUNDLED_SHA256, **options):
        options.setdefault("runs_dir", tmp_path / "runs")
        run = create_run(recipe, (28, 28), 10, sha256, "CPU", **options)
        if finished:
            run.write_result(RESULT)
        return run

    return create


def test_simultaneous_callers_get_their_own_directories(new_run):
    with ThreadPoolExecutor(16) as threads:
        runs = list(threads.map(lambda _: new_run(), range(64)))
    assert sorted(int(run.directory.name) for run in runs) == list(range(1, 65))


def test_a_finished_run_has_the_documented_files_only(trained):
    directory = trained("softmax").directory
    names = {path.name for path in directory.iterdir()}
    assert len([name for name in names if name.startswith("events.out.tfevents.")]) == 1
    logs = {"history.csv", "test.csv", "percentiles.csv"}
    others = {"recipe.json", "result.json", "batch.npz", "test.npz", ".lock", "checkpoint-1000"}
    assert {name for name in names if not name.startswith("events")} == logs | others
    files = {path.suffix for path in (directory / "checkpoint-1000").iterdir()}
    assert {".index", ".meta", ".data-00000-of-00001"} <= files


@pytest.mark.parametrize("model", ["softmax", "mlp"])
def test_recipe_json_records_what_the_result_depends_on(trained, model):
    values = json.loads((trained(model).directory / "recipe.json").read_text())
    recipe = recipes[model]
    assert values["recipe"]["seed"] == 0
    for name in ("learning_rate", "batch_size", "optimizer", "keep_prob", "activation"):
        assert values["recipe"][name] == getattr(recipe, name)
    assert Recipe.from_json(values["recipe"]) == recipe
    assert values["sha256"] == BUNDLED_SHA256
    assert (values["image_shape"], values["classes"]) == ([28, 28], 10)
    assert values["versions"] == {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": version("tensorflow"),
    }
    assert tf.__version__ == values["versions"]["tensorflow"]
    assert "CPU" in values["device"] or "GPU" in values["device"]


def test_history_csv_has_what_was_printed(trained):
    run = trained("mlp")
    head, *rows = (run.directory / "history.csv").read_text().splitlines()
    assert head == "iteration,loss,accuracy"
    assert [tuple(row.split(",")) for row in rows] == printed(run.outcome.out)
    assert len(rows) == 11


def test_result_json_has_accuracy_seconds_and_speed(trained):
    run = trained("mlp")
    values = json.loads((run.directory / "result.json").read_text())
    assert set(values) == {"test_accuracy", "seconds", "iterations_per_second"}
    assert f"Accuracy on test set: {values['test_accuracy']:.6g}\n" in run.outcome.out
    speed = 1000 / values["seconds"]
    assert values["iterations_per_second"] == pytest.approx(speed, rel=0.01)


def test_runs_are_numbered_from_1_and_above_the_highest(new_run, tmp_path):
    assert [new_run().directory.name for _ in range(3)] == ["1", "2", "3"]
    (tmp_path / "runs" / "mlp" / "40").mkdir()
    (tmp_path / "runs" / "mlp" / "notes").mkdir()
    assert new_run().directory == tmp_path / "runs" / "mlp" / "41"
    assert new_run(recipes["cnn"]).directory == tmp_path / "runs" / "cnn" / "1"


def test_a_loaded_run_equals_the_created_one(new_run):
    recipe = MLP.override(hidden=(9, 8), learning_rate=3e-5, seed=7)
    run = new_run(recipe)
    run.log("history").append(Metrics(0, 2.5, 0.125))
    run.log("history").append(Metrics(99, 1e-07, 1.0))
    again = load_run(run.directory)
    assert again == run
    assert again.result == RESULT
    assert again.history == [Metrics(0, 2.5, 0.125), Metrics(99, 1e-07, 1.0)]


@pytest.mark.parametrize(
    ("finished", "advice"), [(True, "never overwritten"), (False, "add --resume")]
)
def test_a_run_is_never_overwritten(new_run, tmp_path, finished, advice):
    run = new_run(finished=finished, directory=tmp_path / "mine")
    before = (run.directory / "recipe.json").read_bytes()
    with pytest.raises(UsageError, match=advice):
        new_run(MLP.override(seed=1), directory=run.directory)
    assert (run.directory / "recipe.json").read_bytes() == before


def test_a_folder_with_other_files_is_refused_and_unchanged(new_run, tmp_path):
    (tmp_path / "thesis.txt").write_text("dear reader")
    with pytest.raises(UsageError, match="not empty"):
        new_run(directory=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_find_run_finds_the_newest_finished_run(new_run, tmp_path):
    runs = [new_run() for _ in range(11)]
    new_run(finished=False)
    found = find_run(tmp_path / "runs", MLP, BUNDLED_SHA256)
    assert found == runs[-1], "11 is newer than 9, and 12 is unfinished"


def test_find_run_ignores_unfinished_runs(new_run, tmp_path):
    new_run(finished=False)
    assert find_run(tmp_path / "runs", MLP, BUNDLED_SHA256) is None


@pytest.mark.parametrize(
    "change",
    [
        {"iterations": 999},
        {"seed": 1},
        {"batch_size": 64},
        {"learning_rate": 2e-4},
        {"keep_prob": 0.6},
        {"activation": "linear"},
        {"hidden": (512, 256)},
        {"validation_size": 0},
        {"optimizer": "gradient-descent"},
        {"precision": "float32"},
    ],
)
def test_find_run_ignores_runs_of_another_recipe(new_run, tmp_path, change):
    other = new_run(MLP.override(**change))
    assert find_run(tmp_path / "runs", MLP, BUNDLED_SHA256) is None
    assert find_run(tmp_path / "runs", MLP.override(**change), BUNDLED_SHA256) == other


def test_find_run_ignores_runs_on_other_data(new_run, tmp_path):
    other = {**BUNDLED_SHA256, "t10k-labels-idx1-ubyte": "0" * 64}
    run = new_run(sha256=other)
    assert find_run(tmp_path / "runs", MLP, BUNDLED_SHA256) is None
    assert find_run(tmp_path / "runs", MLP, other) == run


@pytest.mark.parametrize("damaged", ["recipe.json", "result.json"])
def test_find_run_and_list_runs_skip_damaged_runs(new_run, tmp_path, damaged):
    good, bad = new_run(), new_run()
    (bad.directory / damaged).write_text("{")
    assert list(list_runs(tmp_path / "runs", "mlp")) == [good]
    assert find_run(tmp_path / "runs", MLP, BUNDLED_SHA256) == good


DAMAGES = {
    "no classes": lambda v: v.pop("classes"),
    "no recipe": lambda v: v.pop("recipe"),
    "negative classes": lambda v: v.update(classes=-1),
    "huge images": lambda v: v.update(image_shape=[28, 2**20]),
    "truth values for sizes": lambda v: v.update(image_shape=[True, 28]),
    "one side": lambda v: v.update(image_shape=[28]),
    "four channels": lambda v: v.update(image_shape=[28, 28, 4]),
    "channels of letters": lambda v: v.update(image_shape=[28, 28, "3"]),
    "too few names": lambda v: v.update(class_names=["cat", "dog"]),
    "names that are numbers": lambda v: v.update(class_names=list(range(10))),
    "names in one word": lambda v: v.update(class_names="abcdefghij"),
    "letters for sizes": lambda v: v.update(image_shape=["a", "b"]),
    "checksum of the wrong type": lambda v: v.update(sha256=5),
    "unknown hyperparameter": lambda v: v["recipe"].update(magic=1),
    "iterations of the wrong type": lambda v: v["recipe"].update(iterations="1"),
    "keep_prob out of bounds": lambda v: v["recipe"].update(keep_prob=7.0),
    "unknown network": lambda v: v["recipe"].update(network="nope"),
    "a function that is not a network": lambda v: v["recipe"].update(network="conv2d"),
    "no hidden layers": lambda v: v["recipe"].update(hidden=None),
    "no activation": lambda v: v["recipe"].update(activation=None),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_recipe_json_that_does_not_describe_a_run_is_refused(new_run, name):
    run = new_run()
    path = run.directory / "recipe.json"
    values = json.loads(path.read_text())
    DAMAGES[name](values)
    path.write_text(json.dumps(values))
    with pytest.raises(MnistGraphError, match=r"recipe\.json does not describe a run"):
        load_run(run.directory)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe\x00", b"[" * 100_000])
def test_recipe_json_that_is_not_a_json_object_is_refused(new_run, content):
    run = new_run()
    (run.directory / "recipe.json").write_bytes(content)
    with pytest.raises(MnistGraphError, match=r"recipe\.json"):
        load_run(run.directory)


def test_a_huge_recipe_json_is_not_read(new_run):
    path = new_run().directory / "recipe.json"
    path.write_bytes(path.read_bytes() + b" " * 2**20)
    with pytest.raises(MnistGraphError, match="too large"):
        load_run(path.parent)


def result_with(accuracy):
    return f'{{"test_accuracy": {accuracy}, "seconds": 1, "iterations_per_second": 1}}'


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", *map(result_with, ('"x"', "NaN", "2", "1" + "0" * 400))]
)
def test_a_damaged_result_json_is_refused(new_run, content):
    run = new_run()
    (run.directory / "result.json").write_text(content)
    with pytest.raises(MnistGraphError, match=r"result\.json"):
        _ = run.result


@pytest.mark.parametrize(
    "rest",
    [
        "1,2\n",
        "a,b,c\n",
        "\xff\n2,0.5,0.5\n",
        "\0\0\0\0\0\n",
        "1" + "0" * 400 + ",1,1\n",
        "-5,1,1\n",
    ],
)
def test_lines_before_a_damaged_one_of_history_csv_are_used(new_run, rest):
    run = new_run()
    content = f"iteration,loss,accuracy\n0,2.5,0.125\n{rest}".encode("latin-1")
    (run.directory / "history.csv").write_bytes(content)
    with pytest.warns(MnistGraphWarning, match=r"history\.csv is damaged from line 3 on"):
        assert run.history == [(0, 2.5, 0.125)]


def test_an_incomplete_last_line_of_history_csv_is_skipped(new_run):
    run = new_run()
    (run.directory / "history.csv").write_text("iteration,loss,accuracy\n0,2.5,0.1\n100,0.3")
    assert run.history == [(0, 2.5, 0.1)]


@pytest.mark.parametrize("name", ["missing", "file", "a" * 300])
def test_load_run_refuses_what_is_not_a_run_directory(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(MnistGraphError, match=r"is not a run directory|cannot read"):
        load_run(tmp_path / name)


@pytest.mark.parametrize("options", ["runs_dir", "directory"])
def test_a_file_in_place_of_the_directory_is_reported(new_run, tmp_path, options):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(MnistGraphError, match="cannot write to"):
        new_run(**{options: tmp_path / "file"})
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def fill_disk(monkeypatch):
    """A function that makes every later write fail, as on a full disk. Mocked, because a disk
    cannot be filled at just the right moment.
    """

    def full(*_):
        raise OSError(28, "No space left on device")

    return lambda: monkeypatch.setattr("mnist_graph.runs.files.os.fsync", full)


def test_a_result_that_cannot_be_written_leaves_no_file(new_run, fill_disk):
    run = new_run(finished=False)
    fill_disk()
    with pytest.raises(MnistGraphError, match="No space left"):
        run.write_result(RESULT)
    assert sorted(path.name for path in run.directory.iterdir()) == ["history.csv", "recipe.json"]


def test_a_history_that_cannot_be_rewritten_is_kept(new_run, fill_disk):
    run = new_run(finished=False)
    run.log("history").append(Metrics(0, 2.5, 0.125))
    fill_disk()
    with pytest.raises(MnistGraphError, match="No space left"):
        run.appender("history", 5)
    assert run.history == [Metrics(0, 2.5, 0.125)]


def test_a_directory_that_cannot_be_filled_is_removed(new_run, tmp_path, fill_disk):
    fill_disk()
    for where in ({}, {"directory": tmp_path / "mine"}):
        with pytest.raises(MnistGraphError, match="No space left"):
            new_run(**where)
    assert not list(tmp_path.rglob("*.json"))
    assert not (tmp_path / "runs" / "mlp" / "1").exists()
    assert not (tmp_path / "mine").exists()


def test_a_directory_is_reused_if_its_process_was_killed_before_training(new_run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    create_unfinished(folder / "recipe.json").write_text("{")
    (folder / "history.csv").write_text("iteration,loss,accuracy\n0,2.5,0.1\n")
    with pytest.raises(MnistGraphError, match="is not empty"):
        new_run(directory=folder)
    assert (folder / "history.csv").read_text().endswith("0.1\n")
    (folder / "history.csv").write_text("iteration,loss,accuracy\n")
    assert new_run(directory=folder).directory == folder


def test_another_hidden_file_is_neither_overwritten_nor_followed(tmp_path):
    path, hidden, target = (tmp_path / name for name in ("a.txt", ".a.txt", "target"))
    target.write_text("mine")
    hidden.symlink_to(target)
    write_whole(path, lambda written: written.write_text("new"))
    assert (path.read_text(), target.read_text()) == ("new", "mine")
    assert sorted(tmp_path.iterdir()) == [hidden, path, target]


def test_a_file_with_the_longest_possible_name_is_written(tmp_path):
    path = tmp_path / ("a" * 251 + ".txt")
    write_whole(path, lambda written: written.write_text("new"))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("options", [{"directory": "loop"}, {"runs_dir": "loop"}])
def test_a_loop_of_links_in_place_of_the_directory_is_reported(new_run, tmp_path, options):
    (tmp_path / "loop").symlink_to("loop")
    (name,) = options
    with pytest.raises(MnistGraphError, match=r"cannot write to .*loop"):
        new_run(**{name: tmp_path / "loop"})


def test_what_cannot_name_a_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="directory must be a path, not None"):
        load_run(None)
    with pytest.raises(UsageError, match="runs_dir must be a path, not 5"):
        list(list_runs(5, "mlp"))
    with pytest.raises(UsageError, match="model must be the name of a recipe, not None"):
        list(list_runs(tmp_path, None))
    with pytest.raises(UsageError, match="recipe must be a Recipe, not 'mlp'"):
        find_run(tmp_path, "mlp", {})
    with pytest.raises(MnistGraphError, match="File name too long"):
        list(list_runs(tmp_path, "m" * 300))
