"""A user's mistake gives one line on standard error, and leaves nothing half-written."""

import json
import os
import re
import resource
import signal
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
    inherited,
    png_bytes,
    run_command,
    some_mnist,
    write_data,
    write_file,
)
from PIL import Image

from mnist_graph.data.datasets import FILES

SOFTMAX = ("--model", "softmax")
MLP = ("--model", "mlp")

INVALID_FLAGS = {
    "no model": ((), "--model is missing (see --list-models)"),
    "no model for a new run": (("--run-dir", "new"), "--model is missing (see --list-models)"),
    "unknown model": (("--model", "nope"), "there is no model 'nope'; there are softmax, mlp, cnn"),
    "mistyped model": (("--model", "mpl"), "there is no model 'mpl'; did you mean mlp?"),
    "unknown flag": ((*SOFTMAX, "--zz"), "there is no flag '--zz' (see --help)"),
    "mistyped flag": (("--modle", "mlp"), "there is no flag '--modle'; did you mean --model?"),
    "mistyped flag with =": (
        (*MLP, "--sead=3"),
        "there is no flag '--sead'; did you mean --seed?",
    ),
    "abbreviated flag": ((*SOFTMAX, "--iter", 3), "there is no flag '--iter'"),
    "stray word": ((*SOFTMAX, "mlp"), "unexpected argument 'mlp' (see --help)"),
    "no value": ((*SOFTMAX, "--seed"), "--seed: expected one argument"),
    "no picture": ((*SOFTMAX, "--predict"), "--predict: expected at least one argument"),
    "log-every 0": ((*SOFTMAX, "--log-every", 0), "--log-every must be at least 1, not 0"),
    "log-every -1": ((*SOFTMAX, "--log-every", "-1"), "--log-every must be at least 1"),
    "save-every -1": ((*SOFTMAX, "--save-every", "-1"), "--save-every must be at least 0"),
    "save-every nan": ((*SOFTMAX, "--save-every", "nan"), "--save-every must be at least 0"),
    "activation": ((*MLP, "--activation", "swish"), "invalid choice: 'swish'"),
    "optimizer": ((*MLP, "--optimizer", "sgd"), "invalid choice: 'sgd'"),
    "device": ((*MLP, "--device", "tpu"), "invalid choice: 'tpu'"),
    "hidden of letters": ((*MLP, "--hidden", "a,b"), "is not a list like 512,256,128"),
    "empty hidden": ((*MLP, "--hidden", ""), "is not a list like 512,256,128"),
    "hidden of softmax": ((*SOFTMAX, "--hidden", 5), "softmax has no hidden"),
    "keep_prob of softmax": ((*SOFTMAX, "--keep-prob", 0.5), "softmax has no keep_prob"),
    "resume and predict": (
        (*MLP, "--resume", "--predict", "x"),
        "--resume and --predict cannot be used together",
    ),
    "describe and evaluate": (
        (*MLP, "--describe", "--evaluate"),
        "--evaluate and --describe cannot be used together",
    ),
    "resume and plot": ((*MLP, "--resume", "--plot", "a"), "--resume and --plot cannot be used"),
    "describe without a model": (("--describe",), "--model is missing"),
    "evaluate and json": ((*MLP, "--evaluate", "--json"), "--json needs --predict"),
    "json": ((*MLP, "--json"), "--json needs --predict"),
    "probabilities": ((*MLP, "--probabilities"), "--probabilities needs --predict"),
    "annotate": ((*MLP, "--annotate", "x"), "--annotate needs --predict"),
    "min-probability": ((*MLP, "--min-probability", 0.3), "--min-probability needs --predict"),
    "min-probability 0": ((*MLP, "--min-probability", 0), "--min-probability needs --predict"),
    "min-probability 1.5": (
        (*MLP, "--predict", "a.png", "--min-probability", 1.5),
        "--min-probability must be from 0 to 1, not 1.5",
    ),
    "min-probability nan": (
        (*MLP, "--predict", "a.png", "--min-probability", "nan"),
        "--min-probability must be from 0 to 1, not nan",
    ),
    "json and probabilities": (
        (*MLP, "--predict", "a.png", "--json", "--probabilities"),
        "leave out --probabilities",
    ),
    "a very long value": ((*MLP, "--set", "x" * 5000), f"{'x' * 400} ... {'x' * 400}"),
    **{
        f"empty {flag}": ((*MLP, *words, flag, ""), f"{flag} has an empty value")
        for flag, words in [
            ("--data-dir", ()),
            ("--run-dir", ()),
            ("--watch", ()),
            ("--predict", ()),
            ("--annotate", ("--predict", TEST_IMAGE)),
        ]
    },
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
"""Words of a command, and a part of the answer."""


@pytest.mark.parametrize("name", INVALID_FLAGS)
def test_invalid_flags_are_a_usage_error(command, tmp_path, name):
    words, said = INVALID_FLAGS[name]
    assert_refused(command(*words), 2, said)
    assert list(tmp_path.iterdir()) == []


def write_nothing(folder, good):
    pass


def with_file(name, change):
    """Data in which one file has other bytes; None removes it."""

    def make(folder, good):
        write_data(folder, *good)
        content = change((folder / name).read_bytes())
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)

    return make


def with_gzip(change):
    """Compressed data in which the training images have other bytes."""

    def make(folder, good):
        write_data(folder, *good, zipped=True)
        path = folder / f"{FILES[0]}.gz"
        path.write_bytes(change(path.read_bytes()))

    return make


def with_arrays(change):
    """Data with other pixels or labels."""
    return lambda folder, good: write_data(folder, *change(*good))


BAD_DATA = {
    "missing": (write_nothing, "data is not a folder"),
    "empty": (lambda folder, good: folder.mkdir(), "has none of the four IDX files"),
    "a file": (lambda folder, good: folder.write_text(""), "data is not a folder"),
    "one file missing": (with_file(FILES[2], lambda _: None), f"lacks {FILES[2]}"),
    "truncated gzip": (with_gzip(lambda content: content[:5000]), "damaged or not gzip"),
    "corrupt gzip": (
        with_gzip(lambda content: content[:3000] + bytes(99) + content[3099:]),
        "damaged or not gzip",
    ),
    "not gzip": (with_gzip(lambda _: b"<html>403</html>"), "damaged or not gzip"),
    "wrong magic number": (
        with_file(FILES[0], lambda c: b"\1\2\3\4" + c[4:]),
        "magic number is 0x01020304",
    ),
    "floats": (with_file(FILES[1], lambda c: b"\0\0\x0d\1" + c[4:]), "magic number is 0x00000d01"),
    "truncated": (with_file(FILES[0], lambda c: c[:-1]), "shorter than its header says"),
    "trailing bytes": (with_file(FILES[3], lambda c: c + b"\0"), "longer than its header says"),
    "terabytes": (
        with_file(FILES[0], lambda c: idx_bytes([], 0x803, (2**20, 2**11, 2**11))),
        "its header promises 4,398,046,511,104 bytes",
    ),
    "counts differ": (with_arrays(lambda a, b: ((a[0], a[1][1:]), b)), "has 300 images, but"),
    "unknown label": (with_arrays(lambda a, b: (a, (b[0], b[1] + 1))), "has label 10"),
    "one class": (with_arrays(lambda a, b: ((a[0], a[1] * 0), b)), "has only one class"),
    "sizes differ": (with_arrays(lambda a, b: (a, (b[0][:, 2:], b[1]))), "differ in size"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_refused(command, tmp_path, mnist, name):
    make, said = BAD_DATA[name]
    make(tmp_path / "data", some_mnist(mnist))
    outcome = command(*SOFTMAX, "--validation-size", 9, "--data-dir", "data")
    assert_refused(outcome, 1, said)
    assert not (tmp_path / "runs").exists()


def test_a_folder_name_that_is_too_long_is_refused(command):
    assert_refused(command(*SOFTMAX, "--data-dir", "a" * 300), 1, "cannot read aaa")


BAD_PICTURES = {
    "missing": (None, "No such file"),
    "text": (b"hello", "is not a picture"),
    "empty": (b"", "is not a picture"),
    "truncated": (TEST_IMAGE.read_bytes()[: TEST_IMAGE.stat().st_size // 2], "is damaged"),
    "bomb": (png_bytes(30000, 30000), "more than 64 million pixels"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_is_refused_before_training(command, tmp_path, name):
    content, said = BAD_PICTURES[name]
    if content is not None:
        write_file(tmp_path, "it.png", content)
    assert_refused(command(*MLP, "--predict", "it.png"), 1, "it.png", said)
    assert not (tmp_path / "runs").exists()


def test_a_name_with_line_breaks_is_reported_in_one_line(command):
    assert_refused(command(*MLP, "--predict", "a\nb\r.png"), 1, "a b .png")


def test_a_picture_without_digits_gives_exit_code_1(command, tmp_path):
    Image.new("L", (60, 60), 255).save(tmp_path / "blank.png")
    words = (*SOFTMAX, "--iterations", 1, "--quiet")
    assert command(*words).code == 0
    outcome = command(*words, "--predict", "blank.png")
    assert outcome == (1, "", "mnist-graph: blank.png: no digit found\n")


def rewrite_recipe(directory, **changes):
    path = directory / "recipe.json"
    values = json.loads(path.read_text())
    values["recipe"].update(changes)
    path.write_text(json.dumps(values))


def damage_checkpoint(directory):
    (path,) = directory.glob("checkpoint-*/model.data*")
    os.truncate(path, 100)


BAD_RUNS = {
    "no recipe": (lambda run: (run / "recipe.json").unlink(), 1, "is not a run directory"),
    "missing": (lambda run: run.rename(run.parent / "x"), 1, "is not a run directory"),
    "not JSON": (lambda run: (run / "recipe.json").write_text("{"), 1, "recipe.json is damaged"),
    "unknown network": (lambda run: rewrite_recipe(run, network="os"), 1, "does not describe"),
    "seed of letters": (lambda run: rewrite_recipe(run, seed="x"), 1, "does not describe a run"),
    "other model": (
        lambda run: rewrite_recipe(run, model="cnn"),
        2,
        "mine is a run of cnn, not of softmax",
    ),
    "damaged result": (lambda run: (run / "result.json").write_text("["), 1, "result.json is"),
    "unfinished": (lambda run: (run / "result.json").unlink(), 1, "mine is not finished"),
    "damaged checkpoint": (damage_checkpoint, 1, "is damaged (model.data-00000"),
}


@pytest.mark.parametrize("name", BAD_RUNS)
def test_a_bad_run_directory_is_refused(command, tmp_path, name):
    damage, code, said = BAD_RUNS[name]
    words = (*SOFTMAX, "--run-dir", "mine")
    assert command(*words, "--iterations", 2).code == 0
    damage(tmp_path / "mine")
    assert_refused(command(*words, "--predict", TEST_IMAGE), code, said)


def test_predict_refuses_a_run_with_other_hyperparameters(command, tmp_path):
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
def test_a_file_in_place_of_the_directory_is_reported(command, tmp_path, words):
    (tmp_path / "runs").write_text("mine")
    assert_refused(command(*SOFTMAX, *words), 1, "cannot write to runs")
    assert (tmp_path / "runs").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_reported(command, tmp_path):
    (tmp_path / "runs").mkdir(mode=0o500)
    assert_refused(command(*SOFTMAX), 1, "cannot write to runs", "Permission denied")


def limit_file_size(size):
    """Make every file end at `size` bytes, as a full disk or an exhausted quota does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture
def without_coverage(monkeypatch):
    """Keep coverage from measuring the process: it writes files and complains if it cannot."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def test_a_full_disk_leaves_no_partial_checkpoint(tmp_path, without_coverage):
    outcome = run_command(
        tmp_path, *SOFTMAX, "--iterations", 2, "--quiet", preexec_fn=limit_file_size(8192)
    )
    *notes, error = outcome.err.splitlines(keepends=True)
    said = "cannot write to runs/softmax/1: File too large; training finished (test accuracy 0."
    assert_refused(outcome._replace(err=error), 1, said, "but could not be saved")
    assert len(notes) == 2
    assert "the panels will not show its digits" in notes[0] + notes[1]
    assert "TensorBoard will not show the rest" in notes[0] + notes[1]
    names = {path.name for path in (tmp_path / "runs" / "softmax" / "1").iterdir()}
    assert not [name for name in names if "checkpoint" in name or name.endswith(".npz")]
    assert "result.json" not in names


@pytest.mark.slow
def test_a_disk_that_is_full_from_the_start_leaves_no_run(tmp_path, without_coverage):
    outcome = run_command(tmp_path, *SOFTMAX, "--quiet", preexec_fn=limit_file_size(64))
    assert_refused(outcome, 1, "cannot write to runs/softmax/1")
    assert list((tmp_path / "runs" / "softmax").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("flag", ["--list-models", "--help"])
def test_a_full_standard_output_is_reported(flag):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, ROOT / "main.py", flag],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == (
        "mnist-graph: error: cannot write to standard output: No space left on device\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize(("closed", "code"), [("2>&-", 0), (">&-", 0), ("2>&- --nope", 2)])
def test_a_closed_stream_is_not_an_error(closed, code):
    line = f"{sys.executable} {ROOT / 'main.py'} --list-models {closed}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert ("softmax" in done.stdout) == (closed == "2>&-")


def test_running_out_of_memory_is_reported(command, monkeypatch):
    """Mocked, because really using up the memory would disturb other processes."""

    def exhaust(*_):
        raise MemoryError

    monkeypatch.setattr("mnist_graph.data.batches.batch_indices", exhaust)
    outcome = command(*SOFTMAX, "--batch-size", 50_000, "--quiet")
    assert_refused(outcome, 1, "out of memory; try a smaller --batch-size")


@pytest.mark.slow
def test_running_out_of_memory_in_tensorflow_is_reported(tmp_path):
    line = f"ulimit -v 3000000; {sys.executable} {ROOT / 'main.py'} --model cnn --batch-size 50000"
    command = ["bash", "-c", f"{line} --quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=inherited())
    if done.returncode == -signal.SIGSEGV:
        pytest.skip("TensorFlow itself crashes on this processor when memory runs out")
    said = rb"mnist-graph: error: out of memory on the CPU .*; try a smaller --batch-size .*\n"
    assert re.fullmatch(said, done.stderr)
    assert (done.returncode, done.stdout) == (1, b"")
    assert list((tmp_path / "runs" / "cnn").iterdir()) == []


@pytest.mark.parametrize("words", [(), ("--predict", TEST_IMAGE)])
def test_a_batch_larger_than_the_training_set_is_refused(command, tmp_path, words):
    outcome = command(*SOFTMAX, "--quiet", "--batch-size", 55_001, *words)
    said = "batch_size is 55,001, but there are only 55,000 training images"
    assert_refused(outcome, 2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_of_the_whole_training_set_is_trained_on(command, tmp_path, mnist):
    write_data(tmp_path / "data", *some_mnist(mnist, 100))
    words = (*SOFTMAX, "--iterations", 2, "--data-dir", "data", "--validation-size", 10)
    assert_refused(command(*words, "--quiet", "--batch-size", 91), 2, "batch_size is 91")
    assert command(*words, "--batch-size", 90).code == 0


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
@pytest.mark.parametrize("words", [(), ("--predict", TEST_IMAGE)])
def test_a_missing_gpu_is_refused(command, tmp_path, words):
    outcome = command(*SOFTMAX, "--quiet", "--device", "gpu", *words)
    assert_refused(outcome, 1, "finds no GPU", "pip install 'tensorflow[and-cuda]'")
    assert not (tmp_path / "runs").exists()


def test_an_infinite_loss_is_reported(command, tmp_path):
    outcome = command(*SOFTMAX, "--learning-rate", "1e38", "--quiet", "--log-every", 1)
    assert_refused(outcome, 1, "the loss is", "lower --learning-rate")
    assert not list(tmp_path.rglob("result.json"))


def test_a_network_that_needs_too_much_memory_is_refused(command, tmp_path):
    outcome = command("--model", "mlp", "--hidden", "65536,65536")
    assert_refused(outcome, 2, "4,347,133,962 parameters", "try a smaller --hidden")
    assert not (tmp_path / "runs").exists()


def test_images_that_are_too_large_are_refused(command, tmp_path):
    large = (np.zeros((2, 300, 300)), np.arange(2))
    write_data(tmp_path / "data", large, large)
    outcome = command(*SOFTMAX, "--data-dir", "data", "--validation-size", 0)
    assert_refused(outcome, 1, "images of 300x300 are too large")
