"""Create, load, list and find run directories."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mnist_graph.data.arguments import checked_path, require
from mnist_graph.data.shapes import COLOURS, ImageShape
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.files import cannot_write, is_unfinished, read_json, write_json
from mnist_graph.runs.run import RUNS_DIR, Metrics, Run, Start


def create_run(
    recipe: Recipe,
    image_shape: ImageShape,
    classes: int,
    sha256: dict[str, str],
    device: str,
    runs_dir: str | Path = RUNS_DIR,
    directory: str | Path | None = None,
    class_names: tuple[str, ...] = (),
    start: Start | None = None,
) -> Run:
    """Create a run in `directory` (default: the next free number in runs_dir/<model>/).

    Raises UsageError if the directory is not empty, and MnistGraphError if it cannot be
    written; a directory that could be created but not filled is removed.
    """
    runs_dir = checked_path("runs_dir", runs_dir)
    directory = None if directory is None else checked_path("run_dir", directory)
    try:
        if directory is None:
            directory = create_numbered(runs_dir / recipe.model)
        else:
            _create_folder(directory)
            _require_empty(directory)
    except OSError as error:
        raise cannot_write(directory or runs_dir, error) from error
    run = Run(directory, recipe, image_shape, classes, sha256, class_names, start)
    description = {
        "recipe": recipe.to_json(),
        "image_shape": image_shape,
        "classes": classes,
        **({"class_names": class_names} if class_names else {}),
        "sha256": sha256,
        "versions": versions(),
        "device": device,
        **({} if start is None else {"start": start._asdict()}),
    }
    try:
        run.log("history").write([])
        write_json(directory / "recipe.json", description)  # last: it makes this a run
    except (OSError, MnistGraphError) as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise cannot_write(directory, error) from error
    return run


def discard_unless_begun(run: Run) -> None:
    """Remove the directory of a run that failed before its first evaluation was recorded."""
    # checkpoint-0 has the weights that a run starts from.
    if not _has_rows(run.directory) and not any(run.directory.glob("checkpoint-[1-9]*")):
        shutil.rmtree(run.directory, ignore_errors=True)


def load_run(directory: str | Path) -> Run:
    """Load the run in `directory`. Raises MnistGraphError if there is none."""
    directory = checked_path("directory", directory)
    path = directory / "recipe.json"
    try:
        exists = path.is_file()
    except OSError as error:  # e.g. a name that is too long, or no permission
        raise MnistGraphError(f"cannot read {path}: {error.strerror}") from error
    if not exists:
        raise MnistGraphError(f"{directory} is not a run directory: it has no recipe.json")
    values = read_json(path)
    try:
        height, width, *channels = values["image_shape"]
        classes, sha256 = values["classes"], dict(values["sha256"])
        if not all(type(n) is int and 1 <= n <= 2**16 for n in (height, width, classes)):
            raise ValueError("image_shape or classes out of range")
        if channels not in ([], [COLOURS]):
            raise ValueError("image_shape has other channels than 3")
        shape, recipe = (height, width, *channels), Recipe.from_json(values["recipe"])
        names, start = _class_names(values, classes), _parse_start(values.get("start"))
        return Run(directory, recipe, shape, classes, sha256, names, start)
    except (KeyError, TypeError, ValueError, MnistGraphError) as error:
        raise MnistGraphError(f"{path} does not describe a run: {error}") from error


def _class_names(values: dict[str, Any], classes: int) -> tuple[str, ...]:
    """Return the names of the classes in a recipe.json; () if there are none."""
    names = values.get("class_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("class_names are not a list of names")
    if names and len(names) != classes:
        raise ValueError("class_names are not one name for each class")
    return tuple(names)


def _parse_start(values: Any) -> Start | None:
    """Return what recipe.json says under "start". Raises KeyError, TypeError or ValueError."""
    if values is None:
        return None
    start = Start(**values)
    if not all(isinstance(value, str) for value in start):
        raise ValueError("start is not text")
    return start


def list_runs(runs_dir: str | Path, model: str) -> Iterator[Run]:
    """Yield the runs of `model` in `runs_dir`, newest first; anything else is skipped.

    Raises MnistGraphError if `runs_dir` cannot be read.
    """
    require("model", model, str, "the name of a recipe")
    try:
        directories = numbered(checked_path("runs_dir", runs_dir) / model)
    except OSError as error:  # e.g. a name that is too long
        raise MnistGraphError(f"cannot read {runs_dir}: {error.strerror}") from error
    for directory in directories:
        try:
            run = load_run(directory)
            run.result  # noqa: B018 - raises if it is damaged
        except MnistGraphError:
            continue
        yield run


def find_run(runs_dir: str | Path, recipe: Recipe, sha256: dict[str, str]) -> Run | None:
    """Return the newest finished run of exactly `recipe` on data with these SHA-256, or None. Runs
    that started from another run are skipped: the recipe alone does not describe them.
    """
    require("recipe", recipe, Recipe, "a Recipe")
    for run in list_runs(runs_dir, recipe.model):
        if run.result is None or run.start is not None:
            continue
        if run.recipe == recipe and run.sha256 == sha256:
            return run
    return None


def numbered(folder: Path) -> list[Path]:
    """The directories in `folder` whose names are numbers, highest first."""
    found = [p for p in folder.glob("*") if re.fullmatch(r"\d+", p.name) and p.is_dir()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def _create_folder(folder: Path) -> None:
    """Create `folder` unless it exists; links are followed, even if their target is missing."""
    # Path.resolve raises RuntimeError for a loop of links before Python 3.13.
    Path(os.path.realpath(folder)).mkdir(parents=True, exist_ok=True)


def create_numbered(folder: Path) -> Path:
    """Create the next numbered directory in `folder`. Safe against concurrent callers."""
    _create_folder(folder)
    while True:
        created = folder / str(next_number(folder))
        try:
            created.mkdir()
            return created
        except FileExistsError:  # pragma: no cover - two callers at the same instant
            continue


def next_number(folder: Path) -> int:
    """Return the number after that of the newest numbered directory in `folder`."""
    return next((int(path.name) for path in numbered(folder)), 0) + 1


def _require_empty(directory: Path) -> None:
    if _is_empty(directory):
        return
    if (directory / "result.json").exists():
        advice = "has a finished run, which is never overwritten; choose another --run-dir"
    elif (directory / "recipe.json").exists():
        advice = "has an unfinished run; add --resume to continue it"
    else:
        advice = "is not empty; choose a new directory"
    raise UsageError(f"{directory} {advice}")


def _is_empty(directory: Path) -> bool:
    """Whether it holds nothing but what a run leaves that was killed while being created."""
    if _has_rows(directory):
        return False
    return all(
        path.name == "history.csv"
        or is_unfinished(path.name, "history.csv")
        or is_unfinished(path.name, "recipe.json")
        for path in directory.iterdir()
    )


def _has_rows(directory: Path) -> bool:
    """Whether history.csv has more than its header."""
    history = directory / "history.csv"
    return history.exists() and history.stat().st_size > len(",".join(Metrics._fields)) + 1


def versions() -> dict[str, str]:
    """Return the versions of Python, NumPy and TensorFlow."""
    from importlib.metadata import version

    packages = {name: version(name) for name in ("numpy", "tensorflow")}
    return {"python": platform.python_version(), **packages}
