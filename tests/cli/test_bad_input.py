"""Whatever a user gets wrong is one line on standard error, and nothing half-written."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from helpers import (
    ROOT,
    TEST_IMAGE,
    assert_refused,
    idx_bytes,
    run_command,
    some_mnist,
    write_data,
    write_file,
)
from test_picture import cut, png

from mnist_graph.data.datasets import FILES

SOFTMAX = ("--model", "softmax")
MLP = ("--model", "mlp")

WRONG_WORDS = {
    "no model": ((), "--model is missing"),
    "unknown model": (("--model", "nope"), "there is no model 'nope'"),
    "unknown flag": ((*SOFTMAX, "--nope"), "unrecognized arguments: --nope"),
    "shortened flag": ((*SOFTMAX, "--iter", 3), "unrecognized arguments"),
    "stray word": ((*SOFTMAX, "mlp"), "unrecognized arguments: mlp"),
    "no value": ((*SOFTMAX, "--seed"), "--seed: expected one argument"),
    "no picture": ((*SOFTMAX, "--predict"), "--predict: expected at least one argument"),
    "log-every 0": ((*SOFTMAX, "--log-every", 0), "--log-every must be at least 1, not 0"),
    "log-every -1": ((*SOFTMAX, "--log-every", "-1"), "--log-every must be at least 1"),
    "activation": ((*MLP, "--activation", "swish"), "invalid choice: 'swish'"),
    "optimizer": ((*MLP, "--optimizer", "sgd"), "invalid choice: 'sgd'"),
    "device": ((*MLP, "--device", "tpu"), "invalid choice: 'tpu'"),
    "hidden words": ((*MLP, "--hidden", "a,b"), "is not a list like 512,256,128"),
    "hidden nothing": ((*MLP, "--hidden", ""), "is not a list like 512,256,128"),
    "hidden of softmax": ((*SOFTMAX, "--hidden", 5), "softmax has no hidden"),
    "keep_prob of softmax": ((*SOFTMAX, "--keep-prob", 0.5), "softmax has no keep_prob"),
    "resume and predict": ((*MLP, "--resume", "--predict", "x"), "do not go together"),
    "validation_size": ((*MLP, "--validation-size", 60000), "between 0 and 59999, not 60000"),
    **{
        f"{flag} {value}": ((*MLP, flag, value), said)
        for flag, values, said in [
            ("--iterations", (0, -1), "iterations must be at least 1"),
            ("--batch-size", (0, -128), "batch_size must be at least 1"),
            ("--learning-rate", (0, -0.1, "nan", "inf"), "learning_rate must be a number above"),
            ("--keep-prob", (0, -0.5, 1.01, "nan"), "keep_prob must be above 0 and at most 1"),
            ("--hidden", (0, "10,-1", "70000"), "hidden must be"),
            ("--validation-size", (-1,), "validation_size must be at least 0"),
            ("--seed", (-1,), "seed must be at least 0"),
            ("--iterations", ("many", "1.5", ""), "invalid int value"),
            ("--learning-rate", ("fast",), "invalid float value"),
        ]
        for value in values
    },
}


@pytest.mark.parametrize("name", WRONG_WORDS)
def test_wrong_words_are_a_usage_error(command, tmp_path, name):
    words, said = WRONG_WORDS[name]
    assert_refused(command(*words), 2, said)
    assert list(tmp_path.iterdir()) == []


def nothing(folder, good):
    pass


def replace(name, change):
    """A fault in the data: one file with other bytes; None takes it away."""

    def make(folder, good):
        write_data(folder, *good)
        content = change((folder / name).read_bytes())
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)

    return make


def zipped(change):
    def make(folder, good):
        write_data(folder, *good, zipped=True)
        path = folder / f"{FILES[0]}.gz"
        path.write_bytes(change(path.read_bytes()))

    return make


def labels(change):
    return lambda folder, good: write_data(folder, *change(*good))


WRONG_DATA = {
    "missing": (nothing, "data is no folder"),
    "empty": (lambda folder, good: folder.mkdir(), "holds none of the four IDX files"),
    "a file": (lambda folder, good: folder.write_text(""), "data is no folder"),
    "one file missing": (replace(FILES[2], lambda _: None), f"lacks {FILES[2]}"),
    "truncated gzip": (zipped(lambda content: content[:5000]), "damaged or not gzip"),
    "corrupt gzip": (
        zipped(lambda content: content[:3000] + bytes(99) + content[3099:]),
        "damaged or not gzip",
    ),
    "not gzip": (zipped(lambda _: b"<html>403</html>"), "damaged or not gzip"),
    "wrong magic": (replace(FILES[0], lambda c: b"\1\2\3\4" + c[4:]), "magic number is 0x01020304"),
    "floats": (replace(FILES[1], lambda c: b"\0\0\x0d\1" + c[4:]), "magic number is 0x00000d01"),
    "truncated": (replace(FILES[0], lambda c: c[:-1]), "shorter than its header says"),
    "trailing bytes": (replace(FILES[3], lambda c: c + b"\0"), "longer than its header says"),
    "terabytes": (
        replace(FILES[0], lambda c: idx_bytes([], 0x803, (2**20, 2**11, 2**11))),
        "its header promises 4,398,046,511,104 bytes",
    ),
    "counts differ": (labels(lambda a, b: ((a[0], a[1][1:]), b)), "holds 300 images, but"),
    "unknown labels": (labels(lambda a, b: (a, (b[0], b[1] + 1))), "has the label 10"),
    "one class": (labels(lambda a, b: ((a[0], a[1] * 0), b)), "one class only"),
    "sizes differ": (labels(lambda a, b: (a, (b[0][:, 2:], b[1]))), "differ in size"),
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_wrong_data_is_refused(command, tmp_path, mnist, name):
    make, said = WRONG_DATA[name]
    make(tmp_path / "data", some_mnist(mnist))
    outcome = command(*SOFTMAX, "--validation-size", 9, "--data-dir", "data")
    assert_refused(outcome, 1, said)
    assert not (tmp_path / "runs").exists()


def test_a_folder_with_a_name_that_cannot_be_is_refused(command):
    assert_refused(command(*SOFTMAX, "--data-dir", "a" * 300), 1, "cannot read aaa")


WRONG_PICTURES = {
    "missing": (None, "No such file"),
    "no picture": (b"hello", "is not a picture"),
    "empty": (b"", "is not a picture"),
    "truncated": (cut(TEST_IMAGE.read_bytes()), "is damaged"),
    "bomb": (png(30000, 30000), "more than 64 million pixels"),
}


@pytest.mark.parametrize("name", WRONG_PICTURES)
def test_a_wrong_picture_is_refused_before_anything_is_trained(command, tmp_path, name):
    content, said = WRONG_PICTURES[name]
    if content is not None:
        write_file(tmp_path, "it.png", content)
    assert_refused(command(*MLP, "--predict", "it.png"), 1, "it.png", said)
    assert not (tmp_path / "runs").exists()


def test_a_folder_is_no_picture(command):
    assert_refused(command(*MLP, "--predict", "."), 1, "cannot read .: Is a directory")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--json",), "--json goes with --predict"),
        (("--probabilities",), "--probabilities goes with --predict"),
        (("--annotate", "x"), "--annotate goes with --predict"),
        (("--min-probability", "0.3"), "--min-probability goes with --predict"),
        (("--predict", "a.png", "--min-probability", "1.5"), "from 0 to 1, not 1.5"),
        (("--predict", "a.png", "--min-probability", "nan"), "from 0 to 1, not nan"),
        (("--predict", "a.png", "--json", "--probabilities"), "leave out --probabilities"),
    ],
)
def test_flags_of_reading_that_make_no_sense(command, flags, said):
    assert_refused(command(*MLP, *flags), 2, said)


def test_a_name_with_a_newline_is_still_one_line(command):
    assert_refused(command(*MLP, "--predict", "a\nb\r.png"), 1, "a b .png")


def rewrite_recipe(directory, **changes):
    path = directory / "recipe.json"
    values = json.loads(path.read_text())
    values["recipe"].update(changes)
    path.write_text(json.dumps(values))


def damage_checkpoint(directory):
    (path,) = directory.glob("checkpoint-*/model.data*")
    os.truncate(path, 100)


WRONG_RUNS = {
    "is none": (lambda run: (run / "recipe.json").unlink(), 1, "is not a run directory"),
    "is not there": (lambda run: run.rename(run.parent / "x"), 1, "is not a run directory"),
    "no JSON": (lambda run: (run / "recipe.json").write_text("{"), 1, "recipe.json is damaged"),
    "no network": (lambda run: rewrite_recipe(run, network="os"), 1, "does not describe a run"),
    "no numbers": (lambda run: rewrite_recipe(run, seed="x"), 1, "does not describe a run"),
    "other model": (
        lambda run: rewrite_recipe(run, model="cnn"),
        2,
        "a run of cnn, not of softmax",
    ),
    "damaged result": (lambda run: (run / "result.json").write_text("["), 1, "result.json is"),
    "unfinished": (lambda run: (run / "result.json").unlink(), 1, "is not finished"),
    "damaged checkpoint": (damage_checkpoint, 1, "is damaged (model.data-00000"),
}


@pytest.mark.parametrize("name", WRONG_RUNS)
def test_a_wrong_run_directory_is_refused(command, tmp_path, name):
    damage, code, said = WRONG_RUNS[name]
    words = (*SOFTMAX, "--run-dir", "mine")
    assert command(*words, "--iterations", 2).code == 0
    damage(tmp_path / "mine")
    assert_refused(command(*words, "--predict", TEST_IMAGE), code, said)


def test_a_run_that_differs_from_the_flags_is_refused_with_the_difference(command, tmp_path):
    command(*SOFTMAX, "--iterations", 2, "--run-dir", "mine")
    outcome = command(*SOFTMAX, "--seed", 3, "--run-dir", "mine", "--predict", TEST_IMAGE)
    assert_refused(outcome, 2, "in mine seed is 0, not 3")


def test_a_finished_run_is_never_overwritten(command, tmp_path):
    words = (*SOFTMAX, "--iterations", 2, "--run-dir", "mine")
    command(*words)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert_refused(command(*words), 2, "finished run, which is never overwritten")
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("words", [(), ("--run-dir", "runs"), ("--run-dir", "runs/deep")])
def test_a_file_where_the_directory_should_be_is_reported(command, tmp_path, words):
    (tmp_path / "runs").write_text("mine")
    assert_refused(command(*SOFTMAX, *words), 1, "cannot write to runs")
    assert (tmp_path / "runs").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_reported(command, tmp_path):
    (tmp_path / "runs").mkdir(mode=0o500)
    assert_refused(command(*SOFTMAX), 1, "cannot write to runs", "Permission denied")


def limited(size):
    """No file of more than `size` bytes: what a full disk or a used-up quota does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture
def uncovered(monkeypatch):
    """What measures coverage writes files of its own, and complains where it cannot."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def test_a_full_disk_leaves_no_half_checkpoint(tmp_path, uncovered):
    outcome = run_command(
        tmp_path, *SOFTMAX, "--iterations", 2, "--quiet", preexec_fn=limited(8192)
    )
    said = "cannot write to runs/softmax/1: File too large; not kept is a training to the end"
    *notes, error = outcome.err.splitlines(keepends=True)
    assert_refused(outcome._replace(err=error), 1, said)
    assert len(notes) == 2
    assert "its digits cannot be looked at" in notes[0] + notes[1]
    assert "TensorBoard will not see the rest" in notes[0] + notes[1]
    names = {path.name for path in (tmp_path / "runs" / "softmax" / "1").iterdir()}
    assert not [name for name in names if "checkpoint" in name or name.endswith(".npz")]
    assert "result.json" not in names


def test_a_disk_that_is_full_from_the_start_leaves_no_run(tmp_path, uncovered):
    outcome = run_command(tmp_path, *SOFTMAX, "--quiet", preexec_fn=limited(64))
    assert_refused(outcome, 1, "cannot write to runs/softmax/1")
    assert list((tmp_path / "runs" / "softmax").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_reported(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, ROOT / "main.py", "--list-models"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == (
        "mnist-graph: error: cannot write to standard output: No space left on device\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize(("closed", "code"), [("2>&-", 0), (">&-", 0), ("2>&- --nope", 2)])
def test_a_closed_stream_is_no_error(tmp_path, closed, code):
    line = f"{sys.executable} {ROOT / 'main.py'} --list-models {closed}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert ("softmax" in done.stdout) == (closed == "2>&-")


def test_a_batch_beyond_the_memory_is_reported(command, monkeypatch):
    """Mocked: to use up a machine's memory for real would be rude to its other users."""

    def exhaust(*_):
        raise MemoryError

    monkeypatch.setattr("mnist_graph.data.batches.batch_indices", exhaust)
    outcome = command(*SOFTMAX, "--batch-size", 10**9, "--quiet")
    assert_refused(outcome, 1, "out of memory; try a smaller --batch-size")


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
@pytest.mark.parametrize("words", [(), ("--predict", TEST_IMAGE)])
def test_a_gpu_that_is_not_there_is_refused(command, tmp_path, words):
    outcome = command(*SOFTMAX, "--quiet", "--device", "gpu", *words)
    assert_refused(outcome, 1, "finds no GPU", "pip install 'tensorflow[and-cuda]'")
    assert not (tmp_path / "runs").exists()


def test_a_loss_that_is_no_number_is_reported(command, tmp_path):
    outcome = command(*SOFTMAX, "--learning-rate", "1e38", "--quiet", "--log-every", 1)
    assert_refused(outcome, 1, "the loss is", "lower --learning-rate")
    assert not list(tmp_path.rglob("result.json"))


def test_a_network_beyond_all_memory_is_refused_and_leaves_no_run(command, tmp_path):
    outcome = command("--model", "mlp", "--hidden", "65536,65536")
    assert_refused(outcome, 2, "4,347,133,962 parameters", "try a smaller --hidden")
    assert not (tmp_path / "runs").exists()


def test_images_too_large_to_learn_from_are_refused(command, tmp_path):
    large = (np.zeros((2, 300, 300)), np.arange(2))
    write_data(tmp_path / "data", large, large)
    outcome = command(*SOFTMAX, "--data-dir", "data", "--validation-size", 0)
    assert_refused(outcome, 1, "images of 300x300 are too large")
