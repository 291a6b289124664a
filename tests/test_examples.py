"""examples/: the tutorials' loops run, and print what the command prints."""

import re

import pytest
from helpers import ROOT, printed, run_example, run_main

SHOWN = re.compile(r"Accuracy on test set: (\S+)")


def code(name, iterations):
    """Python code that runs an example with fewer iterations."""
    return f"from examples.{name} import main; main({iterations})"


@pytest.mark.parametrize(
    ("name", "iterations"), [("softmax", 1000), pytest.param("cnn", 101, marks=pytest.mark.slow)]
)
def test_example_prints_the_lines_of_the_command(tmp_path, name, iterations):
    out = run_example(tmp_path, code(name, iterations))
    words = ("--model", name, "--iterations", iterations, "--precision", "float32")
    command = run_main(tmp_path, *words)
    assert printed(out) == printed(command.out)
    assert len(printed(out)) > 1
    assert float(SHOWN.search(out)[1]) == pytest.approx(float(SHOWN.search(command.out)[1]))


@pytest.mark.slow
def test_mlp_example_prints_the_lines_of_the_command_up_to_rounding(tmp_path):
    out = run_example(tmp_path, code("mlp", 101))
    words = ("--model", "mlp", "--iterations", 101, "--precision", "float32")
    pairs = zip(printed(out), printed(run_main(tmp_path, *words).out), strict=True)
    for (iteration, loss, accuracy), (other, expected, share) in pairs:
        assert iteration == other
        assert float(loss) == pytest.approx(float(expected), rel=1e-3)
        assert float(accuracy) == pytest.approx(float(share), abs=2 / 128)


@pytest.mark.slow
def test_your_network_trains_and_reads_the_test_image(tmp_path):
    lines = run_example(tmp_path, code("your_network", 300)).splitlines()
    assert float(SHOWN.search(lines[-2])[1]) > 0.93
    assert lines[-1] == "test_img.png shows a 2"
    assert (tmp_path / "runs" / "one-conv" / "1" / "result.json").is_file()


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn", "your_network"])
def test_example_fits_one_screen(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) <= 60
