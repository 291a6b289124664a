"""One run directory: everything that training saves.

runs/<model>/<number>/
    recipe.json              hyperparameters, data, versions, device; what it started from
    history.csv              iteration, loss and accuracy, as printed
    test.csv                 the same for the test images, at the end and while followed; in a
                             sweep, as all "test" here, for held-out training images instead
    percentiles.csv          percentiles of the weights and the biases
    batch.npz, test.npz      digits of the last batch and of the test, with predictions
    snapshots/               with --snapshots: the weights at a few iterations (snapshots.py)
    events.out.tfevents.*    for TensorBoard
    checkpoint-<iteration>/  the last two checkpoints (checkpoints.py)
    result.json              written last: without it, the run is unfinished
    .lock                    locked while a process trains the run
"""

import math
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.data.held_out import HELD_OUT
from mnist_graph.data.shapes import ImageShape, are_whole
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.checkpoints import Checkpoint, find_checkpoint, save_checkpoint
from mnist_graph.runs.csv_log import CsvAppender, CsvLog
from mnist_graph.runs.files import cannot_write, read_json, synchronize, write_json
from mnist_graph.runs.locks import locked

RUNS_DIR = "runs"
"""The default folder of all runs."""


class Metrics(NamedTuple):
    """Loss and accuracy after an iteration: a row of history.csv, of the batch just trained on at
    keep_prob 1, or of test.csv, of the test images.
    """

    iteration: int
    loss: float
    accuracy: float


PERCENTILES = (0, 7, 16, 31, 69, 84, 93, 100)
"""The minimum, a normal distribution's values at -1.5, -1, -0.5, 0.5, 1 and 1.5 standard
deviations, and the maximum, as in TensorBoard's distributions."""

WeightPercentiles: Any = namedtuple(  # type: ignore[misc]
    "WeightPercentiles",
    ["iteration", *(f"{kind}_{p}" for kind in ("weights", "biases") for p in PERCENTILES)],
)
"""A row of percentiles.csv: PERCENTILES of all weights and of all biases."""

ROWS: dict[str, type[Any]] = {
    "history": Metrics,
    "test": Metrics,
    "percentiles": WeightPercentiles,
}
"""The CSV files of a run, <name>.csv, with the type of their rows."""


class Result(NamedTuple):
    """The outcome of a finished run, in result.json."""

    accuracy: float
    """The share of images that are classified correctly: of those that `tested_on` names."""
    seconds: float
    """Time spent in the training loop, including evaluations."""
    iterations_per_second: float
    tested_on: str = "test"
    """test: the test images; validation: training images that were held out instead, as in a
    sweep."""

    @property
    def test_accuracy(self) -> float:
        """The share of test images that are classified correctly. Raises MnistGraphError if the
        run was not tested on them.
        """
        if self.tested_on != "test":
            raise MnistGraphError(
                f"the run has no test accuracy: {self.accuracy:.6g} is of held-out training "
                "images; train its recipe outside of --sweep and --tune for one"
            )
        return self.accuracy


class Start(NamedTuple):
    """Where the first weights of a run come from, if it started from another run."""

    run: str
    """The other run's directory, or the name of a network in the package."""
    sha256: str
    """SHA-256 of the file with its weights."""


class Run(NamedTuple):
    """A run directory and what its recipe.json says."""

    directory: Path
    recipe: Recipe
    image_shape: ImageShape
    """Height and width of the images in pixels, and 3 if they are in colour."""
    classes: int
    sha256: dict[str, str]
    """SHA-256 of the four data files, uncompressed, and the mark of held-out images
    (data/held_out.py)."""
    class_names: tuple[str, ...] = ()
    """The name of each class; () if their numbers are their names."""
    start: Start | None = None
    """None if its first weights were drawn at random, as the recipe says."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each class is called."""
        return self.class_names or tuple(map(str, range(self.classes)))

    @property
    def reads_whole(self) -> bool:
        """Whether the network classifies pictures as a whole, rather than the digits in them; see
        `shapes.are_whole`.
        """
        return are_whole(self.image_shape, self.class_names)

    @property
    def tested_on(self) -> str:
        """What the run is tested on, as in its result: test or validation."""
        return "validation" if HELD_OUT in self.sha256 else "test"

    @property
    def result(self) -> Result | None:
        """The outcome; None while the run is unfinished. Raises MnistGraphError if result.json
        is damaged.
        """
        path = self.directory / "result.json"
        if not path.exists():
            return None
        values = read_json(path)
        names = (f"{self.tested_on}_accuracy", "seconds", "iterations_per_second")
        try:
            accuracy, seconds, speed = (float(values[name]) for name in names)
            if not (0 <= accuracy <= 1 and math.isfinite(seconds) and math.isfinite(speed)):
                raise ValueError("out of range")
            return Result(accuracy, seconds, speed, self.tested_on)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MnistGraphError(f"{path} is damaged; delete it and use --resume") from error

    @property
    def history(self) -> list[Metrics]:
        """The rows of history.csv, oldest first; see `CsvLog.read`."""
        return self.log("history").read()

    def log(self, name: str) -> CsvLog[Any]:
        """The CSV log of that name, one of ROWS."""
        return CsvLog(self.directory / f"{name}.csv", ROWS[name])

    def appender(self, name: str, start: int) -> CsvAppender[Any]:
        """Continue the CSV log of that name at iteration `start`."""
        return CsvAppender(self.log(name), start)

    def checkpoint(self) -> Checkpoint | None:
        """The newest undamaged checkpoint; see `find_checkpoint`."""
        return find_checkpoint(self.directory)

    def save_checkpoint(self, write: Callable[[str], Any], iteration: int, seconds: float) -> None:
        """Save what `write(prefix)` writes as a checkpoint; see `save_checkpoint`.

        Raises MnistGraphError on failure; the older checkpoints are then untouched.
        """
        try:
            synchronize(self.directory / "history.csv")
            save_checkpoint(self.directory, write, iteration, seconds)
        except Exception as error:  # OSError and TensorFlow's own
            raise cannot_write(self.directory, error) from error

    def needs_training(self, iterations: int | None = None) -> bool:
        """Whether there is anything left to train, up to `iterations` in all (default: the
        recipe's). A run can be made longer, even a finished one, but not shorter: raises
        UsageError if `iterations` is below the recipe's.
        """
        if iterations is not None and iterations < self.recipe.iterations:
            raise UsageError(
                f"in {self.directory} iterations is {self.recipe.iterations}, not {iterations}; "
                "a run can only be made longer"
            )
        return self.result is None or (iterations or 0) > self.recipe.iterations

    def lengthen(self, iterations: int) -> "Run":
        """Record that the run has `iterations` in all; returns it with the new recipe. Raises
        MnistGraphError if that cannot be written.
        """
        description = read_json(self.directory / "recipe.json")
        recipe = self.recipe.override(iterations=iterations)
        try:
            # First, because a finished run would not be trained any further.
            (self.directory / "result.json").unlink(missing_ok=True)
            write_json(self.directory / "recipe.json", {**description, "recipe": recipe.to_json()})
        except OSError as error:  # pragma: no cover - as in write_result, which is tested
            raise cannot_write(self.directory, error) from error
        return self._replace(recipe=recipe)

    def require_data(self, sha256: dict[str, str]) -> None:
        """Raise UsageError unless the run was trained on data with these SHA-256."""
        if self.tested_on != "test" and HELD_OUT not in sha256:
            raise UsageError(
                f"{self.directory} is of a sweep, which leaves the test images alone; repeat its "
                "--sweep or --tune to continue it"
            )
        if self.sha256 != sha256:
            form = ", and the same --image-size, --colour or --grey" if self.reads_whole else ""
            raise UsageError(
                f"{self.directory} was trained on other data; give its --data-dir{form}"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training this run. The lock ends with its process.

        Raises MnistGraphError if another process has it.
        """
        with locked(self.directory, "trained"):
            yield

    def write_result(self, result: Result) -> None:
        """Mark the run as finished. Raises MnistGraphError if that cannot be written."""
        values = {
            f"{self.tested_on}_accuracy": result.accuracy,
            "seconds": result.seconds,
            "iterations_per_second": result.iterations_per_second,
        }
        try:
            write_json(self.directory / "result.json", values)
        except OSError as error:
            raise cannot_write(self.directory, error) from error
