"""Search for hyperparameters that make a recipe more accurate, on held-out training images. The
test images are left alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.data.arguments import checked_path, require, whole_number
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.experiments.cores import share_cores
from mnist_graph.experiments.folder import SWEEPS_DIR, sweep_folder, write_results
from mnist_graph.experiments.knobs import Trial, Values, apply, as_text, range_as_text
from mnist_graph.experiments.results import TrialResult
from mnist_graph.experiments.setting import (
    Setting,
    choose_setting,
    has_diverged,
    job_directory,
    read_result,
)
from mnist_graph.experiments.study import Study, check_study_file, require_optuna
from mnist_graph.experiments.workers import Crew, End, Job
from mnist_graph.graph.ranges import Range, find_ranges
from mnist_graph.graph.recipe import Recipe

MAX_TRIALS = 10_000
REPORTS = 5
"""A trial reports its accuracy after each fifth of its iterations: testing on 5,000 images takes as
long as 13 iterations of cnn-fast, of 650."""
STOPPED = "stopped early"
"""The note of a trial that was worse than half of the others at the same iteration."""


class Tuning(NamedTuple):
    """The outcome of a search."""

    directory: Path
    recipe: Recipe
    """The best one found."""
    accuracy: float
    """Its accuracy on the held-out images."""
    rows: list[tuple[int, Values, float | None, float | None, str]]
    """Every trial that has ended: number, values, accuracy, seconds and note."""
    running: int
    """How many trials are still being trained by other processes."""
    is_own: bool
    """Whether the study was begun in this folder, not joined."""


class Begun(NamedTuple):
    """A search that begins or is continued."""

    directory: Path
    setting: Setting
    ranges: dict[str, Range]
    ended: int
    """How many trials have ended already."""
    at_a_time: int


def tune(
    recipe: Recipe,
    trials: int,
    *,
    fixed: Sequence[str] = (),
    study: str | Path | None = None,
    data_dir: str | Path | None = None,
    pictures: Mapping[str, Any] | None = None,
    device: str = "auto",
    at_a_time: int | None = None,
    sweeps_dir: str | Path = SWEEPS_DIR,
    when_begun: Callable[[Begun], None] = lambda begun: None,
    when_ended: Callable[[TrialResult], None] = lambda result: None,
) -> Tuning:
    """Search until `trials` trials have ended in all, and return the best recipe found.

    The ranges follow from the recipe (`graph.ranges`); hyperparameters named in `fixed` keep its
    values. The first trial is the recipe itself. Trials are trained as in `sweep`; one that is
    worse than half of the others at the same iteration is stopped early. The same call again
    continues, with more `trials` too. `study` is the SQLite file that keeps what was tried
    (default: sweeps_dir/<number>/study.db); several machines that name the same one share its
    trials. Afterwards, `train` the best recipe for its test accuracy.

    Raises UsageError for invalid arguments, a study of another search, or a recipe with nothing to
    search, and MnistGraphError if Optuna is missing, the study is damaged, no trial was trained to
    its end, or as `sweep` does.
    """
    require("recipe", recipe, Recipe, 'a Recipe such as recipes["mlp"]')
    trials = whole_number("trials", trials, 1, MAX_TRIALS)
    ranges = {n: each for n, each in find_ranges(recipe).items() if n not in fixed}
    if not ranges:
        raise UsageError(f"every hyperparameter of {recipe.model} is fixed; nothing is searched")
    require_optuna()
    if study is not None:
        study = checked_path("study", study)
        check_study_file(study)
    setting = choose_setting([_largest_batch(recipe, ranges)], data_dir, device, pictures)
    texts = {name: range_as_text(each) for name, each in ranges.items()}
    description = setting.describe(recipe, ranges=texts)
    place = {} if study is None else {"study": str(study.absolute())}
    with sweep_folder(sweeps_dir, {**description, **place}, shared=study is not None) as folder:
        path = folder / "study.db" if study is None else study
        own = {name: getattr(recipe, name) for name in ranges}
        opened = Study(path, folder, ranges, description, own, recipe.seed)
        search = _Search(recipe, trials, opened, folder, setting, when_ended)
        ended, _ = opened.count()
        cores = share_cores(at_a_time, trials, device)
        when_begun(Begun(folder, setting, ranges, ended, len(cores)))
        try:
            search.run(cores)
        finally:
            opened.requeue()
            search.save()
        return search.result()


def _largest_batch(recipe: Recipe, ranges: dict[str, Range]) -> Recipe:
    """Return the recipe with the largest batch that is searched, for which data must suffice."""
    sizes = ranges["batch_size"].choices if "batch_size" in ranges else (recipe.batch_size,)
    return recipe.override(batch_size=max(sizes))


class _Search:
    """The trials that this process trains."""

    def __init__(
        self,
        recipe: Recipe,
        trials: int,
        study: Study,
        folder: Path,
        setting: Setting,
        when_ended: Callable[[TrialResult], None],
    ) -> None:
        self.recipe, self.trials, self.study = recipe, trials, study
        self.folder, self.setting, self.when_ended = folder, setting, when_ended
        self.asked: dict[int, tuple[Any, Values]] = {}
        """Optuna's trial and its values, by the number of the job."""
        fifths = [round(recipe.iterations * n / REPORTS) - 1 for n in range(1, REPORTS)]
        self.reports = sorted({each for each in fifths if 0 <= each < recipe.iterations - 1})

    def run(self, cores: Sequence[list[int] | None]) -> None:
        """Train trials until there are enough."""
        setting = self.setting
        data, device = setting.data, setting.device
        with Crew(self._jobs(), cores, data, device, self._is_worth_more) as crew:
            for job, end in crew.ends():
                self._record(job, end)

    def _jobs(self) -> Iterator[Job]:
        while sum(self.study.count()) < self.trials:
            asked, number, values = self.study.ask()
            self.asked[number] = asked, values
            recipe = apply(self.recipe, values)
            directory = job_directory(self.folder, number)
            yield Job(number, directory, recipe, self.setting.held_out, self.reports)

    def _is_worth_more(self, job: Job, iteration: int, accuracy: float) -> bool:
        step = 1 + self.reports.index(iteration)
        return self.study.report(self.asked[job.number][0], accuracy, step)

    def _record(self, job: Job, end: End) -> None:
        asked, values = self.asked.pop(job.number)
        accuracy = seconds = None
        note = STOPPED if end.stopped else end.error
        if note is None:
            result = read_result(job.directory, job.recipe)
            assert result is not None
            accuracy, seconds = result.accuracy, result.seconds
        elif not (end.stopped or has_diverged(end)):
            # A disk that is full, for instance: the trial is queued again.
            raise MnistGraphError(f"{job.directory}: {note}")
        self.study.end(asked, accuracy, seconds, note)
        trial = Trial(job.number, values, job.recipe)
        self.when_ended(TrialResult(trial, job.directory, accuracy, seconds, note))

    def save(self) -> None:
        """Write results.csv: the trials of all machines."""
        header = ["trial", *self.study.ranges, "validation_accuracy", "seconds", "note"]
        rows = [
            [
                str(number),
                *map(as_text, values.values()),
                "" if accuracy is None else f"{accuracy:.6g}",
                "" if seconds is None else f"{seconds:g}",
                note,
            ]
            for number, values, accuracy, seconds, note in self.study.rows()
        ]
        write_results(self.folder, header, rows)

    def result(self) -> Tuning:
        """Return the best of all trials."""
        rows = self.study.rows()
        complete = [(row[2], row[1]) for row in rows if row[2] is not None]
        if not complete:
            raise MnistGraphError(
                f"no trial in {self.study.path} was trained to its end; try a lower learning rate"
            )
        accuracy, values = max(complete, key=lambda pair: pair[0])
        _, running = self.study.count()
        best = apply(self.recipe, values)
        return Tuning(self.folder, best, accuracy, rows, running, self.study.is_own)
