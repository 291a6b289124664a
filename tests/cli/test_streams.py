"""Training goes on if its output cannot be written, or stops with nothing lost."""

import shlex
import subprocess
import sys

import pytest
from helpers import ROOT, TEST_IMAGE, inherited

from mnist_graph.runs.find import load_run

MAIN = shlex.join([sys.executable, str(ROOT / "main.py"), "--model", "softmax"])


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def run_in_shell(cwd, line):
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=cwd,
        env=inherited(),
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "closed", [">&- 2>&- <&-", *(slow(each) for each in (">&-", "2>&-", "2>/dev/full"))]
)
def test_training_finishes_with_a_closed_or_full_stream(tmp_path, closed):
    done = run_in_shell(tmp_path, f"{MAIN} --iterations 30 --run-dir run {closed}")
    assert done.returncode == 0
    assert load_run(tmp_path / "run").result is not None
    assert [row.iteration for row in load_run(tmp_path / "run").history] == [0, 29]
    assert ("Accuracy on test set" in done.stdout) == (not closed.startswith(">&-"))
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_predict_finishes_without_standard_streams(trained, tmp_path):
    """The first file that is opened must not get the number of a closed stream."""
    directory = shlex.quote(str(trained("softmax").directory))
    line = f"{MAIN} --run-dir {directory} --predict {shlex.quote(str(TEST_IMAGE))}"
    done = run_in_shell(tmp_path, f"{line} --annotate drawn >&- 2>&- <&-")
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["test_img-read.png"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (">/dev/full", ["error: cannot write to standard output: No space left on device"]),
        slow("| true", []),
    ],
)
def test_training_that_cannot_print_stops_with_a_checkpoint(tmp_path, output, said):
    done = run_in_shell(tmp_path, f"{MAIN} --iterations 30000 --log-every 1 --run-dir run {output}")
    assert done.returncode == 1
    _, stopped, *rest = done.stderr.splitlines()
    assert "stopped after iteration" in stopped
    assert "--resume --run-dir run" in stopped
    assert rest == [f"mnist-graph: {line}" for line in said]
    assert load_run(tmp_path / "run").checkpoint() is not None
