"""What the command prints and saves, and how it reads pictures."""

import csv
import re

import pytest
from helpers import (
    CLASSICS,
    LINE,
    TEST_IMAGE,
    drawing,
    printed,
    run_main,
    same_variables,
    some_mnist,
    test_ink,
    write_data,
)

from mnist_graph import recipes
from mnist_graph.cli.hooks import PrintLines
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Metrics

SHORT = ("--model", "softmax", "--iterations", "20")


def test_lines_are_those_of_the_tutorials(capsys):
    PrintLines().evaluated(Metrics(0, 3.67079, 0.140625))
    PrintLines().evaluated(Metrics(100, 0.492122, 0.84375))
    assert capsys.readouterr().out == (
        "Iteration 0     | Loss = 3.67079        | Accuracy = 0.140625\n"
        "Iteration 100   | Loss = 0.492122       | Accuracy = 0.84375\n"
    )


@pytest.mark.parametrize("model", ["softmax", "mlp", pytest.param("cnn", marks=pytest.mark.slow)])
def test_training_prints_only_its_lines_and_the_test_accuracy(trained, model):
    run = trained(model)
    *lines, last = run.outcome.out.splitlines()
    iterations = load_run(run.directory).recipe.iterations
    for line in lines:
        assert LINE.fullmatch(line)
        assert [line.index("|"), line.rindex("|")] == [16, 40]
    numbers = [int(number) for number, _, _ in printed(run.outcome.out)]
    assert numbers == [*range(0, iterations, 100), iterations - 1]
    assert re.fullmatch(r"Accuracy on test set: 0\.\d{1,4}", last)
    assert run.outcome.code == 0
    assert run.outcome.err.splitlines()[-1] == f"mnist-graph: saved to runs/{model}/1"


@pytest.mark.parametrize(
    ("every", "iterations", "expected"),
    [
        (7, 20, [0, 7, 14, 19]),
        (10, 21, [0, 10, 20]),
        (100, 1, [0]),
        (1, 3, [0, 1, 2]),
        (5, 5, [0, 4]),
    ],
)
def test_lines_are_printed_every_log_every_iterations_and_at_the_end(
    command, every, iterations, expected
):
    outcome = command("--model", "softmax", "--iterations", iterations, "--log-every", every)
    assert [int(number) for number, _, _ in printed(outcome.out)] == expected


def test_the_same_seed_gives_the_same_lines_and_weights(command, tmp_path):
    words = ("--model", "mlp", "--iterations", "25", "--hidden", "40,30")
    first, second, other = command(*words), command(*words), command(*words, "--seed", "1")
    assert first.out == second.out != other.out
    runs = tmp_path / "runs" / "mlp"
    assert same_variables(runs / "1", runs / "2")
    assert not same_variables(runs / "1", runs / "3")


def test_quiet_prints_only_the_result(command):
    outcome = command(*SHORT, "--quiet")
    assert re.fullmatch(r"Accuracy on test set: 0\.\d+\n", outcome.out)
    assert outcome.err == ""


def test_flags_set_the_hyperparameters(command, tmp_path):
    changes = {
        "iterations": 2,
        "batch_size": 7,
        "learning_rate": 0.25,
        "optimizer": "gradient-descent",
        "schedule": "one-cycle",
        "keep_prob": 0.75,
        "hidden": (5, 6),
        "activation": "tanh",
        "validation_size": 100,
        "precision": "auto",
        "seed": 2**70,
    }
    words = []
    for name, value in changes.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    assert command("--model", "mlp", *words).code == 0
    run = load_run(tmp_path / "runs" / "mlp" / "1")
    assert run.recipe == recipes["mlp"].override(**changes)


def test_help_shows_the_flags_by_purpose_and_names_every_model(command):
    outcome = command("--help")
    assert (outcome.code, outcome.err) == (0, "")
    groups = dict(re.findall(r"^(\w[^\n]*):\n((?:  .*\n?)+)", outcome.out, flags=re.MULTILINE))
    expected = {
        "train": "--model",
        "hyperparameters (default: the recipe's)": "--set",
        "predict": "--predict",
        "collect digits of your own": "--collect",
        "look": "--evaluate",
        "export": "--export",
        "serve": "--host",
        "experiments": "--sweep",
        "resume and runs": "--resume",
        "train on several processes or machines (TF_CONFIG)": "--workers",
    }
    assert list(groups) == ["options", *expected]
    for group, flag in expected.items():
        assert f"  {flag} " in groups[group]
    assert ", ".join(recipes) in " ".join(groups["train"].split())


def predict(run, *words):
    """Repeat the command of a shared run with more words; assert that it trains nothing."""
    before = sorted(run.directory.parent.iterdir())  # another test may train another model there
    outcome = run_main(run.cwd, *run.words, *words)
    assert sorted(run.directory.parent.iterdir()) == before
    return outcome


@pytest.mark.parametrize("model", CLASSICS)
def test_predict_reads_the_test_image(trained, model):
    outcome = predict(trained(model), "--predict", TEST_IMAGE)
    assert outcome == (0, "Prediction for test image: 2\n", "")


def test_predict_prints_a_line_per_picture(trained, tmp_path):
    other = tmp_path / "other.png"
    drawing(test_ink()).save(other)
    outcome = predict(trained("mlp"), "--predict", TEST_IMAGE, other, TEST_IMAGE)
    line = f"{TEST_IMAGE}: 2\n"
    assert outcome == (0, f"{line}{other}: 2\n{line}", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_predict_reports_bad_pictures_and_reads_the_others(trained, tmp_path, quiet):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"text")
    flags = ["--quiet"] if quiet else []
    outcome = predict(trained("mlp"), *flags, "--predict", TEST_IMAGE, bad, "missing.png")
    assert outcome.code == 1
    assert outcome.out == f"{TEST_IMAGE}: 2\n"
    errors = outcome.err.splitlines()
    assert len(errors) == 2
    assert errors[0] == f"mnist-graph: error: {bad} is not a picture that can be read"
    assert errors[1].startswith("mnist-graph: error: cannot read missing.png")


def test_predict_trains_first_if_there_is_no_run(command, tmp_path):
    words = ("--model", "mlp", "--iterations", "300", "--learning-rate", "0.001")
    first = command(*words, "--predict", TEST_IMAGE, "--log-every", 299)
    lines = first.out.splitlines()
    assert [bool(LINE.fullmatch(line)) for line in lines] == [True, True, False, False]
    assert lines[2].startswith("Accuracy on test set: ")
    assert lines[3] == "Prediction for test image: 2"
    assert "no finished run of this recipe in runs/: training it first" in first.err
    second = command(*words, "--predict", TEST_IMAGE)
    assert second == (0, "Prediction for test image: 2\n", "")
    assert [path.name for path in (tmp_path / "runs" / "mlp").iterdir()] == ["1"]


@pytest.mark.parametrize("change", [("--seed", 5), ("--batch-size", 99), ("--keep-prob", 1)])
def test_predict_ignores_runs_of_another_recipe(command, tmp_path, change):
    words = ("--model", "mlp", "--iterations", 2, "--hidden", 9)
    command(*words)
    outcome = command(*words, *change, "--predict", TEST_IMAGE)
    assert "training it first" in outcome.err
    assert (tmp_path / "runs" / "mlp" / "2").is_dir()


def test_predict_ignores_unfinished_runs(command, tmp_path):
    command(*SHORT)
    (tmp_path / "runs" / "softmax" / "1" / "result.json").unlink()
    assert "training it first" in command(*SHORT, "--predict", TEST_IMAGE).err


@pytest.mark.parametrize("model", [("--model", "mlp"), ()])
def test_predict_uses_the_run_in_run_dir(trained, command, tmp_path, model):
    directory = trained("mlp").directory
    words = (*model, "--run-dir", directory, "--predict", TEST_IMAGE)
    assert command(*words) == (0, "Prediction for test image: 2\n", "")
    assert not (tmp_path / "runs").exists()


def test_predict_ignores_runs_on_other_data(command, mnist, tmp_path):
    write_data(tmp_path / "data", *some_mnist(mnist))
    words = ("--model", "softmax", "--iterations", 3, "--validation-size", 9)
    command(*words)
    on_data = (*words, "--data-dir", "data", "--predict", TEST_IMAGE)
    assert "training it first" in command(*on_data).err
    assert "training it first" not in command(*on_data).err
    assert load_run(tmp_path / "runs" / "softmax" / "2").classes == 10


def test_run_dir_says_where_the_run_is_saved(command, tmp_path):
    assert command(*SHORT, "--run-dir", "deep/er/mine").code == 0
    assert load_run(tmp_path / "deep" / "er" / "mine").result is not None
    assert not (tmp_path / "runs").exists()


def test_runs_can_be_a_symbolic_link(command, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").symlink_to("elsewhere", target_is_directory=True)
    trained = command(*SHORT)
    assert trained.code == 0, trained.err
    run = tmp_path / "elsewhere" / "softmax" / "1"
    assert load_run(run).result is not None
    predicted = command(*SHORT, "--predict", TEST_IMAGE)
    assert predicted.code == 0, predicted.err
    assert re.fullmatch(r"Prediction for test image: \d\n", predicted.out)
    evaluated = command(*SHORT, "--evaluate")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.out.splitlines()[0] == trained.out.splitlines()[-1]
    assert (run / "mistakes.png").is_file()
    (run / "result.json").unlink()
    resumed = command("--model", "softmax", "--resume")
    assert resumed.code == 0, resumed.err
    assert resumed.out == trained.out.splitlines(keepends=True)[-1]
    assert sorted(path.name for path in run.parent.iterdir()) == ["1"]


@pytest.mark.parametrize("model", CLASSICS)
@pytest.mark.parametrize(
    ("zipped", "classes", "rows", "columns"),
    [
        (False, 3, slice(None), slice(None)),
        (True, 256, slice(4, 24), slice(8, 20)),
        (True, 2, slice(9, 20), slice(None)),
    ],
    ids=["3 classes", "256 classes of 20x12", "2 classes of 11x28"],
)
def test_data_dir_gives_other_data(command, tmp_path, mnist, model, zipped, classes, rows, columns):
    train, test = some_mnist(mnist, 600, classes, rows, columns)
    write_data(tmp_path / "data", train, test, zipped)
    words = ("--model", model, "--iterations", 2, "--validation-size", 50, "--data-dir", "data")
    outcome = command(*words)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("Iteration") == 2
    run = load_run(tmp_path / "runs" / model / "1")
    assert (run.classes, run.image_shape) == (classes, train[0].shape[1:])


def test_history_csv_has_the_printed_lines(command, tmp_path):
    outcome = command(*SHORT, "--log-every", 6)
    with (tmp_path / "runs" / "softmax" / "1" / "history.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["iteration", "loss", "accuracy"]
    assert [tuple(row) for row in rows] == printed(outcome.out)
