"""--watch: a real window, pictures and films of a training as it goes on."""

import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import virtual_screen as screen
from helpers import assert_refused, run_main, same_variables, start_command
from PIL import Image

from mnist_graph import recipes, train
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.panels.watch import Watch
from mnist_graph.training.hooks import TimeBudget

WORDS = ("--model", "mlp", "--hidden", "30,20", "--log-every", "20")


def on_a_screen(test):
    """Marks a test that looks at a window."""
    there = pytest.mark.skipif(not screen.THERE, reason="needs Xvfb and python-xlib")
    return pytest.mark.screen(there(test))


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def screened():
    with screen.screen() as shown:
        yield shown


def unchanged(look, seconds=1):
    """Whether there is the same to be seen after so many seconds."""
    before = look()
    time.sleep(seconds)
    return np.array_equal(look(), before)


class Watched:
    """A training that is watched, and its window. As a context manager it leaves neither."""

    def __init__(self, cwd, shown, *words):
        environment = {**os.environ, "DISPLAY": shown.name}
        self.screen, self.directory = shown, cwd / "run"
        self.history = self.directory / "history.csv"
        self.process = start_command(
            cwd, *WORDS, "--run-dir", "run", "--watch", *words, env=environment
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()
        until(lambda: not self.screen.windows())

    def wait(self):
        """Until the window is there and drawn."""
        self.window = self.screen.window(seconds=120)
        until(self.shows_red)

    def shows_red(self):
        """Whether mistakes are to be seen at all, which panel 6 has many of."""
        return self.red(self.screen.picture()) > 3000

    @staticmethod
    def red(picture):
        return int((np.abs(picture.astype(int) - (255, 120, 110)).max(axis=-1) < 30).sum())

    def key(self, *names):
        self.screen.key(self.window, *names)

    def lines(self):
        return self.history.read_text().count("\n") if self.history.exists() else 0

    def pause(self):
        """By its key, until the training has heard of it."""
        self.key("space")
        until(lambda: "paused" in str(self.window.get_wm_name()))
        until(lambda: unchanged(self.lines))

    def close(self):
        self.screen.close(self.window)


@pytest.fixture(scope="module")
def watched(tmp_path_factory, screened):
    """A training that is far from its end."""
    # Quiet, as nobody reads what it would print, and a full pipe would hold it up.
    words = ("--iterations", "1000000", "--quiet")
    with Watched(tmp_path_factory.mktemp("watched"), screened, *words) as one:
        one.wait()
        yield one


@on_a_screen
def test_keys_choose_panels(watched):
    watched.key("1")
    until(lambda: watched.red(watched.screen.picture()) < 1500)
    watched.key("6")
    until(watched.shows_red)
    large = watched.red(watched.screen.picture())
    watched.key("0")
    until(lambda: 3000 < watched.red(watched.screen.picture()) < large / 2)
    watched.key("8")
    until(lambda: watched.red(watched.screen.picture()) < 1500)
    watched.key("Escape")
    until(watched.shows_red)


@on_a_screen
def test_space_pauses_the_training_and_goes_on(watched):
    watched.pause()
    before = watched.lines()
    watched.key("space")
    until(lambda: watched.lines() > before)


@on_a_screen
def test_control_s_saves_what_is_to_be_seen(watched):
    watched.key("Control_L", "s")
    until(lambda: list(watched.directory.glob("panels-*.png")))
    (path,) = watched.directory.glob("panels-*.png")
    with Image.open(path) as saved:
        assert saved.size == pytest.approx((1280, 720), abs=1)
    until(
        lambda: f"saved in {path.relative_to(path.parent.parent)}" in watched.window.get_wm_name()
    )


@on_a_screen
def test_o_zooms_and_h_goes_back(watched):
    watched.pause()
    watched.key("6")
    until(lambda: watched.red(watched.screen.picture()) > 20_000)
    until(lambda: unchanged(watched.screen.picture))
    before = watched.screen.picture()

    def changed():
        return (watched.screen.picture() != before).any(axis=-1).mean()

    watched.key("o")
    watched.screen.drag((300, 200), (500, 320))
    until(lambda: changed() > 0.1)
    watched.key("h")
    until(lambda: changed() < 0.01)
    watched.key("space")


@on_a_screen
def test_a_training_that_is_paused_can_be_stopped(watched):
    watched.pause()
    watched.process.terminate()
    _, error = watched.process.communicate(timeout=60)
    assert "stopped after iteration" in error
    assert watched.process.returncode == 143


@on_a_screen
def test_closing_the_window_lets_the_training_finish_without_it(tmp_path, screened):
    """Even one that it has paused."""
    with Watched(tmp_path, screened, "--iterations", "6000") as one:
        # Held, or it would be at its end before a window that takes long to come; but not
        # before it has asked for its first line to be drawn, as it has when there are more.
        until(lambda: one.lines() > 3, seconds=120)
        one.process.send_signal(signal.SIGSTOP)
        one.wait()
        one.key("space")
        until(lambda: "paused" in str(one.window.get_wm_name()))
        one.process.send_signal(signal.SIGCONT)
        until(lambda: unchanged(one.lines))
        one.close()
        out, error = one.process.communicate(timeout=120)
    assert one.process.returncode == 0, error
    assert "Iteration 5999" in out
    assert "Accuracy on test set: 0.9" in out
    assert "close the window" not in error


@on_a_screen
def test_the_window_stays_until_it_is_closed(tmp_path, screened):
    with Watched(tmp_path, screened, "--iterations", "100") as one:
        one.wait()
        until(lambda: "trained to the end" in str(one.window.get_wm_name()))
        assert one.process.poll() is None
        one.close()
        _, error = one.process.communicate(timeout=120)
    assert one.process.returncode == 0, error
    assert "close the window to leave" in error


def test_without_a_screen_it_says_so_and_draws_into_the_run(tmp_path):
    outcome = run_main(tmp_path, *WORDS, "--iterations", "60", "--run-dir", "run", "--watch")
    assert outcome.code == 0
    said = "there is no screen for --watch: drawing into run/panels.png"
    assert outcome.err.count(said) == 1
    with Image.open(tmp_path / "run" / "panels.png") as drawn:
        assert drawn.size == (1600, 900)
        assert Watched.red(np.asarray(drawn.convert("RGB"))) > 1000


@pytest.mark.slow
def test_the_picture_is_refreshed_as_the_run_goes(tmp_path):
    words = ("--iterations", "1000000", "--run-dir", "run", "--watch", "run.png")
    process = start_command(tmp_path, *WORDS, *words)
    try:
        until((tmp_path / "run.png").exists)
        first = (tmp_path / "run.png").read_bytes()
        until(lambda: (tmp_path / "run.png").read_bytes() != first)
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 143
    Image.open(tmp_path / "run.png").verify()
    assert len(read_run_data(tmp_path / "run").test) > 1


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_a_film_is_made(tmp_path, name):
    if name.endswith("mp4") and shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    outcome = run_main(tmp_path, *WORDS, "--iterations", "400", "--quiet", "--watch", name)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    if name.endswith("gif"):
        with Image.open(tmp_path / name) as film:
            assert film.n_frames > 1
        return
    words = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream", tmp_path / name]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"nb_read_frames=(\d+)", said)[1]) > 20
    assert "width=960" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run.txt", ".png, .jpg"),
        ("run", ".png, .jpg"),
        ("no/run.png", "its folder has to be there"),
    ],
)
def test_what_nothing_can_be_drawn_into_is_refused_at_once(tmp_path, name, said):
    assert_refused(run_main(tmp_path, *WORDS, "--watch", name), 2, said)
    assert list(tmp_path.iterdir()) == []


def test_an_mp4_without_ffmpeg_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert_refused(run_main(tmp_path, *WORDS, "--watch", "a.mp4"), 2, "ffmpeg", "name a .gif")


def test_panels_that_break_do_not_harm_the_training(tmp_path, mnist, monkeypatch):
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    recipe = recipes["mlp"].override(hidden=(30, 20), iterations=40)
    with pytest.raises(Exception, match="--watch: it failed"):  # noqa: SIM117
        with Watch(tmp_path / "run.png") as watch:
            run = train(recipe, mnist, tmp_path / "run", hooks=[watch])
    assert run.result is not None


def test_watching_changes_nothing_that_is_learned(tmp_path, mnist):
    recipe = recipes["mlp"].override(hidden=(30, 20), iterations=100)
    train(recipe, mnist, tmp_path / "alone", log_every=20)
    with Watch(tmp_path / "run.png") as watch:
        train(recipe, mnist, tmp_path / "watched", log_every=20, hooks=[watch])
    assert same_variables(tmp_path / "alone", tmp_path / "watched")


def test_a_share_of_the_time_is_kept(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    share = TimeBudget(0.1)
    assert share.due
    with share.taken():
        now[0] += 1
    now[0] += 8.9
    assert not share.due
    now[0] += 0.2
    assert share.due
