"""What goes wrong with an export is one line, and leaves nothing behind."""

import resource
import shutil
import signal
import time

import pytest
from helpers import assert_refused, flip, run_command, start_command

from mnist_graph import MnistGraphError, export
from mnist_graph.errors import UsageError
from mnist_graph.exports import check, child, exporter, formats
from mnist_graph.runs.find import load_run


@pytest.fixture
def run(trained):
    return load_run(trained("softmax").directory)


def test_a_file_that_differs_is_an_error(run, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "TOLERANCE", -1.0)
    with pytest.raises(MnistGraphError, match=r"saved_model.pb differs from the session: 0 other"):
        export(run, tmp_path, formats=["savedmodel"])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_converter_that_fails(run, tmp_path, monkeypatch):
    def convert(*_):
        child.run_module("mnist_graph.exports.to_litert", tmp_path / "none", "x", task="converting")

    monkeypatch.setitem(exporter.CONVERTERS, "litert", convert)
    with pytest.raises(
        MnistGraphError, match=r"converting failed: .*SavedModel file does not exist"
    ):
        export(run, tmp_path, formats=["litert"])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_earlier_export_is_left_alone(run, tmp_path):
    first = export(run, tmp_path, formats=["savedmodel"])
    second = export(run, tmp_path, formats=["savedmodel"])
    assert (first.directory.name, second.directory.name) == ("1", "2")
    assert sorted(path.name for path in (tmp_path / "softmax").iterdir()) == ["1", "2"]
    assert [each.name for each in second.checks] == ["saved_model.pb"]


def test_missing_packages(run, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert export(run, tmp_path).checks[-1].name == "saved_model.pb"
    with pytest.raises(MnistGraphError, match=r"onnx needs tf2onnx, onnx, onnxruntime: pip"):
        export(run, tmp_path, formats=["onnx"])


@pytest.mark.slow
def test_missing_packages_at_the_command_line(trained, tmp_path, command, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    words = ("--run-dir", trained("softmax").directory)
    outcome = command(*words, "--export", "out")
    assert outcome.code == 0, outcome.err
    assert "left out: litert, onnx; get them with: pip install" in outcome.err
    assert outcome.out.splitlines()[-1] == "Exported to out/softmax/1"
    outcome = command(*words, "--predict", "x.png", "--runtime", "litert")
    assert outcome.code == 1


@pytest.mark.parametrize("given", [["tflite"], "onnx", ["savedmodel", 3]])
def test_unknown_formats(run, tmp_path, given):
    with pytest.raises(UsageError, match="formats must be some of savedmodel, litert, onnx"):
        export(run, tmp_path, formats=given)


def test_an_unfinished_run(trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained("softmax").directory, folder)
    (folder / "result.json").unlink()
    with pytest.raises(MnistGraphError, match="is not finished; continue it with --resume"):
        export(load_run(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_damaged_run(trained, tmp_path, command):
    folder = tmp_path / "run"
    shutil.copytree(trained("softmax").directory, folder)
    for path in folder.glob("checkpoint-*/*data*"):
        flip(path)
    outcome = command("--run-dir", folder, "--export", "out", "--quiet")
    assert_refused(outcome, 1, "no usable checkpoint is left")
    assert not list(tmp_path.glob("out/*"))


def test_a_full_disk(trained, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    words = ("--run-dir", trained("softmax").directory, "--export", "out", "--quiet")
    outcome = run_command(tmp_path, *words, preexec_fn=limit)
    assert_refused(outcome, 1, "cannot write to out")
    assert not list(tmp_path.glob("out/*"))


def test_a_signal_leaves_nothing_behind(trained, tmp_path):
    words = ("--run-dir", trained("softmax").directory, "--export", "out")
    process = start_command(tmp_path, *words)
    while not list(tmp_path.glob("out/softmax/.unfinished-*/saved_model.pb")):
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (143, "")
    assert err.endswith("mnist-graph: interrupted; nothing was exported\n")
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--export", "file/out"), 1, "file is not a folder"),
        (("--export", "file"), 1, "cannot write to file: file is not a folder"),
        (("--export", "/proc/out", "--quiet"), 1, "cannot write to /proc/out"),
        (("--export", ""), 2, "--export has an empty value"),
        (("--export", "out", "--predict", "x.png"), 2, "cannot be used together"),
        (("--export", "out", "--json"), 2, "--json needs --predict"),
        (("--export", "out", "--model", "cmn"), 2, "did you mean"),
        (("--export", "out", "--iterations", "5"), 2, "--iterations needs --model"),
        (("--export", "out", "--run-dir", "nowhere"), 1, "is not a run directory"),
        (("--runtime", "litert", "--model", "mlp"), 2, "--runtime needs --predict"),
    ],
)
def test_wrong_flags(tmp_path, command, words, code, said):
    (tmp_path / "file").touch()
    assert_refused(command(*words), code, said)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
