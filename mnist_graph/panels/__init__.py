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
from mnist_graph.runs.files import find_output_fault

PICTURES = (".png", ".jpg", ".pdf", ".svg")
"""The suffixes of files that show the newest state."""
FILMS = (".gif", ".mp4")
"""The suffixes of films."""
MARK = "mnist_graph panels"
"""Stands in the metadata of every file that is drawn, so that no other file is overwritten."""
MARK_WITHIN = 2**16
"""How far from the start or the end of a file its metadata is, in bytes."""


def is_film(output: Path) -> bool:
    """Whether the file's suffix is that of a film."""
    return output.suffix.lower() in FILMS


def check_output(output: Path, suffixes: tuple[str, ...] = PICTURES + FILMS) -> None:
    """Raise UsageError if the panels cannot be drawn into the file `output`: its suffix is not one
    of `suffixes`, its folder does not exist, it is a file that was not drawn here, or ffmpeg is
    missing for an .mp4.
    """
    if output.suffix.lower() not in suffixes:
        raise UsageError(f"--watch draws into {', '.join(suffixes)} files, not {str(output)!r}")
    if output.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError("--watch needs ffmpeg for an .mp4, which is not installed; use a .gif")
    try:
        fault = find_output_fault(output)
    except OSError as error:  # e.g. a name that is too long
        fault = str(error.strerror)
    if fault is not None:
        raise UsageError(f"--watch cannot draw into {output}: {fault}")
    if output.exists() and not _is_ours(output):
        raise UsageError(f"--watch did not make {output} and will not overwrite it")


def _is_ours(path: Path) -> bool:
    """Whether `path` is an empty file, or has MARK in its metadata."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(MARK_WITHIN)
            file.seek(max(0, size - MARK_WITHIN))
            return size == 0 or MARK.encode() in start + file.read()
    except OSError as error:
        raise UsageError(f"--watch cannot draw into {path}: {error.strerror}") from error
