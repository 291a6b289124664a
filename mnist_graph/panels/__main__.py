"""The process that shows the panels of a training in another one.

    python -m mnist_graph.panels RUN_DIRECTORY [OUTPUT]

A line "new" on standard input says that there is something new in the run directory, "end" that
the training has come to its end; where its lines end without that, the window is closed.
Standard output says, each in a line of its own: "window" or "file PATH" once; "drawn SECONDS" for
each line; "pause" and "resume"; "error WHAT".
"""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from mnist_graph.errors import MnistGraphError
from mnist_graph.panels.displays import Display, Window, has_screen, open_file
from mnist_graph.panels.run_data import read_run_data

POLL = 0.02
"""Seconds from one look at standard input to the next."""


class Viewer:
    """Shows what is in a run directory whenever standard input says so."""

    def __init__(self, directory: Path, output: Path | None) -> None:
        self.directory = directory
        self.paused = False
        self.drawing, self.seconds, self.ended = False, 0.0, False
        self.news: SimpleQueue[str] = SimpleQueue()
        if output is None and has_screen():
            self.display: Display = Window(directory, self.toggle_pause)
            tell("window")
        else:
            output = output or directory / "panels.png"
            self.display = open_file(output)
            tell(f"file {output}")

    def run(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        if isinstance(self.display, Window):
            timer = self.display.figure.canvas.new_timer(interval=round(1000 * POLL))
            timer.add_callback(lambda: self._look() or True)  # else it is not called again
            timer.start()
            self.display.main_loop()
        else:
            while self._look(wait=True):
                pass

    def _listen(self) -> None:
        rest = b""
        while piece := os.read(0, 4096):  # sys.stdin cannot be left while somebody reads from it
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self.news.put(line.decode())
        self.news.put("gone")

    def _look(self, wait: bool = False) -> bool:
        """Draw where there is news; whether more may come."""
        begun = time.perf_counter()
        if self.display.go_on():
            self.seconds += time.perf_counter() - begun
            return True
        if self.drawing:
            tell(f"drawn {self.seconds:.4f}")
            self.drawing = False
        try:
            news = self.news.get(block=wait)
        except Empty:
            return True
        if news == "gone":
            if not self.ended:
                self.display.close()
            return False
        begun = time.perf_counter()
        try:
            self.display.show([read_run_data(self.directory)])
            if news == "end":
                self.ended = True
                self.display.finish()
        except MnistGraphError as error:
            tell(f"error {error}")
        self.drawing, self.seconds = True, time.perf_counter() - begun
        return True

    def toggle_pause(self) -> bool:
        self.paused = not self.paused
        tell("pause" if self.paused else "resume")
        return self.paused


def tell(line: str) -> None:
    with suppress(OSError):  # nobody is there to be told any more
        print(line, flush=True)


if __name__ == "__main__":
    directory, *output = map(Path, sys.argv[1:])
    Viewer(directory, output[0] if output else None).run()
