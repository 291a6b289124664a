"""Where the panels are shown: a window, a picture, a film. Imports no TensorFlow."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mnist_graph.errors import MnistGraphError
from mnist_graph.panels.figure import ALL, SIZE, Panels
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.files import write_output

DPI = 100
FILM_DPI = 60
FRAMES_PER_SECOND = 10
LAST_FRAMES = 20
"""How often the last one is shown."""
GIF_COLORS = 128

KEYS = {str(number): (number,) for number in ALL}
KEYS |= {"7": (1, 2), "8": (4, 5), "9": (3, 6), "0": ALL, "escape": ALL}
"""Which panels each key shows."""


class Display(Protocol):
    """Shows runs as they come."""

    def show(self, runs: Sequence[RunData]) -> None: ...

    def go_on(self) -> bool:
        """Show a little more of what was to be shown; whether there was any."""

    def finish(self) -> None:
        """This was the last."""

    def close(self) -> None:
        """Nobody looks any more."""


def open_file(output: Path) -> Display:
    """What draws into the file `output`."""
    if output.suffix.lower() == ".mp4":
        return Film(output)
    return Gif(output) if output.suffix.lower() == ".gif" else Picture(output)


class Picture:
    """A file that shows the newest state, at every moment whole."""

    def __init__(self, output: Path, dpi: float = DPI) -> None:
        self.output = output
        self.figure = Figure(SIZE, dpi=dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        self.panels = Panels(self.figure)

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        save(self.figure, self.output)

    def go_on(self) -> bool:
        return False

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


class Film(Picture):
    """An .mp4, made by ffmpeg."""

    def __init__(self, output: Path) -> None:
        super().__init__(output, FILM_DPI)
        self.written = output.with_name(f".{output.name}")
        self.writer = FFMpegWriter(FRAMES_PER_SECOND)
        self.writer.setup(self.figure, self.written, FILM_DPI)

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        self.writer.grab_frame()

    def finish(self) -> None:
        for _ in range(LAST_FRAMES):
            self.writer.grab_frame()
        self.writer.finish()
        self.written.replace(self.output)


class Gif(Picture):
    """A .gif, made by Pillow."""

    def __init__(self, output: Path) -> None:
        super().__init__(output, FILM_DPI)
        self.frames: list[Image.Image] = []

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        self.canvas.draw()
        frame = Image.fromarray(np.asarray(self.canvas.buffer_rgba())[..., :3])
        self.frames.append(frame.quantize(GIF_COLORS))  # as a GIF has it: a byte a pixel

    def finish(self) -> None:
        if not self.frames:
            return
        milliseconds = [1000 // FRAMES_PER_SECOND] * len(self.frames)
        milliseconds[-1] *= LAST_FRAMES
        first, *others = self.frames

        def write(written: Path) -> None:
            first.save(written, save_all=True, append_images=others, duration=milliseconds, loop=0)

        write_output(self.output, write)


class Window:
    """A window, with its keys. `toggle_pause` is called for the space bar and says whether the
    training waits now; without it there is none to pause.
    """

    def __init__(self, folder: Path, toggle_pause: Callable[[], bool] | None = None) -> None:
        import matplotlib.pyplot as plt

        settings = matplotlib.rcParams
        for name in [name for name in settings if name.startswith("keymap.")]:
            settings[name] = []
        settings["keymap.zoom"], settings["keymap.home"] = ["o", "O"], ["h", "H"]
        self.folder, self.toggle_pause = folder, toggle_pause
        self.figure = plt.figure("mnist_graph", figsize=SIZE, dpi=DPI * 0.8)
        self.panels = Panels(self.figure)
        self.figure.canvas.mpl_connect("key_press_event", self._key)
        self.figure.canvas.mpl_connect("resize_event", lambda _: self._draw())
        self.main_loop, self.close_all = plt.show, plt.close
        self.old: list[int] = []
        """Panels that do not show yet what is to be shown."""

    def show(self, runs: Sequence[RunData]) -> None:
        """At once where there was nothing yet, else panel by panel, by `go_on`, so that a key
        need not wait for all of them.
        """
        if self.panels.runs:
            self.panels.runs = runs
            self.old = list(self.panels.cells)
        else:
            self.panels.show(runs)
            self.figure.canvas.draw()

    def go_on(self) -> bool:
        if not self.old:
            return False
        self.panels.renew(self.old.pop(0))
        return True

    def finish(self) -> None:
        """It stays until it is closed."""
        self.toggle_pause = None
        self._say("trained to the end")

    def close(self) -> None:
        self.close_all("all")

    def _draw(self) -> None:
        if self.panels.runs:
            self.old = []
            self.panels.choose(self.panels.chosen)
            self.figure.canvas.draw_idle()

    def _key(self, event: object) -> None:
        if event.key in KEYS:
            self.panels.chosen = KEYS[event.key]
            self._draw()
        elif event.key in ("h", "H"):  # the toolbar went back to where the panels were
            self._draw()
        elif event.key == " " and self.toggle_pause is not None:
            self._say("paused; space goes on" if self.toggle_pause() else "")
        elif event.key in ("ctrl+s", "ctrl+S"):
            self._save()

    def _save(self) -> None:
        path = self.folder / time.strftime("panels-%Y%m%d-%H%M%S.png")
        try:
            save(self.figure, path)
            self._say(f"saved in {path}")
        except MnistGraphError as error:
            self._say(str(error))

    def _say(self, message: str) -> None:
        manager = self.figure.canvas.manager
        manager.set_window_title(f"mnist_graph  {message}".rstrip())


def has_screen() -> bool:
    """Whether matplotlib finds a screen and a toolkit that draws a window on it."""
    import matplotlib.pyplot as plt

    try:
        canvas = plt.figure("probe").canvas
    except Exception:  # each of the toolkits has errors of its own
        return False
    plt.close("all")
    return canvas.required_interactive_framework is not None


def save(figure: Figure, path: Path) -> None:
    """Write the picture to `path`. Raises MnistGraphError where that fails."""
    write_output(path, lambda written: figure.savefig(written, format=path.suffix[1:]))
