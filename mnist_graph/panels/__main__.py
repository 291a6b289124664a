"""The process that shows the panels of a training in another one.

    python -m mnist_graph.panels RUN_DIRECTORY [OUTPUT]

A line on standard input says that there is something new in the run directory, its end that
the training has ended. Standard output says, each in a line of its own: "window" or "file
PATH" once; "drawn SECONDS" for each line; "pause" and "resume"; "error WHAT".
"""

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from mnist_graph.errors import MnistGraphError
from mnist_graph.panels.displays import Display, Window, has_screen, open_file
from mnist_graph.panels.record import read_record

POLL = 0.02
"""Seconds from one look at standard input to the next."""


class Viewer:
    """Shows what is in a run directory whenever standard input says so."""

    def __init__(self, directory: Path, output: Path | None) -> None:
        self.directory = directory
        self.paused = False
        self.drawing, self.seconds = False, 0.0
        self.news: SimpleQueue[bool] = SimpleQueue()
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
        for _ in sys.stdin:
            self.news.put(True)
        self.news.put(False)

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
            more = self.news.get(block=wait)
        except Empty:
            return True
        begun = time.perf_counter()
        try:
            self.display.show([read_record(self.directory)])
            if not more:
                self.display.finish()
        except MnistGraphError as error:
            tell(f"error {error}")
        self.drawing, self.seconds = True, time.perf_counter() - begun
        return more

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
