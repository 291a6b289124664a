"""Has a training shown by the panels while it runs."""

import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mnist_graph.errors import MnistGraphError
from mnist_graph.hooks import Hook, Share
from mnist_graph.panels import is_film
from mnist_graph.records import batch_digits, keep_digits
from mnist_graph.runs import Evaluation
from mnist_graph.training import Training

TEST_SHARE, FILM_TEST_SHARE = 0.06, 0.3
"""Of the time, for judging the test images."""
DRAW_SHARE = 0.1
"""Of one processor's time, for drawing; a film is given every picture it can take."""


class Watch(Hook):
    """Shows the panels in a window, which can pause the training, or in the file `output`: a
    picture or a film. Where there is no screen for a window, in panels.png of the run.

    They are drawn in a process of their own, which reads what the run records, so that the
    window answers whatever the training does. As a context manager it waits, in the end, for
    the film to be written, or the window to be closed.
    """

    def __init__(
        self, output: str | Path | None = None, say: Callable[[str], None] = print
    ) -> None:
        self.output = None if output is None else Path(output)
        self.say = say
        self.film = self.output is not None and is_film(self.output)
        self.test_share = Share(FILM_TEST_SHARE if self.film else TEST_SHARE)
        self.draw_share = Share(1.0 if self.film else DRAW_SHARE)
        self.process: subprocess.Popen | None = None
        self.notes: deque[str] = deque()
        self.busy, self.new = False, False
        self.window, self.had_window = False, False
        self.shown = threading.Event()
        """Once it is known whether there is a window."""

    def begin(self, training: Training) -> None:
        self.training = training
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the hook
        package = Path(__file__).resolve().parent
        words = [sys.executable, "-m", "mnist_graph.panels", training.run.directory]
        paths = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [*words, *([] if self.output is None else [self.output])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            text=True,
            start_new_session=True,  # Ctrl-C is for the training
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        if self.film:  # else a short training would be over before it is seen
            self.shown.wait()

    def _listen(self) -> None:
        for line in self.process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "drawn":
                self.draw_share.took(float(rest))
                self.busy = False
            elif word in ("pause", "resume"):
                self.paused = word == "pause"
            elif word == "window":
                self.window = self.had_window = True
                self.shown.set()
            elif word == "file":
                if self.output is None:
                    self.notes.append(f"there is no screen for --watch: drawing into {rest}")
                self.shown.set()
            elif word == "error":
                self.notes.append(rest)
        self.paused = self.window = False
        self.shown.set()

    def evaluated(self, evaluation: Evaluation) -> None:
        self.new = True
        training = self.training
        # At the end they are judged in any case.
        if self.test_share.due and training.iteration < training.run.recipe.iterations:
            with self.test_share.taken():
                training.test()

    def after_iteration(self, iteration: int) -> None:
        if self.new and not self.busy and self.draw_share.due and self.process.poll() is None:
            self.new = False
            keep_digits(self.training.run, batch=batch_digits(self.training))
            self._ask()

    def pulse(self) -> None:
        while self.notes:
            self.say(self.notes.popleft())

    def _ask(self) -> None:
        self.busy = True
        with suppress(OSError):  # it has been closed
            self.process.stdin.write("new\n")
            self.process.stdin.flush()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.process is None:
            return
        with suppress(OSError):
            if kind is None or self.output is not None:
                self.process.stdin.write("end\n")
            self.process.stdin.close()
        self.shown.wait()
        if self.window and kind is None:
            self.say("close the window to leave")
        try:
            self.process.wait()
        except KeyboardInterrupt:
            self.process.terminate()
        self.listener.join()
        self.pulse()
        with self.errors:
            self._require_success()

    def _require_success(self) -> None:
        if self.process.returncode > 0 and not self.had_window:
            self.errors.seek(0)
            lines = self.errors.read().decode(errors="replace").strip().splitlines()
            raise MnistGraphError(f"--watch: {lines[-1] if lines else 'it failed'}")
