"""A run directory in, six panels out: in a window, a picture or a film. Imports no TensorFlow,
except in `watch`.

    watch        the hook of --watch: starts the process that draws, and tells it what is new
    __main__     that process
    run_data     everything in a run directory that the panels show
    displays     window, picture, film
    figure       the six panels on one figure
    panel        the kinds of panels: curves, percentile bands, digits
    montage      many digits as one image

Open `figure` first. The panels are those of Martin Görner's "TensorFlow and deep learning, without
a PhD".
"""

import shutil
from pathlib import Path

from mnist_graph.errors import UsageError

PICTURES = (".png", ".jpg", ".pdf", ".svg")
"""The suffixes of files that show the newest state."""
FILMS = (".gif", ".mp4")
"""The suffixes of films."""


def is_film(output: Path) -> bool:
    """Whether the file's suffix is that of a film."""
    return output.suffix.lower() in FILMS


def check_output(output: Path, suffixes: tuple[str, ...] = PICTURES + FILMS) -> None:
    """Raise UsageError if the panels cannot be drawn into the file `output`: its suffix is not one
    of `suffixes`, its folder does not exist, or ffmpeg is missing for an .mp4.
    """
    if output.suffix.lower() not in suffixes:
        raise UsageError(f"--watch draws into {', '.join(suffixes)} files, not {str(output)!r}")
    if output.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError("--watch needs ffmpeg for an .mp4, which is not installed; use a .gif")
    if output.is_dir():
        raise UsageError(f"--watch cannot draw into {output}: it is a folder")
    if not output.parent.is_dir():
        raise UsageError(f"--watch cannot draw into {output}: its folder does not exist")
