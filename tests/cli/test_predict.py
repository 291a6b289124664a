"""--predict: standard input, JSON of what cannot be read, and names that cannot be printed."""

import io
import json
import os
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT, TEST_IMAGE, assert_refused, run_command, run_main, run_python
from PIL import Image

MLP = ("--model", "mlp")
NOT_UTF_8 = os.fsdecode(b"bad\xff.png")


@pytest.fixture
def predict(trained, tmp_path):
    """A function that runs --predict with a short run of mlp, in an empty folder."""
    run = trained("mlp")
    return lambda *more: run_main(
        tmp_path, *run.words, "--run-dir", run.directory, "--predict", *more
    )


@pytest.fixture
def standard_input(monkeypatch):
    """A function that makes `content` the standard input of this process."""

    def replace(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return replace


def test_json_has_an_entry_for_each_file_in_order(predict, tmp_path):
    (tmp_path / "text.png").write_text("text")
    Image.new("L", (60, 60), 255).save(tmp_path / "blank.png")
    (tmp_path / "empty").mkdir()
    names = ["missing.png", str(TEST_IMAGE), "text.png", "blank.png", "empty"]
    outcome = predict(*names, "--json", "--annotate", "out")
    missing, good, text, blank, folder = pages = json.loads(outcome.out)
    assert outcome.code == 1
    assert [page["file"] for page in pages] == names
    assert missing["error"] == "cannot read missing.png: No such file or directory"
    assert text["error"] == "text.png is not a picture that can be read"
    assert folder["error"] == "empty has no pictures"
    assert missing["digits"] == text["digits"] == folder["digits"] == []
    assert blank == {"file": "blank.png", "digits": []}
    assert ([digit["digit"] for digit in good["digits"]], "error" in good) == ([2], False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "blank-read.png",
        "test_img-read.png",
    }


def test_json_is_printed_even_if_no_picture_can_be_read(command, tmp_path):
    outcome = command(*MLP, "--json", "--predict", "a.png", "b.png")
    assert outcome.code == 1
    assert json.loads(outcome.out) == [
        {"file": name, "error": f"cannot read {name}: No such file or directory", "digits": []}
        for name in ("a.png", "b.png")
    ]
    assert outcome.err.count("mnist-graph: error: cannot read") == 2
    assert not (tmp_path / "runs").exists()  # nothing is trained


def test_standard_input_is_read(predict, standard_input, tmp_path):
    standard_input(TEST_IMAGE.read_bytes())
    outcome = predict("-", "--annotate", "out")
    assert outcome[:2] == (0, "Prediction for test image: 2\n")
    with Image.open(tmp_path / "out" / "stdin-read.png") as drawing:
        assert drawing.size == (28, 28)


def test_standard_input_and_files_are_read_together(predict, standard_input):
    standard_input(TEST_IMAGE.read_bytes())
    assert predict("-", TEST_IMAGE) == (0, f"-: 2\n{TEST_IMAGE}: 2\n", "")
    standard_input(TEST_IMAGE.read_bytes())
    assert json.loads(predict("-", "--json").out)[0]["file"] == "-"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a picture"),
        (b"text", "is not a picture"),
        (bytes(99), "has more than 64 bytes"),
    ],
    ids=["empty", "text", "too long"],
)
def test_standard_input_without_a_picture_is_refused(
    command, standard_input, monkeypatch, content, said
):
    if len(content) > 64:
        monkeypatch.setattr("mnist_graph.cli.inputs.MAX_BYTES", 64)
    standard_input(content)
    assert_refused(command(*MLP, "--predict", "-"), 1, f"error: standard input {said}")


def test_standard_input_is_read_only_once(command):
    assert_refused(command(*MLP, "--predict", "-", "a.png", "-"), 2, "takes - ", "only once")


def test_standard_input_that_is_a_terminal_or_closed_is_refused(tmp_path):
    terminal, own = os.openpty()
    outcome = run_command(tmp_path, *MLP, "--predict", "-", stdin=own)
    os.close(own)
    os.close(terminal)
    assert_refused(outcome, 1, "standard input is a terminal; pipe a picture into --predict -")
    line = f"{sys.executable} {ROOT / 'main.py'} --model mlp --predict - <&-"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr.startswith("mnist-graph: error: standard input is closed; ")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_pipe_without_a_writer_is_refused_at_once(command, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    outcome = command(*MLP, "--predict", "pipe")
    assert_refused(outcome, 1, "pipe is not a regular file; to read a pipe, use --predict -")


def test_names_are_printed_in_one_line_of_any_encoding(predict, tmp_path):
    names = [NOT_UTF_8, "line\nbreak.png", "\x1b[31m.png", "tab\tü中.png"]
    for name in names:
        shutil.copy(TEST_IMAGE, tmp_path / name)
    outcome = predict(*names, "--annotate", "out")
    escaped = ["bad\\udcff", "line\\nbreak", "\\x1b[31m", "tab\tü中"]
    assert (outcome.code, outcome.out.split("\n")) == (0, [*(f"{e}.png: 2" for e in escaped), ""])
    drawings = [f"out/{name}-read.png" for name in escaped]
    drawings[1] = "out/line break-read.png"
    assert outcome.err.splitlines() == [f"mnist-graph: drawing saved to {d}" for d in drawings]


def test_json_has_no_lone_surrogates(predict, tmp_path):
    shutil.copy(TEST_IMAGE, tmp_path / NOT_UTF_8)
    outcome = predict(NOT_UTF_8, f"missing-{NOT_UTF_8}", "ü\n.png", "--json")
    good, missing, other = json.loads(outcome.out)
    assert good["file"] == r"bad\udcff.png"
    assert missing["error"] == r"cannot read missing-bad\udcff.png: No such file or directory"
    assert other["file"] == "ü\n.png"  # is valid JSON as it is
    assert outcome.out.isascii()


PRINT = """
import mnist_graph.cli as cli
cli.main = lambda: print("ü \\udcff")
cli.run()
"""


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii:strict", r"\xfc \udcff"), ("utf-8:strict", r"ü \udcff"), ("utf-8", r"ü \udcff")],
)
def test_standard_output_escapes_what_it_cannot_encode(encoding, expected):
    variables = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    assert run_python(PRINT, **variables) == (0, f"{expected}\n", "")


@pytest.mark.slow
def test_no_result_is_lost_in_a_locale_that_cannot_encode_the_names(trained, tmp_path):
    run = trained("mlp")
    words = [*run.words, "--run-dir", run.directory, "--annotate", "out", "--predict"]
    names = [NOT_UTF_8, "ü.png"]
    for name in names:
        shutil.copy(TEST_IMAGE, tmp_path / name)
    strict = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    for encoding, printed in [
        (strict, r"bad\udcff.png: 2 \udcc3\udcbc.png: 2"),
        ({**strict, "LC_ALL": "C.UTF-8"}, r"bad\udcff.png: 2 \xfc.png: 2"),
    ]:
        variables = {**os.environ, "PYTHONCOERCECLOCALE": "0", **encoding}
        outcome = run_command(tmp_path, *words, *names, env=variables)
        assert (outcome.code, outcome.out.split()) == (0, printed.split())
        assert outcome.err.count("drawing saved to out/") == 2


def test_pictures_after_a_second_predict_flag_are_read_too(predict, tmp_path):
    outcome = predict(TEST_IMAGE, "missing.png", "--predict", TEST_IMAGE)
    assert outcome.out.count(str(TEST_IMAGE)) == 2
    assert outcome.err == "mnist-graph: error: cannot read missing.png: No such file or directory\n"
