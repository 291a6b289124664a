"""Which pictures a folder has, of which class, and for what: training, validation or test."""

import os
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mnist_graph.errors import MnistGraphError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What a folder of this name is for, if it has folders in it."""


class PictureFile(NamedTuple):
    """A file in a folder of pictures."""

    path: str
    """From the folder on."""
    label: int
    part: str
    """The folder that it is in: train, validation or test."""
    size: int
    """In bytes."""
    changed: int
    """When it was last written: st_mtime_ns."""


class Listing(NamedTuple):
    """The pictures of a folder."""

    files: list[PictureFile]
    """In the order of their paths."""
    class_names: tuple[str, ...]
    """The names of the classes' folders, in the order of their numbers."""
    held_back: frozenset[str]
    """What has no folder of its own and is taken out of train: validation, test or both."""


def list_pictures(root: Path) -> Listing | None:
    """List the pictures in the folders of `root`, one folder for each class; or of train, test and
    validation, if `root` has them. None if there are no pictures in folders.

    Hidden files and folders, and files whose names do not end like those of pictures, are left out.
    Raises MnistGraphError for empty classes, a single one, names that differ by case alone, a class
    that only the test has, links that leave `root`, and OSError.
    """
    parts = _find_parts(root)
    held_back = {VALIDATION, TEST} - {part for part, _ in parts}
    found = [
        (part, folder.name, list(_find_files(folder, root)))
        for part, place in parts
        for folder in _folders(place, root)
    ]
    if not any(files for _, _, files in found):
        return None
    names = _check_classes(root, found)
    files = [
        PictureFile(path, names.index(name), part, status.st_size, status.st_mtime_ns)
        for part, name, entries in found
        for path, status in entries
    ]
    files.sort()
    return Listing(files, names, frozenset(held_back))


def _find_parts(root: Path) -> list[tuple[str, Path]]:
    """Return the folders of the classes' folders, and what each is for."""
    parts = [
        (PARTS[folder.name.lower()], folder)
        for folder in _folders(root, root)
        if folder.name.lower() in PARTS and any(_folders(folder, root))
    ]
    kinds = [part for part, _ in parts]
    if not parts:
        return [(TRAIN, root)]
    if TRAIN not in kinds:
        raise MnistGraphError(f"{root} has a folder {parts[0][1].name}, but none called train")
    if len(set(kinds)) < len(kinds):
        names = ", ".join(folder.name for _, folder in parts)
        raise MnistGraphError(f"{root} has two folders for the same pictures: {names}")
    return parts


def _check_classes(
    root: Path, found: list[tuple[str, str, list[tuple[str, os.stat_result]]]]
) -> tuple[str, ...]:
    """Return the names of the classes in order."""
    names = {name for part, name, _ in found if part == TRAIN}
    folded: dict[str, str] = {}
    for name in sorted({name for _, name, _ in found}):
        other = folded.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise MnistGraphError(
                f"{root} has two classes whose names differ by case alone: {other} and {name}; "
                "rename one or merge them"
            )
    for part, name, files in found:
        if name not in names:
            raise MnistGraphError(f"{root}: {part} has a class {name}, and train has none")
        if not files and part == TRAIN:
            raise MnistGraphError(
                f"{root}: class {name} has no pictures; add some or remove its folder"
            )
    if len(names) == 1:
        raise MnistGraphError(
            f"{root} has only one class, {names.pop()}; there is nothing to learn"
        )
    return tuple(sorted(names, key=_by_number))


def _by_number(name: str) -> tuple[int, int, str]:
    """Numbers come first, by their values, so that classes 2 and 10 are in this order."""
    is_number = name.isascii() and name.isdigit()
    return (0, int(name), name) if is_number else (1, 0, name)


def _folders(folder: Path, root: Path) -> list[Path]:
    """Return the folders in `folder`, in order."""
    with os.scandir(folder) as entries:
        found = [
            Path(entry.path)
            for entry in entries
            if not entry.name.startswith(".") and _is_inside(entry, root) and entry.is_dir()
        ]
    return sorted(found)


def _find_files(folder: Path, root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path, from `root` on, and the status of each picture in `folder` itself."""
    with os.scandir(folder) as entries:
        for entry in entries:
            is_picture = not entry.name.startswith(".") and _is_picture(entry.name)
            if is_picture and _is_inside(entry, root) and entry.is_file():
                yield os.path.relpath(entry.path, root), entry.stat()


def _is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    """Return True. Raises MnistGraphError for a link that leads out of `root`."""
    if entry.is_symlink():
        inside, target = os.path.realpath(root), os.path.realpath(entry.path)
        if os.path.commonpath([target, inside]) != inside:
            raise MnistGraphError(
                f"{entry.path} is a link that leaves {root}; copy what it leads to"
            )
    return True


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _suffixes()


@cache
def _suffixes() -> frozenset[str]:
    from PIL import Image

    from mnist_graph.data.picture_files import formats

    allowed = set(formats())
    return frozenset(end for end, name in Image.registered_extensions().items() if name in allowed)
