"""The pictures in a folder."""

import os
import re
from collections.abc import Iterator

# fmt: off
SUFFIXES = (
    ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pdf", ".pgm", ".png",
    ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)
# fmt: on
"""Those of the pictures in a folder. Any other file can be given by its name."""


def list_pictures(folder: str, without: str | None = None) -> Iterator[str]:
    """Yield the paths of the pictures in a folder and in the folders in it, in natural order:
    page 2 before page 10.

    Left out are hidden files and folders, files without one of SUFFIXES, links to folders, and
    the folder `without`. Instead of a folder that cannot be listed its own path is yielded:
    reading it will say why.
    """
    left_out = None if without is None else os.path.realpath(without)
    levels = [iter(_list(folder))]
    while levels:
        path, is_folder = next(levels[-1], (None, False))
        if path is None:
            levels.pop()
        elif not is_folder:
            yield path
        elif left_out is None or os.path.realpath(path) != left_out:
            levels.append(iter(_list(path)))


def _list(folder: str) -> list[tuple[str, bool]]:
    """Return the paths of the pictures and folders in a folder, and whether each is a folder."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_picture = entry.name.lower().endswith(SUFFIXES)
                if not entry.name.startswith(".") and (is_folder or is_picture):
                    found.append((entry.name, is_folder))
    except OSError:
        return [(folder, False)]
    found.sort(key=lambda each: _natural_key(each[0]))
    return [(os.path.join(folder, name), is_folder) for name, is_folder in found]


def _natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts the numbers in names by their values, and letters regardless of case."""
    parts = []
    for place, part in enumerate(re.split(r"([0-9]+)", name.casefold())):
        if place % 2:  # a number: the longer it is, the larger
            part = part.lstrip("0")
            parts.append((len(part), part))
        else:
            parts.append((0, part))
    return parts, name
