"""The command in a process of its own: its imports, its output, its exit code, its environment."""

import re

import pytest
from helpers import assert_refused, run_command, run_python

SHORT = ("--model", "softmax", "--iterations", "1")


def test_training_prints_nothing_of_tensorflows(tmp_path):
    outcome = run_command(tmp_path, "--model", "softmax", "--iterations", "20")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 3
    notes = outcome.err.splitlines()
    assert len(notes) == 2
    assert re.fullmatch(r"mnist-graph: training softmax on the \wPU .*", notes[0])
    assert notes[1] == "mnist-graph: saved to runs/softmax/1"
    assert (tmp_path / "runs" / "softmax" / "1" / "result.json").is_file()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--list-models",), 0),
        (("--help",), 0),
        (("--model", "nope"), 2),
        (("--model", "mlp", "--set", "beta1=2"), 2),
        (("--model", "mlp", "--data-dir", "missing"), 1),
        (("--model", "mlp", "--predict", "missing.png"), 1),
        (("--model", "mlp", "--resume"), 1),
    ],
)
def test_exit_code(tmp_path, words, code):
    outcome = run_command(tmp_path, *words)
    assert outcome.code == code
    if code == 0:
        assert outcome.err == ""
    else:
        assert_refused(outcome, code)
    assert list(tmp_path.iterdir()) == []


LIGHT_COMMANDS = """
import contextlib, io, sys
from mnist_graph.cli import main
import mnist_graph
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for words in (["--help"], ["--list-models"], ["--nope"], ["--model", "nope"]):
        try:
            main(words)
        except SystemExit:
            pass
print(sorted({"tensorflow", "numpy", "PIL"} & set(sys.modules)))
"""


def test_help_and_mistyped_flags_do_not_import_tensorflow():
    assert run_python(LIGHT_COMMANDS) == (0, "[]\n", "")


TRAIN = """
import sys
from mnist_graph.cli import main
code = main([*{words}, "--quiet", "--run-dir", {folder!r}])
print(code, sorted({{"keras", "matplotlib", "sklearn", "cv2"}} & set(sys.modules)))
"""


def test_training_imports_neither_keras_nor_matplotlib(tmp_path):
    code = TRAIN.format(words=SHORT, folder=str(tmp_path / "run"))
    outcome = run_python(code, TF_CPP_MIN_LOG_LEVEL=None)
    accuracy, last = outcome.out.splitlines()
    assert accuracy.startswith("Accuracy on test set: ")
    assert last == "0 []"
    assert outcome.err == ""


WRITE = """
import os, sys
from mnist_graph.cli.quiet import import_tensorflow
import_tensorflow()
os.write(2, b"visible\\n")
sys.stderr.write("also visible\\n")
assert "tensorflow" in sys.modules
"""


def test_standard_error_is_the_users_again_after_the_import_of_tensorflow():
    outcome = run_python(WRITE, TF_CPP_MIN_LOG_LEVEL=None)
    assert outcome == (0, "", "visible\nalso visible\n")


def test_tensorflows_messages_are_shown_to_those_who_ask():
    outcome = run_python(WRITE, TF_CPP_MIN_LOG_LEVEL="0")
    assert outcome.code == 0
    assert "visible\n" in outcome.err
    assert len(outcome.err.splitlines()) > 2


ENVIRONMENT = """
import os
before = dict(os.environ)
import mnist_graph, mnist_graph.cli, mnist_graph.data.batches, mnist_graph.runs.find
assert os.environ == before

import importlib, pkgutil
import cv2, matplotlib.pyplot, tensorflow  # these set variables of their own
before = dict(os.environ)
for module in pkgutil.walk_packages(mnist_graph.__path__, "mnist_graph."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert os.environ == before

recipe = mnist_graph.recipes["softmax"].override(iterations=1)
run = mnist_graph.train(recipe, mnist_graph.read_data_sets(), {folder!r})
assert run.result is not None
assert os.environ == before
"""


def test_the_package_leaves_the_environment_unchanged(tmp_path):
    outcome = run_python(ENVIRONMENT.format(folder=str(tmp_path / "run")))
    assert outcome.code == 0, outcome.err
