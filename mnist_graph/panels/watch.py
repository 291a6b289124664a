"""The hook that shows the panels while a network trains."""

import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.panels import is_film
from mnist_graph.runs.children import WITHOUT_CURRENT_FOLDER, child_environment
from mnist_graph.runs.run import Metrics
from mnist_graph.training.hooks import Hook, TimeBudget, TrainingState
from mnist_graph.training.panel_data import sample_batch, save_digits

TEST_SHARE, FILM_TEST_SHARE = 0.06, 0.3
"""The share of the time that evaluating the test images may take, for a window or picture and
for a film."""
DRAW_SHARE = 0.1
"""The share of one processor's time that drawing may take; a film gets every frame it can draw."""
CLOSING_SECONDS = 10
"""How long a window may take to close after training was stopped: its screen may hang."""

VIEWER = f"""{WITHOUT_CURRENT_FOLDER}
import runpy
runpy.run_module("mnist_graph.panels", run_name="__main__")
"""
"""`python -m mnist_graph.panels`, but without the modules in the current folder."""


class Watch(Hook):
    """Shows the panels in a window, which can pause training, or in the file `output`, a picture
    or a film. Without a screen for a window, draws into panels.png of the run.

    A process of its own draws them from what the run saves, so that the window responds whatever
    training does. Use it as a context manager: on exit it waits until the film is written or the
    window is closed. Raises MnistGraphError there if the process has failed.
    """

    def __init__(
        self, output: str | Path | None = None, say: Callable[[str], None] = print
    ) -> None:
        self.output = None if output is None else Path(output)
        self.say = say
        self.film = self.output is not None and is_film(self.output)
        self.test_budget = TimeBudget(FILM_TEST_SHARE if self.film else TEST_SHARE)
        self.draw_budget = TimeBudget(1.0 if self.film else DRAW_SHARE)
        self.process: subprocess.Popen[str] | None = None
        self.messages: deque[str] = deque()
        self.error = ""
        """The last error that the process has reported."""
        self.drawing, self.has_news = False, False
        self.window_open, self.had_window = False, False
        self.display_known = threading.Event()
        """Set once the process has said whether it shows a window."""

    def begin(self, training: TrainingState) -> None:
        self.training = training
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        command = [sys.executable, "-c", VIEWER, str(training.run.directory)]
        self.process = subprocess.Popen(
            [*command, *([] if self.output is None else [self.output])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=child_environment(),
            text=True,
            start_new_session=True,  # so that Ctrl-C reaches only the training
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        if self.film:  # otherwise a short training would be over before the film starts
            self.display_known.wait()

    def _listen(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "drawn":
                self.draw_budget.took(float(rest))
                self.drawing = False
            elif word in ("pause", "resume"):
                self.paused = word == "pause"
            elif word == "window":
                self.window_open = self.had_window = True
                self.display_known.set()
            elif word == "file":
                if self.output is None:
                    self.messages.append(f"no screen for --watch: drawing into {rest}")
                self.display_known.set()
            elif word == "error" and rest != self.error:
                self.messages.append(rest)
                self.error = rest
        self.paused = self.window_open = False
        self.display_known.set()

    def evaluated(self, metrics: Metrics) -> None:
        self.has_news = True
        # After the last iteration the loop tests anyway.
        if self.test_budget.due and not self.training.is_last:
            with self.test_budget.measured():
                self.training.test()

    def after_iteration(self, iteration: int) -> None:
        assert self.process is not None
        idle = not self.drawing and self.draw_budget.due
        if self.has_news and idle and self.process.poll() is None:
            self.has_news = False
            save_digits(self.training.run, batch=sample_batch(self.training))
            self.drawing = True
            self._send("new")

    def pulse(self) -> None:
        while self.messages:
            self.say(self.messages.popleft())

    def _send(self, line: str) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(OSError):  # the window has been closed
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.process is None:
            return
        if kind is None or self.output is not None:
            self._send("end")
        with suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        closes_itself = kind is not None and self.output is None
        if not closes_itself:
            self.display_known.wait()
            if self.window_open and kind is None:
                self.say("close the window to leave")
        try:
            self.process.wait(CLOSING_SECONDS if closes_itself else None)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.listener.join()
        self.pulse()
        with self.errors:
            self._require_success()

    def _require_success(self) -> None:
        assert self.process is not None
        if self.process.returncode > 0 and not self.had_window:
            self.errors.seek(0)
            lines = self.errors.read().decode(errors="replace").strip().splitlines()
            raise MnistGraphError(f"--watch: {lines[-1] if lines else 'drawing has failed'}")
