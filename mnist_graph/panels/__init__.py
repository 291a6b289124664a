"""The six panels in which a network is watched as it learns. Imports no TensorFlow.

After those of Martin Görner's "TensorFlow and deep learning, without a PhD".
"""

import shutil
from pathlib import Path

from mnist_graph.errors import UsageError

PICTURES = (".png", ".jpg", ".pdf", ".svg")
FILMS = (".gif", ".mp4")


def is_film(output: Path) -> bool:
    return output.suffix.lower() in FILMS


def check_output(output: Path, known: tuple[str, ...] = PICTURES + FILMS) -> None:
    """Raises UsageError for a file that panels cannot be drawn into."""
    if output.suffix.lower() not in known:
        raise UsageError(f"--watch draws into a file of {', '.join(known)}, not {str(output)!r}")
    if output.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError("--watch needs ffmpeg for an .mp4, and finds none; name a .gif")
    if output.is_dir() or not output.parent.is_dir():
        raise UsageError(f"--watch cannot draw into {output}: its folder has to be there")
