"""The README is true: its examples run, its figures are those that were measured."""

import re
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT, TEST_IMAGE

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize(("number", "accuracy"), [(0, 0.92), (1, 0.80)])
def test_the_python_examples_run_as_they_stand(tmp_path, number, accuracy):
    shutil.copy(TEST_IMAGE, tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert float(re.search(r"0\.\d+", process.stdout)[0]) > accuracy
    if number == 0:
        assert process.stdout.splitlines()[1:] == ["[7 2 1 0 4]", "2"]


def test_there_are_no_other_examples():
    assert len(EXAMPLES) == 2


def test_the_figures_are_those_that_were_measured():
    measured = (ROOT / "benchmarks/results/reproduce.md").read_text(encoding="utf-8")
    rows = [line for line in measured.splitlines() if re.match(r"\| [a-z]", line)]
    assert len(rows) > 10
    assert [row for row in rows if row not in README] == []


def test_every_picture_is_there():
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_every_flag_it_names_exists():
    from mnist_graph.cli.parser import create_parser

    known = create_parser().format_help()
    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", README.split("## Use")[1]))
    assert {flag for flag in named if flag not in known} == {"--logdir"}  # tensorboard's
