"""--watch: a window, pictures and films of the panels while training."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import virtual_screen
from helpers import ROOT, assert_refused, run_main, same_variables, start_command
from PIL import Image

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.panels import check_output
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.panels.watch import Watch

WORDS = ("--model", "mlp", "--hidden", "30,20", "--log-every", "20")
RECIPE = recipes["mlp"].override(hidden=(30, 20))


def needs_screen(test):
    """Mark a test that opens a window."""
    reason = "needs Xvfb and python-xlib"
    skip = pytest.mark.skipif(not virtual_screen.IS_AVAILABLE, reason=reason)
    return pytest.mark.screen(skip(test))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not reached within {seconds} seconds"
        time.sleep(0.02)


def stays_the_same(look, seconds=1):
    """Whether `look` returns the same value after this many seconds."""
    before = look()
    time.sleep(seconds)
    return np.array_equal(look(), before)


def find_children(pid):
    """Return the numbers of the processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def count_red(pixels):
    """Return the number of pixels in the colour of misclassified digits."""
    return int((np.abs(pixels.astype(int) - (255, 120, 110)).max(axis=-1) < 30).sum())


@pytest.fixture
def screen():
    with virtual_screen.screen() as opened:
        yield opened


@pytest.fixture(autouse=True)
def time_limit(request):
    """Interrupt a test that waits for a screen which does not answer."""
    if request.node.get_closest_marker("screen") is None:
        yield
        return

    def interrupt(*_):
        command = ["ps", "-eo", "pid,ppid,stat,wchan:24,pcpu,args", "--sort=-pcpu"]
        processes = subprocess.run(command, capture_output=True, text=True).stdout
        raise TimeoutError(f"the screen, or a process, does not answer; there are\n{processes}")

    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(150)
    yield
    signal.alarm(0)


class WatchedTraining:
    """A training with --watch, and its window; a context manager that ends both."""

    def __init__(self, cwd, screen, *words):
        self.screen, self.directory = screen, cwd / "run"
        self.history = self.directory / "history.csv"
        environment = {**os.environ, "DISPLAY": screen.name}
        self.process = start_command(
            cwd, *WORDS, "--run-dir", "run", "--watch", *words, env=environment
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate(timeout=60)

    def wait_for_window(self):
        """Wait until the window shows the panels."""
        self.window = self.screen.wait_for_window(seconds=120)
        wait_until(self.shows_test_digits)

    @property
    def title(self):
        return str(self.window.get_wm_name())

    @property
    def red(self):
        return count_red(self.screen.capture())

    def shows_test_digits(self):
        """Whether panel 6 is visible, in which many digits are misclassified."""
        return self.red > 3000

    def press(self, *keys):
        self.screen.press(self.window, *keys)

    def count_lines(self):
        """Return the number of lines in history.csv."""
        return self.history.read_text().count("\n") if self.history.exists() else 0

    def pause(self):
        """Press space, and wait until training has stopped."""
        self.press("space")
        wait_until(lambda: "paused" in self.title)
        wait_until(lambda: stays_the_same(self.count_lines))

    def resume(self):
        """Press space, and wait until the window no longer says that training is paused."""
        self.press("space")
        wait_until(lambda: "paused" not in self.title)

    def close(self):
        self.screen.close(self.window)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A training that is far from its end. The last test that uses it stops it."""
    folder = tmp_path_factory.mktemp("watched")
    # Quiet, because nobody reads its output, and a full pipe would block it.
    words = ("--iterations", "1000000", "--quiet")
    with virtual_screen.screen() as opened, WatchedTraining(folder, opened, *words) as training:
        training.wait_for_window()
        yield training


@needs_screen
def test_keys_select_panels(watched):
    watched.press("1")
    wait_until(lambda: watched.red < 1500)
    watched.press("6")
    wait_until(watched.shows_test_digits)
    alone = watched.red
    watched.press("0")
    wait_until(lambda: 3000 < watched.red < alone / 2)
    watched.press("8")
    wait_until(lambda: watched.red < 1500)
    watched.press("Escape")
    wait_until(watched.shows_test_digits)


@needs_screen
def test_space_pauses_and_resumes_training(watched):
    watched.pause()
    lines = watched.count_lines()
    watched.resume()
    wait_until(lambda: watched.count_lines() > lines)


@needs_screen
def test_control_s_saves_a_picture_of_the_window(watched):
    watched.press("Control_L", "s")
    wait_until(lambda: list(watched.directory.glob("panels-*.png")))
    (path,) = watched.directory.glob("panels-*.png")
    with Image.open(path) as saved:
        assert saved.size == pytest.approx((1280, 720), abs=1)
    wait_until(lambda: f"saved to {path.relative_to(path.parent.parent)}" in watched.title)


@needs_screen
def test_o_zooms_in_and_h_zooms_out(watched):
    watched.pause()
    watched.press("6")
    wait_until(lambda: watched.red > 20_000)
    wait_until(lambda: stays_the_same(watched.screen.capture))
    before = watched.screen.capture()

    def changed_share():
        return (watched.screen.capture() != before).any(axis=-1).mean()

    watched.press("o")
    watched.screen.drag((300, 200), (500, 320))
    wait_until(lambda: changed_share() > 0.1)
    watched.press("h")
    wait_until(lambda: changed_share() < 0.01)
    watched.resume()


@needs_screen
def test_a_paused_training_can_be_stopped(watched):
    watched.pause()
    watched.process.terminate()
    _, error = watched.process.communicate(timeout=60)
    assert "stopped after iteration" in error
    assert watched.process.returncode == 143


@needs_screen
def test_a_training_can_be_stopped_although_its_window_hangs(tmp_path, screen):
    with WatchedTraining(tmp_path, screen, "--iterations", "1000000", "--quiet") as training:
        training.wait_for_window()
        (window,) = find_children(training.process.pid)
        os.kill(window, signal.SIGSTOP)
        training.process.terminate()
        _, error = training.process.communicate(timeout=60)
    assert "stopped after iteration" in error
    assert training.process.returncode == 143


@needs_screen
def test_closing_the_window_resumes_a_paused_training_to_its_end(tmp_path, screen):
    with WatchedTraining(tmp_path, screen, "--iterations", "6000") as training:
        # Suspended, because it would end before a window that opens slowly; but only after it
        # has asked for the first drawing, as it has when there are more lines.
        wait_until(lambda: training.count_lines() > 3, seconds=120)
        training.process.send_signal(signal.SIGSTOP)
        training.wait_for_window()
        training.press("space")
        wait_until(lambda: "paused" in training.title)
        training.process.send_signal(signal.SIGCONT)
        wait_until(lambda: stays_the_same(training.count_lines))
        training.close()
        out, error = training.process.communicate(timeout=120)
    assert training.process.returncode == 0, error
    assert "Iteration 5999" in out
    assert "Accuracy on test set: 0.9" in out
    assert "close the window" not in error


@needs_screen
def test_the_window_stays_open_after_training(tmp_path, screen):
    with WatchedTraining(tmp_path, screen, "--iterations", "100") as training:
        training.wait_for_window()
        wait_until(lambda: "training finished" in training.title)
        assert training.process.poll() is None
        training.close()
        _, error = training.process.communicate(timeout=120)
    assert training.process.returncode == 0, error
    assert "close the window to leave" in error


VIEWER_THAT_FAILS_ONCE = """
import sys
from pathlib import Path
from mnist_graph.panels import __main__ as panels

def fail_once(directory):
    panels.read_run_data = read_run_data
    raise ValueError("first line\\nsecond line")

read_run_data, panels.read_run_data = panels.read_run_data, fail_once
panels.Viewer(Path(sys.argv[1]), None).run()
"""


@needs_screen
def test_a_window_survives_an_unexpected_error(tmp_path, screen, mnist):
    run = train(RECIPE.override(iterations=40), mnist, tmp_path / "run")
    viewer = subprocess.Popen(
        [sys.executable, "-c", VIEWER_THAT_FAILS_ONCE, run.directory],
        cwd=ROOT,
        env={**os.environ, "DISPLAY": screen.name},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    limit = threading.Timer(120, viewer.kill)  # else a broken viewer would block readline
    limit.start()
    with viewer:
        assert viewer.stdout.readline() == "window\n"
        viewer.stdin.write("new\n")
        viewer.stdin.flush()
        assert viewer.stdout.readline() == "error ValueError: first line second line\n"
        assert viewer.stdout.readline().startswith("drawn ")
        viewer.stdin.write("new\n")
        viewer.stdin.flush()
        assert viewer.stdout.readline().startswith("drawn ")
        wait_until(lambda: count_red(screen.capture()) > 3000)
        viewer.stdin.close()
        assert viewer.wait(timeout=60) == 0
    limit.cancel()


def test_without_a_screen_the_panels_are_drawn_into_the_run(tmp_path):
    outcome = run_main(tmp_path, *WORDS, "--iterations", "60", "--run-dir", "run", "--watch")
    assert outcome.code == 0
    assert outcome.err.count("no screen for --watch: drawing into run/panels.png") == 1
    with Image.open(tmp_path / "run" / "panels.png") as drawn:
        assert drawn.size == (1600, 900)
        assert count_red(np.asarray(drawn.convert("RGB"))) > 1000


@pytest.mark.slow
def test_the_picture_is_replaced_while_training(tmp_path):
    words = ("--iterations", "1000000", "--run-dir", "run", "--watch", "run.png")
    process = start_command(tmp_path, *WORDS, *words)
    try:
        wait_until((tmp_path / "run.png").exists)
        first = (tmp_path / "run.png").read_bytes()
        wait_until(lambda: (tmp_path / "run.png").read_bytes() != first)
        # Tests are due after a share of the time, so maybe not before the second picture.
        wait_until(lambda: (tmp_path / "run" / "test.csv").read_text().count("\n") > 2)
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 143
    Image.open(tmp_path / "run.png").verify()
    assert len(read_run_data(tmp_path / "run").test) > 1


@pytest.mark.slow
def test_a_gif_is_written(tmp_path):
    outcome = run_main(tmp_path, *WORDS, "--iterations", "400", "--quiet", "--watch", "film.gif")
    assert (outcome.code, outcome.err) == (0, "")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames > 1
    check_output(tmp_path / "film.gif")  # it may be overwritten


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_an_mp4_is_written(tmp_path):
    outcome = run_main(tmp_path, *WORDS, "--iterations", "400", "--quiet", "--watch", "film.mp4")
    assert (outcome.code, outcome.err) == (0, "")
    path = tmp_path / "film.mp4"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream", path]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"nb_read_frames=(\d+)", report)[1]) > 20
    assert "width=960" in report
    check_output(path)  # it may be overwritten


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("run.txt", "files, not 'run.txt'"),
        ("run", ".png, .jpg"),
        ("missing/run.png", "its folder does not exist"),
        ("folder.png", "it is a folder"),
    ],
)
def test_a_file_that_cannot_be_drawn_into_is_refused_before_training(tmp_path, name, message):
    (tmp_path / "folder.png").mkdir()
    assert_refused(run_main(tmp_path, *WORDS, "--watch", name), 2, message)
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.png"]


def test_an_mp4_is_refused_without_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert_refused(run_main(tmp_path, *WORDS, "--watch", "a.mp4"), 2, "ffmpeg", "use a .gif")


def test_training_finishes_although_drawing_fails(tmp_path, mnist, monkeypatch):
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with (
        pytest.raises(MnistGraphError, match="--watch: drawing has failed"),
        Watch(tmp_path / "run.png") as watch,
    ):
        run = train(RECIPE.override(iterations=40), mnist, tmp_path / "run", hooks=[watch])
    assert run.result is not None


def test_watching_does_not_change_what_is_learned(tmp_path, mnist):
    recipe = RECIPE.override(iterations=100)
    train(recipe, mnist, tmp_path / "alone", log_every=20)
    with Watch(tmp_path / "run.png") as watch:
        train(recipe, mnist, tmp_path / "watched", log_every=20, hooks=[watch])
    assert same_variables(tmp_path / "alone", tmp_path / "watched")
