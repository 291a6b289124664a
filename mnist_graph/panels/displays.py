"""Where the panels are shown: a window, a picture, a film. Imports no TensorFlow."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mnist_graph.errors import MnistGraphError
from mnist_graph.panels import MARK
from mnist_graph.panels.figure import ALL_PANELS, FIGURE_SIZE, PanelFigure
from mnist_graph.panels.run_data import RunData
from mnist_graph.runs.files import cannot_write, create_unfinished, write_output

PICTURE_DPI = 100
"""A picture has 1600x900 pixels."""
FILM_DPI = 60
"""A film has 960x540 pixels."""
WINDOW_DPI = 80
"""A window opens with 1280x720 pixels, which fit on a laptop's screen."""
FRAMES_PER_SECOND = 10
LAST_FRAMES = 20
"""For how many frames a film shows the final state: two seconds."""
GIF_COLORS = 128
"""The size of each frame's palette; a GIF allows 256."""

KEYS: dict[str, tuple[int, ...]] = {
    **{str(number): (number,) for number in ALL_PANELS},
    "7": (1, 2),
    "8": (4, 5),
    "9": (3, 6),
    "0": ALL_PANELS,
    "escape": ALL_PANELS,
}
"""The panels that each key shows."""


class Display(Protocol):
    """Shows one run, or several for comparison, as they change."""

    def show(self, runs: Sequence[RunData]) -> None:
        """Show the current state of `runs`. Raises MnistGraphError if a file cannot be written."""

    def draw_next(self) -> bool:
        """Draw the next part of what `show` has left undrawn; return whether there was any."""

    def finish(self) -> None:
        """Complete the display: `show` is not called again. Raises MnistGraphError if a file cannot
        be written.
        """

    def close(self) -> None:
        """Close the window, if it is one."""


def open_file(output: Path) -> Display:
    """Create the display that draws into the file `output`, a film or a picture by its suffix."""
    if output.suffix.lower() == ".mp4":
        return Film(output)
    return Gif(output) if output.suffix.lower() == ".gif" else Picture(output)


class Picture:
    """A file that shows the newest state. Each update replaces it as a whole."""

    def __init__(self, output: Path, dpi: float = PICTURE_DPI) -> None:
        self.output = output
        self.figure = Figure(FIGURE_SIZE, dpi=dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        self.panels = PanelFigure(self.figure)

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        save_figure(self.figure, self.output)

    def draw_next(self) -> bool:
        return False

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


class Film(Picture):
    """An .mp4 file, encoded by ffmpeg. It appears under its name when it is finished."""

    def __init__(self, output: Path) -> None:
        super().__init__(output, FILM_DPI)
        try:
            self.unfinished = create_unfinished(output)
        except OSError as error:
            raise cannot_write(output.parent, error) from error
        self.writer = FFMpegWriter(FRAMES_PER_SECOND, metadata={"comment": MARK})
        with self._ffmpeg_errors():
            self.writer.setup(self.figure, self.unfinished, FILM_DPI)

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        with self._ffmpeg_errors():
            self.writer.grab_frame()

    def finish(self) -> None:
        with self._ffmpeg_errors():
            for _ in range(LAST_FRAMES):
                self.writer.grab_frame()
            self.writer.finish()
            self.unfinished.replace(self.output)

    @contextmanager
    def _ffmpeg_errors(self) -> Iterator[None]:
        """Report what goes wrong as one line, and remove the unfinished film."""
        try:
            yield
        except (OSError, subprocess.CalledProcessError) as error:
            with suppress(OSError):
                self.unfinished.unlink(missing_ok=True)
            raise MnistGraphError(f"cannot write {self.output}: ffmpeg has failed") from error


class Gif(Picture):
    """A .gif file, encoded by Pillow. It is written when it is finished."""

    def __init__(self, output: Path) -> None:
        super().__init__(output, FILM_DPI)
        self.frames: list[Image.Image] = []

    def show(self, runs: Sequence[RunData]) -> None:
        self.panels.show(runs)
        self.canvas.draw()
        frame = Image.fromarray(np.asarray(self.canvas.buffer_rgba())[..., :3])
        self.frames.append(frame.quantize(GIF_COLORS))  # a third of the memory of RGB

    def finish(self) -> None:
        if not self.frames:
            return
        milliseconds = [1000 // FRAMES_PER_SECOND] * len(self.frames)
        milliseconds[-1] *= LAST_FRAMES
        first, *others = self.frames

        def write(path: Path) -> None:
            first.save(
                path,
                save_all=True,
                append_images=others,
                duration=milliseconds,
                loop=0,
                comment=MARK,
            )

        write_output(self.output, write)


class Window:
    """A window with keys: those of KEYS, O to zoom and H to zoom out, Ctrl-S to save a picture in
    `folder`, and space to call `toggle_pause`, which returns whether training is paused now.
    """

    def __init__(self, folder: Path, toggle_pause: Callable[[], bool] | None = None) -> None:
        import matplotlib.pyplot as plt

        settings = matplotlib.rcParams
        for name in [name for name in settings if name.startswith("keymap.")]:
            settings[name] = []
        settings["keymap.zoom"], settings["keymap.home"] = ["o", "O"], ["h", "H"]
        self.folder, self.toggle_pause = folder, toggle_pause
        self.figure = plt.figure("mnist_graph", figsize=FIGURE_SIZE, dpi=WINDOW_DPI)
        self.panels = PanelFigure(self.figure)
        self.figure.canvas.mpl_connect("key_press_event", self._handle_key)
        self.figure.canvas.mpl_connect("resize_event", lambda _: self._draw_all())
        self.wait_until_closed, self.close_all = plt.show, plt.close
        self.outdated: list[int] = []
        """The numbers of the panels that do not show `panels.runs` yet."""

    def show(self, runs: Sequence[RunData]) -> None:
        """Draw everything the first time. Later, leave the panels to `draw_next`, one per call, so
        that a key never waits for all of them.
        """
        if self.panels.runs:
            self.panels.runs = runs
            self.outdated = list(self.panels.cells)
        else:
            self.panels.show(runs)
            self.figure.canvas.draw()

    def draw_next(self) -> bool:
        if not self.outdated:
            return False
        self.panels.redraw(self.outdated.pop(0))
        return True

    def finish(self) -> None:
        """Say that training is over; the window stays open until the user closes it."""
        self.toggle_pause = None
        self._set_status("training finished")

    def close(self) -> None:
        self.close_all("all")

    def _draw_all(self) -> None:
        if self.panels.runs:
            self.outdated = []
            self.panels.select(self.panels.selected)
            self.figure.canvas.draw_idle()

    def _handle_key(self, event: Any) -> None:
        if event.key in KEYS:
            self.panels.selected = KEYS[event.key]
            self._draw_all()
        elif event.key in ("h", "H"):  # the toolbar has restored the panels' former positions
            self._draw_all()
        elif event.key == " " and self.toggle_pause is not None:
            self._set_status("paused; press space to resume" if self.toggle_pause() else "")
        elif event.key in ("ctrl+s", "ctrl+S"):
            self._save()

    def _save(self) -> None:
        path = self.folder / time.strftime("panels-%Y%m%d-%H%M%S.png")
        try:
            save_figure(self.figure, path)
            self._set_status(f"saved to {path}")
        except MnistGraphError as error:
            self._set_status(str(error))

    def _set_status(self, message: str) -> None:
        """Show `message` in the title bar."""
        manager = self.figure.canvas.manager
        assert manager is not None
        manager.set_window_title(f"mnist_graph  {message}".rstrip())


def has_screen() -> bool:
    """Return whether matplotlib finds a screen, and a toolkit that opens windows on it."""
    import matplotlib.pyplot as plt

    try:
        canvas = plt.figure("probe").canvas
    except Exception:  # each toolkit raises exceptions of its own
        return False
    plt.close("all")
    return canvas.required_interactive_framework is not None


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure to `path`, in the format that its suffix names. Raises MnistGraphError if
    it cannot be written.
    """
    kind = path.suffix[1:].lower()
    if kind == "jpg":
        marked: dict[str, Any] = {"pil_kwargs": {"comment": MARK}}
    else:
        marked = {"metadata": {"Software" if kind == "png" else "Creator": MARK}}
    write_output(path, lambda written: figure.savefig(written, format=kind, **marked))
