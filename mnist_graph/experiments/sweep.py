"""Train a recipe with every combination of some hyperparameters' values, scored on held-out
training images. The test images are left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mnist_graph.data.arguments import require
from mnist_graph.experiments.cores import share_cores
from mnist_graph.experiments.folder import (
    SWEEPS_DIR,
    add_failure,
    read_failures,
    sweep_folder,
    write_results,
)
from mnist_graph.experiments.knobs import Trial, as_text, make_grid
from mnist_graph.experiments.results import Sweep, TrialResult
from mnist_graph.experiments.setting import (
    choose_setting,
    has_diverged,
    job_directory,
    read_result,
)
from mnist_graph.experiments.workers import Crew, End, Job
from mnist_graph.graph.recipe import Recipe
from mnist_graph.training.hooks import TimeBudget

DRAWING_SHARE = 0.02
"""The share of the time that drawing sweep.png may take while trainings are going on."""


def sweep(
    recipe: Recipe,
    knobs: Mapping[str, Sequence[Any]],
    *,
    seeds: int = 1,
    data_dir: str | Path | None = None,
    pictures: Mapping[str, Any] | None = None,
    device: str = "auto",
    at_a_time: int | None = None,
    sweeps_dir: str | Path = SWEEPS_DIR,
    when_begun: Callable[[Sweep, int], None] = lambda sweep, at_a_time: None,
    when_ended: Callable[[TrialResult], None] = lambda result: None,
) -> Sweep:
    """Train `recipe` with every combination of the values in `knobs`, by hyperparameter, such as
    {"learning_rate": [1e-4, 1e-3], "keep_prob": [0.5, 1.0]}, and each of `seeds` seeds.

    Each training is a run in sweeps_dir/<number>/runs/, in a process of its own, `at_a_time` of
    them at once (default: what is fastest). Its accuracy is that of training images that are held
    out (`data.held_out`); the test images are not used. The same call again continues an
    interrupted sweep, or returns a finished one; with more seeds, it adds theirs.

    `pictures` has what `read_data_sets` takes for a folder of pictures: image_size, colour,
    cache_dir. `when_begun` is called with what is finished already and the number of trainings at
    a time; `when_ended` with each training that has ended. A training whose loss becomes NaN or
    infinite is a result without an accuracy.

    Raises UsageError for a grid that is invalid or does not fit the data, and MnistGraphError if
    the data cannot be read, the folder cannot be written, or no process can be started.
    """
    require("recipe", recipe, Recipe, 'a Recipe such as recipes["mlp"]')
    trials = make_grid(recipe, knobs, seeds)
    setting = choose_setting([trial.recipe for trial in trials], data_dir, device, pictures)
    listed = {name: list(dict.fromkeys(t.values[name] for t in trials)) for name in knobs}
    texts = {name: [as_text(value) for value in values] for name, values in listed.items()}
    description = setting.describe(recipe, knobs=texts)
    with sweep_folder(sweeps_dir, description) as folder:
        found = Sweep(folder, recipe, listed, trials, setting, {})
        found.results.update(_read_results(found))
        left = [trial for trial in trials if trial.number not in found.results]
        # By all trials, so that one that is resumed has as many cores as before: the same bits.
        cores = share_cores(at_a_time, len(trials), device)
        when_begun(found, min(len(cores), len(left)))
        try:
            _train(found, left, cores, when_ended)
        finally:
            _save(found)
    return found


def _read_results(sweep: Sweep) -> dict[int, TrialResult]:
    """Return what has ended already."""
    failures, results = read_failures(sweep.directory), {}
    for trial in sweep.trials:
        job = _job(sweep, trial)
        if (error := failures.get(str(trial.number))) is not None:
            results[trial.number] = TrialResult(trial, job.directory, error=error)
        elif (result := read_result(job.directory, trial.recipe)) is not None:
            accuracy, seconds = result.accuracy, result.seconds
            results[trial.number] = TrialResult(trial, job.directory, accuracy, seconds)
    return results


def _job(sweep: Sweep, trial: Trial) -> Job:
    directory = job_directory(sweep.directory, trial.number)
    return Job(trial.number, directory, trial.recipe, sweep.setting.held_out)


def _train(
    sweep: Sweep,
    left: list[Trial],
    cores: Sequence[list[int] | None],
    when_ended: Callable[[TrialResult], None],
) -> None:
    """Train the trials that are left, and record each."""
    by_number = {trial.number: trial for trial in left}
    jobs = (_job(sweep, trial) for trial in left)
    budget = TimeBudget(DRAWING_SHARE)
    setting = sweep.setting
    with Crew(jobs, cores, setting.data, setting.device) as crew:
        for job, end in crew.ends():
            result = _record(sweep, by_number[job.number], job, end)
            sweep.results[job.number] = result
            if budget.due:
                with budget.measured():
                    _save(sweep)
            when_ended(result)


def _record(sweep: Sweep, trial: Trial, job: Job, end: End) -> TrialResult:
    if end.error is None:
        result = read_result(job.directory, trial.recipe)
        assert result is not None
        return TrialResult(trial, job.directory, result.accuracy, result.seconds)
    if has_diverged(end):
        add_failure(sweep.directory, trial.number, end.error)
    return TrialResult(trial, job.directory, error=end.error)


def _save(sweep: Sweep) -> None:
    """Write results.csv and sweep.png, if anything has ended."""
    if not sweep.results:
        return
    from mnist_graph.experiments.picture import draw_sweep  # matplotlib

    header = ["run", *sweep.knobs, "seed", "validation_accuracy", "seconds", "error"]
    rows = [
        [
            f"runs/{number}",
            *(as_text(value) for value in result.trial.values.values()),
            str(result.trial.recipe.seed),
            "" if result.accuracy is None else f"{result.accuracy:.6g}",
            "" if result.seconds is None else f"{result.seconds:g}",
            result.error or "",
        ]
        for number, result in sorted(sweep.results.items())
    ]
    write_results(sweep.directory, header, rows)
    draw_sweep(sweep, sweep.directory / "sweep.png")
