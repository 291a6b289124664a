"""examples/: the tutorials' loops run, and print what the command prints."""

import re

import pytest
from helpers import ROOT, printed, run_example, run_main

SHOWN = re.compile(r"Accuracy on test set: (\S+)")


def code(name, iterations):
    """Python code that runs an example with fewer iterations."""
    return f"from examples.{name} import main; main({iterations})"


@pytest.mark.parametrize(
    ("name", "iterations", "tolerance"),
    [
        # The command has fewer threads for softmax, which sum in another order.
        ("softmax", 1000, 1e-5),
        pytest.param("mlp", 101, 1e-5, marks=pytest.mark.slow),
        pytest.param("cnn", 101, 0, marks=pytest.mark.slow),
    ],
)
def test_example_prints_the_lines_of_the_command(tmp_path, name, iterations, tolerance):
    out = run_example(tmp_path, code(name, iterations))
    words = ("--model", name, "--iterations", iterations, "--precision", "float32")
    command = run_main(tmp_path, *words)
    lines, expected = (
        [tuple(map(float, line)) for line in printed(shown)] for shown in (out, command.out)
    )
    assert len(lines) > 1
    assert lines == [pytest.approx(line, rel=tolerance, abs=0) for line in expected]
    assert float(SHOWN.search(out)[1]) == pytest.approx(float(SHOWN.search(command.out)[1]))


@pytest.mark.slow
def test_your_network_trains_and_reads_the_test_image(tmp_path):
    lines = run_example(tmp_path, code("your_network", 300)).splitlines()
    assert float(SHOWN.search(lines[-2])[1]) > 0.93
    assert lines[-1] == "test_img.png shows a 2"
    assert (tmp_path / "runs" / "one-conv" / "1" / "result.json").is_file()


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn", "your_network"])
def test_example_fits_one_screen(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) <= 60
