"""The process that draws the panels while another process trains.

    python -m mnist_graph.panels RUN_DIRECTORY [OUTPUT]

Standard input, a line each: "new" when the run directory has something new, "end" when training
is over. If standard input closes without "end", the window closes.

Standard output, a line each: "window" or "file PATH" once, "drawn SECONDS" after each line of
standard input, "pause" and "resume", and "error MESSAGE".
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

POLL_SECONDS = 0.02
"""How often the window looks for a new line of standard input: less than a frame at 30 Hz, so that
the delay goes unnoticed."""


class Viewer:
    """Draws the run in `directory` whenever standard input says so: into the file `output`, or by
    default in a window. Without a screen for a window, draws into panels.png of the run.
    """

    def __init__(self, directory: Path, output: Path | None) -> None:
        self.directory = directory
        self.is_paused, self.is_drawing, self.has_ended = False, False, False
        self.seconds = 0.0
        """Time spent on the current drawing."""
        self.lines: SimpleQueue[str] = SimpleQueue()
        if output is None and has_screen():
            self.display: Display = Window(directory, self.toggle_pause)
            tell("window")
        else:
            output = output or directory / "panels.png"
            self.display = open_file(output)
            tell(f"file {output}")

    def run(self) -> None:
        """Draw until the window is closed or, for a file, standard input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        if isinstance(self.display, Window):
            timer = self.display.figure.canvas.new_timer(interval=round(1000 * POLL_SECONDS))
            timer.add_callback(self._update_window)
            timer.start()
            self.display.wait_until_closed()
        else:
            while self._update(wait=True):
                pass

    def _listen(self) -> None:
        rest = b""
        while piece := os.read(0, 4096):  # Python cannot exit while a thread reads sys.stdin
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self.lines.put(line.decode())
        self.lines.put("closed")

    def _update_window(self) -> bool:
        """Report every error, because one that is raised would stop the timer."""
        try:
            self._update()
        except Exception as error:
            tell(f"error {type(error).__name__}: {error}")
        return True  # the timer drops a callback that returns False

    def _update(self, wait: bool = False) -> bool:
        """Continue the current drawing, or obey the next line of standard input; with `wait`, wait
        for that line. Return whether there may be more.
        """
        start = time.perf_counter()
        if self.display.draw_next():
            self.seconds += time.perf_counter() - start
            return True
        if self.is_drawing:
            tell(f"drawn {self.seconds:.4f}")
            self.is_drawing = False
        try:
            line = self.lines.get(block=wait)
        except Empty:
            return True
        if line == "closed":
            if not self.has_ended:
                self.display.close()
            return False
        self._draw(is_last=line == "end")
        return True

    def _draw(self, is_last: bool) -> None:
        start = time.perf_counter()
        self.is_drawing = True
        try:
            self.display.show([read_run_data(self.directory)])
            if is_last:
                self.has_ended = True
                self.display.finish()
        except MnistGraphError as error:
            if is_last:
                raise
            tell(f"error {error}")
        finally:
            self.seconds = time.perf_counter() - start

    def toggle_pause(self) -> bool:
        """Pause or resume training; return whether it is paused now."""
        self.is_paused = not self.is_paused
        tell("pause" if self.is_paused else "resume")
        return self.is_paused


def tell(line: str) -> None:
    """Write one line to the process that trains, if it still exists."""
    with suppress(OSError):
        print(" ".join(line.splitlines()), flush=True)


if __name__ == "__main__":
    directory, *output = map(Path, sys.argv[1:])
    try:
        Viewer(directory, output[0] if output else None).run()
    except MnistGraphError as error:
        sys.exit(str(error))
