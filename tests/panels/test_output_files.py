"""The file that --watch draws into: what may be overwritten, and what happens if it cannot be."""

import os
import shutil

import pytest
from helpers import TEST_IMAGE, assert_refused, run_command, run_main
from matplotlib.figure import Figure
from PIL import Image

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.errors import UsageError
from mnist_graph.panels import PICTURES, check_output
from mnist_graph.panels.displays import save_figure
from mnist_graph.panels.watch import Watch
from mnist_graph.training.hooks import Hook


@pytest.mark.parametrize("suffix", [*PICTURES, ".PNG"])
def test_a_drawing_of_our_own_may_be_overwritten(tmp_path, suffix):
    path = tmp_path / f"run{suffix}"
    save_figure(Figure((16, 9)), path)
    check_output(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif"])
def test_another_picture_is_not_overwritten(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    Image.open(TEST_IMAGE).convert("L").save(path)
    before = path.read_bytes()
    outcome = run_main(tmp_path, "--model", "softmax", "--watch", path.name)
    assert_refused(outcome, 2, f"--watch did not make {path.name} and will not overwrite it")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_file_may_be_overwritten_but_text_may_not(tmp_path):
    path = tmp_path / "run.svg"
    path.touch()
    check_output(path)
    path.write_text("<svg/>")
    with pytest.raises(UsageError, match="will not overwrite it"):
        check_output(path)


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    path = tmp_path / "run.png"
    os.mkfifo(path)
    with pytest.raises(UsageError, match="is not a regular file"):
        check_output(path)


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"--watch cannot draw into .*: File name too long"):
        check_output(tmp_path / f"{'a' * 260}.png")


class RemoveFolder(Hook):
    """Removes a folder when training begins."""

    def __init__(self, folder):
        self.folder = folder

    def begin(self, training):
        shutil.rmtree(self.folder)


def test_a_drawing_that_cannot_be_written_is_an_error_even_if_nothing_is_said(tmp_path, mnist):
    folder, said = tmp_path / "gone", []
    folder.mkdir()
    recipe = recipes["softmax"].override(iterations=30)
    with (
        pytest.raises(MnistGraphError, match=r"^--watch: cannot write .*run\.png: No such file"),
        Watch(folder / "run.png", said.append) as watch,
    ):
        run = train(recipe, mnist, tmp_path / "run", hooks=[RemoveFolder(folder), watch])
    assert run.result is not None
    assert len(said) <= 1


def test_modules_in_the_current_folder_are_not_imported(tmp_path):
    for name in ("random.py", "numpy.py"):
        (tmp_path / name).write_text("raise SystemExit('imported')")
    words = ("--model", "softmax", "--iterations", 2, "--quiet", "--watch", "run.png")
    outcome = run_main(tmp_path, *words)
    assert (outcome.code, outcome.err) == (0, "")
    assert (tmp_path / "run.png").exists()


@pytest.mark.parametrize(
    ("variables", "settings"), [({"MPLBACKEND": "nope"}, b""), ({}, b"font.size: \xff")]
)
def test_matplotlib_that_cannot_be_imported_is_reported(trained, tmp_path, variables, settings):
    (tmp_path / "matplotlibrc").write_bytes(settings)
    run = trained("softmax").directory
    outcome = run_command(tmp_path, "--plot", run, env={**os.environ, **variables})
    *_, last = outcome.err.splitlines()  # after what Matplotlib may say
    assert last.startswith("mnist-graph: error: Matplotlib cannot be imported; look at MPLBACKEND")
    assert (outcome.code, "Traceback" in outcome.err) == (1, False)
