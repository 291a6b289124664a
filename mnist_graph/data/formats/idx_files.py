"""MNIST's four IDX files, plain or gzip-compressed."""

from pathlib import Path

from mnist_graph.data.formats.examples import Examples, Part
from mnist_graph.data.idx import find_idx, read_idx
from mnist_graph.errors import MnistGraphError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def find_files(folder: str | Path) -> dict[str, Path]:
    """Return the paths of the four IDX files in `folder`, by name; {} if it has none of them
    or does not exist.

    Raises MnistGraphError if only some of the four are present.
    """
    found = {name: find_idx(Path(folder), name) for name in FILES}
    missing = [name for name, path in found.items() if path is None]
    if len(missing) == len(FILES):
        return {}
    if missing:
        raise MnistGraphError(f"{folder} lacks {', '.join(missing)} (plain or .gz)")
    return {name: path for name, path in found.items() if path is not None}


def read_files(paths: dict[str, Path]) -> Examples:
    """Read the files that `find_files` found. Raises MnistGraphError for damaged ones."""
    read = {name: read_idx(path, 3 if "images" in name else 1) for name, path in paths.items()}
    train, test = (
        Part(read[images][0], read[labels][0], str(paths[images]), str(paths[labels]))
        for images, labels in (FILES[:2], FILES[2:])
    )
    return Examples(train, test, {name: sha256 for name, (_, sha256) in read.items()})
