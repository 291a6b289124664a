"""`python -m benchmarks.all`: every benchmark is a piece, and finished pieces are not repeated."""

import argparse
import json
import re
import shlex
import sys

import pytest
from helpers import ROOT

from benchmarks import all as everything
from benchmarks.pieces import Piece, list_pieces
from mnist_graph import recipes
from mnist_graph.cli.parser import parse

NOT_MEASURED = {"all", "ship", "exports_child"}
"""Modules with a `main` that are no benchmarks: this one, and what writes into the package; and the
process of another one."""
PIECES = list_pieces()


def main_modules():
    """The names of the modules and packages that `python -m benchmarks.NAME` runs."""
    for path in (ROOT / "benchmarks").glob("*.py"):
        if '__name__ == "__main__"' in path.read_text():
            yield path.stem
    yield from (path.parent.name for path in (ROOT / "benchmarks").glob("*/__main__.py"))


def test_every_benchmark_is_a_piece():
    modules = {piece.words[1].removeprefix("benchmarks.") for piece in PIECES}
    assert set(main_modules()) - NOT_MEASURED - modules == set()


def test_every_recipe_of_mnist_is_reproduced():
    names = {piece.words[3] for piece in PIECES if piece.words[1] == "benchmarks.reproduce"}
    assert {"softmax", "cnn", "cnn-best"} <= names <= set(recipes)


def test_names_are_unique_and_flags_exist():
    assert len({piece.name for piece in PIECES}) == len(PIECES)
    for piece in PIECES:
        if piece.words[0] == "main.py":
            parse(list(piece.words[1:]))
            continue
        module = ROOT / piece.words[1].replace(".", "/")
        file = module / "__main__.py" if module.is_dir() else module.with_suffix(".py")
        flags = [word for word in piece.words if word.startswith("--")]
        source = file.read_text()
        assert [flag for flag in flags if f'"{flag}"' not in source] == [], piece.name


def test_the_results_of_a_piece_are_what_its_benchmark_writes():
    for piece in PIECES:
        for name in piece.results:
            is_known = (ROOT / name).exists() or name.startswith("runs/")
            assert is_known or "benchmarks/results/curve" in name or "accuracy-for" in name, name


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A function that returns the Work of a new start of the command at some commit."""
    monkeypatch.setattr(everything, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(everything, "ROOT", tmp_path)
    monkeypatch.setattr(everything, "wait_until_idle", lambda patience: 0.01)
    options = argparse.Namespace(strings=None, results=tmp_path / "results", patience=0)

    def start(commit):
        monkeypatch.setattr(everything, "find_commit", lambda: commit)
        return everything.Work(options)

    return start


def make_piece(code, **fields):
    return Piece("piece", ("-c", code), ("out",), 1, **fields)


ADD = "open('out', 'a').write('x')"


def test_a_finished_piece_is_not_run_again_at_the_same_commit(work, tmp_path):
    piece = make_piece(ADD)
    assert work("a").finish(piece) == "finished"
    assert work("a").finish(piece) == "finished"
    assert (tmp_path / "out").read_text() == "x"
    assert work("b").finish(piece) == "finished"
    assert (tmp_path / "out").read_text() == "xx"
    assert not [name for name in ("a", "b+") if work(name).is_finished(piece)]
    noted = json.loads((tmp_path / "results/all.json").read_text())
    assert noted["finished"]["piece"]["commit"] == "b"


def test_a_failed_piece_is_a_line_and_is_run_again(work, capsys):
    assert work("a").finish(make_piece("raise SystemExit('no display')")) == "failed"
    assert capsys.readouterr().out == "piece: failed with exit code 1: no display\n"
    assert not work("a").is_finished(make_piece(ADD))


def test_earlier_results_are_removed_once(work, tmp_path):
    renewed = make_piece(f"{ADD}; raise SystemExit(len(open('out').read()) < 3)", renewed="out")
    (tmp_path / "out").write_text("old results")
    assert [work("a").finish(renewed) for _ in range(3)] == ["failed", "failed", "finished"]
    assert (tmp_path / "out").read_text() == "xxx", "what a stopped piece had is kept"


def test_a_piece_that_lacks_something_is_skipped(work, monkeypatch):
    monkeypatch.setattr(everything.os, "geteuid", lambda: 1000)
    assert work("a").finish(make_piece(ADD, needs_root=True)) == "skipped"
    (reading,) = (piece for piece in PIECES if piece.name == "reading")
    assert work("a").why_skipped(reading) == "needs --strings DIR"


def run_all(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["all", *words])
    return everything.main()


def test_changed_files_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(everything, "changed_files", lambda: ["mnist_graph/errors.py"])
    assert run_all(monkeypatch, "--only", "serving") == 2
    assert "--allow-dirty; changed: mnist_graph/errors.py" in capsys.readouterr().err


def test_the_list_has_commands(monkeypatch, capsys, tmp_path):
    words = ("--list", "--results", str(tmp_path), "--only", "serving", "reading")
    assert run_all(monkeypatch, *words) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "python" in line]
    assert [shlex.split(line)[0] for line in lines] == ["reading", "serving"]
    assert re.search(r"about +3 min +python -m benchmarks.serving --model mnist-99$", lines[1])


def test_one_failure_makes_the_exit_code_one(work, monkeypatch, tmp_path):
    pieces = [make_piece("raise SystemExit(3)")._replace(name="bad"), make_piece(ADD)]
    monkeypatch.setattr(everything, "list_pieces", lambda: pieces)
    monkeypatch.setattr(everything, "changed_files", list)
    work("a")
    words = ("--results", str(tmp_path / "results"), "--patience", "0")
    assert run_all(monkeypatch, *words) == 1
    assert (tmp_path / "out").read_text() == "x", "the others go on"
    assert run_all(monkeypatch, "--only", "piece", *words) == 0
