"""The command in a process of its own: its imports, its output, its exit code, its environment."""

import os
import re

import pytest
from helpers import LINE, assert_refused, run_command, run_python

from mnist_graph.cli import quiet


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
import os, sys
from mnist_graph.cli import main
os.chdir({folder!r})
code = main(["--model", "softmax", "--iterations", "20"])
print(code, sorted({{"jax", "keras", "matplotlib", "sklearn", "cv2"}} & set(sys.modules)))
"""


def test_training_prints_nothing_of_tensorflows_and_imports_no_keras(tmp_path):
    outcome = run_python(TRAIN.format(folder=str(tmp_path)), TF_CPP_MIN_LOG_LEVEL=None)
    first, last, accuracy, imported = outcome.out.splitlines()
    assert LINE.fullmatch(first)
    assert LINE.fullmatch(last)
    assert accuracy.startswith("Accuracy on test set: 0.")
    assert imported == "0 []"
    announced, saved = outcome.err.splitlines()
    assert re.fullmatch(r"mnist-graph: training softmax on the \wPU .*", announced)
    assert saved == "mnist-graph: saved to runs/softmax/1"
    assert (tmp_path / "runs" / "softmax" / "1" / "result.json").is_file()


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


def test_tensorflow_computes_with_onednn_unless_the_user_has_decided(monkeypatch):
    monkeypatch.setattr(quiet.platform, "machine", lambda: "x86_64")
    for given, found in ((None, "1"), ("0", "0")):
        monkeypatch.setattr(os, "environ", {"TF_ENABLE_ONEDNN_OPTS": given} if given else {})
        quiet.use_onednn()
        assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == found


BESIDE = """
import sys, threading
from mnist_graph.cli.quiet import import_beside

def work():
    print(threading.current_thread() is threading.main_thread(), "tensorflow" in sys.modules)

import_beside(work)
print("tensorflow" in sys.modules)
try:
    import_beside(lambda: 1 / 0)
except ZeroDivisionError:
    print("raised")
"""


def test_another_thread_works_while_tensorflow_is_imported():
    code, out, _ = run_python(BESIDE)
    started, *rest = out.splitlines()
    assert started.startswith("False ")
    assert (code, rest) == (0, ["True", "raised"])


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


@pytest.mark.slow
def test_the_package_leaves_the_environment_unchanged(tmp_path):
    outcome = run_python(ENVIRONMENT.format(folder=str(tmp_path / "run")))
    assert outcome.code == 0, outcome.err
