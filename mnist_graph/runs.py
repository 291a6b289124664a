"""Run directories: what a training leaves, and how it is found again.

runs/<model>/<number>/
    recipe.json              hyperparameters, data, versions, device
    history.csv              iteration, loss and accuracy, as they were printed
    test.csv                 the same of the test images, at the end and while --watch looks on
    percentiles.csv          of the weights and the biases, over the iterations
    batch.npz, test.npz      digits of the last batch and of the test, and what they were taken for
    events.out.tfevents.*    what TensorBoard shows
    checkpoint-<iteration>/  the variables (see checkpoints.py); the last two
    result.json              written last: a run without it is unfinished
    .lock                    locked while a process trains it
"""

import platform
import re
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from mnist_graph.checkpoints import Checkpoint, find_checkpoint, save_checkpoint
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.files import cannot_write, read_json, synchronise, write_json
from mnist_graph.recipe import Recipe
from mnist_graph.series import Recorder, Series


class Evaluation(NamedTuple):
    """One line of a run's history: the batch just trained on, at keep_prob 1."""

    iteration: int
    loss: float
    accuracy: float


class Test(NamedTuple):
    """How well the test images were read."""

    iteration: int
    loss: float
    accuracy: float


PERCENTILES = (0, 7, 16, 31, 69, 84, 93, 100)
"""Those of a normal distribution's bounds at 0.5, 1 and 1.5 standard deviations, and the least
and greatest, as TensorBoard's distributions have them: seven bands lie between."""

Percentiles = namedtuple(
    "Percentiles",
    ["iteration", *(f"{of}_{p}" for of in ("weights", "biases") for p in PERCENTILES)],
)
"""Those of all weights and of all biases behind an iteration."""

ROWS = {"history": Evaluation, "test": Test, "percentiles": Percentiles}
"""The series that a run keeps, NAME.csv, and what each of their rows holds."""


class Result(NamedTuple):
    test_accuracy: float
    """The share of the test images that is read right."""
    seconds: float
    """In the training loop, its evaluations included."""
    iterations_per_second: float


class Run(NamedTuple):
    """A run directory, and what its recipe.json says."""

    directory: Path
    recipe: Recipe
    image_shape: tuple[int, int]
    """Height and width of the images it was trained on, in pixels."""
    classes: int
    sha256: dict[str, str]
    """Of the four data files, uncompressed."""

    @property
    def result(self) -> Result | None:
        """What came out; None while the run is unfinished."""
        path = self.directory / "result.json"
        if not path.exists():
            return None
        values = read_json(path)
        try:
            return Result(*(float(values[name]) for name in Result._fields))
        except (KeyError, TypeError, ValueError) as error:
            raise MnistGraphError(f"{path} is damaged; delete it and use --resume") from error

    @property
    def history(self) -> list[Evaluation]:
        """The evaluations, oldest first, as far as they can be read (`Series.read`)."""
        return self.series("history").read()

    def series(self, name: str) -> Series:
        """The series of that name; see ROWS."""
        return Series(self.directory / f"{name}.csv", ROWS[name])

    def recorder(self, name: str, iteration: int) -> Recorder:
        """What goes on with the series of that name from `iteration` on."""
        return Recorder(self.series(name), iteration)

    def checkpoint(self) -> Checkpoint | None:
        """The newest whole checkpoint; None where there is none yet. Warns and raises as
        `find_checkpoint` does.
        """
        return find_checkpoint(self.directory)

    def save_checkpoint(self, write: Callable[[str], Any], iteration: int, seconds: float) -> None:
        """Keep what `write` puts to files of a given prefix, as `save_checkpoint` does.

        Raises MnistGraphError where it cannot be written; those before are then untouched.
        """
        try:
            synchronise(self.directory / "history.csv")
            save_checkpoint(self.directory, write, iteration, seconds)
        except Exception as error:  # TensorFlow's own besides OSError
            raise cannot_write(self.directory, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from training this run meanwhile; the lock dies with its
        process. Raises MnistGraphError where another one has it.
        """
        lock = FileLock(self.directory / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise MnistGraphError(
                f"{self.directory} is being trained by another process; wait for its end"
            ) from error
        except OSError as error:  # pragma: no cover - no permission, which root always has
            raise cannot_write(self.directory, error) from error
        try:
            yield
        finally:
            lock.release()

    def lengthened(self, iterations: int) -> "Run":
        """This run, from now on of so many iterations. Raises MnistGraphError where that
        cannot be written.
        """
        description = read_json(self.directory / "recipe.json")
        recipe = self.recipe.override(iterations=iterations)
        try:
            # First, as a finished run has no more to do.
            (self.directory / "result.json").unlink(missing_ok=True)
            write_json(self.directory / "recipe.json", {**description, "recipe": recipe.to_json()})
        except OSError as error:  # pragma: no cover - as in write_result, which is tested
            raise cannot_write(self.directory, error) from error
        return self._replace(recipe=recipe)

    def write_result(self, result: Result) -> None:
        try:
            write_json(self.directory / "result.json", result._asdict())
        except OSError as error:
            raise cannot_write(self.directory, error) from error


def create_run(
    recipe: Recipe,
    image_shape: tuple[int, int],
    classes: int,
    sha256: dict[str, str],
    device: str,
    runs_dir: str | Path = "runs",
    directory: str | Path | None = None,
) -> Run:
    """A new run in `directory`, by default the next free number under runs_dir/<model>/.

    Raises MnistGraphError where that holds something already or cannot be written; a
    directory that could be made and not filled is removed.
    """
    try:
        if directory is None:
            directory = _fresh_directory(Path(runs_dir) / recipe.model)
        else:
            directory = Path(directory)
            directory.mkdir(parents=True, exist_ok=True)
            _require_empty(directory)
    except OSError as error:
        raise cannot_write(Path(directory or runs_dir), error) from error
    run = Run(directory, recipe, image_shape, classes, sha256)
    description = {
        "recipe": recipe.to_json(),
        "image_shape": image_shape,
        "classes": classes,
        "sha256": sha256,
        "versions": _versions(),
        "device": device,
    }
    try:
        run.series("history").write([])
        write_json(directory / "recipe.json", description)  # last: it makes this a run
    except (OSError, MnistGraphError) as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise cannot_write(directory, error) from error
    return run


def load_run(directory: str | Path) -> Run:
    """The run in `directory`. Raises MnistGraphError where there is none."""
    directory = Path(directory)
    path = directory / "recipe.json"
    try:
        there = path.is_file()
    except OSError as error:  # such as a name that is too long, or no permission
        raise MnistGraphError(f"cannot read {path}: {error.strerror}") from error
    if not there:
        raise MnistGraphError(f"{directory} is not a run directory: it has no recipe.json")
    values = read_json(path)
    try:
        height, width = values["image_shape"]
        classes, sha256 = values["classes"], dict(values["sha256"])
        if not all(isinstance(n, int) and 1 <= n <= 2**16 for n in (height, width, classes)):
            raise ValueError("image_shape or classes out of bounds")
        return Run(directory, Recipe.from_json(values["recipe"]), (height, width), classes, sha256)
    except (KeyError, TypeError, ValueError, MnistGraphError) as error:
        raise MnistGraphError(f"{path} does not describe a run: {error}") from error


def list_runs(runs_dir: str | Path, model: str) -> Iterator[Run]:
    """The runs of `model` under `runs_dir`, the newest first; what is not one is passed over."""
    for directory in _numbered(Path(runs_dir) / model):
        try:
            run = load_run(directory)
            run.result  # noqa: B018 - damaged where it cannot be read
        except MnistGraphError:
            continue
        yield run


def find_run(runs_dir: str | Path, recipe: Recipe, sha256: dict[str, str]) -> Run | None:
    """The newest finished run of exactly `recipe` on data of these SHA-256, or None."""
    for run in list_runs(runs_dir, recipe.model):
        if run.result is not None and run.recipe == recipe and run.sha256 == sha256:
            return run
    return None


def _numbered(folder: Path) -> list[Path]:
    """The directories of `folder` whose names are numbers, the highest first."""
    found = [p for p in folder.glob("*") if re.fullmatch(r"\d+", p.name) and p.is_dir()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def _fresh_directory(folder: Path) -> Path:
    """A new directory in `folder`, numbered behind those there; two who ask get two."""
    folder.mkdir(parents=True, exist_ok=True)
    number = next((int(path.name) for path in _numbered(folder)), 0)
    while True:
        number += 1
        try:
            (folder / str(number)).mkdir()
            return folder / str(number)
        except FileExistsError:  # pragma: no cover - two at the same instant
            continue


def _require_empty(directory: Path) -> None:
    if _is_bare(directory):
        return
    if (directory / "result.json").exists():
        advice = "holds a finished run, which is never overwritten; choose another --run-dir"
    elif (directory / "recipe.json").exists():
        advice = "holds an unfinished run; add --resume to go on with it"
    else:
        advice = "is not empty; choose a new directory"
    raise UsageError(f"{directory} {advice}")


def _is_bare(directory: Path) -> bool:
    """Whether it holds nothing, or no more than a kill leaves of a run that just began."""
    history = directory / "history.csv"
    if history.exists() and history.stat().st_size > len(",".join(Evaluation._fields)) + 1:
        return False
    return {path.name for path in directory.iterdir()} <= {".recipe.json", history.name}


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    versions = {name: version(name) for name in ("numpy", "tensorflow")}
    return {"python": platform.python_version(), **versions}
