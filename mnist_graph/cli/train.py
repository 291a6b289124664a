"""Train a recipe, resume a run, or provide the finished run that another command needs."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_graph.cli.commands import as_command
from mnist_graph.cli.messages import note
from mnist_graph.cli.quiet import import_beside, import_tensorflow
from mnist_graph.cli.request import Request, flag
from mnist_graph.cluster.scaling import scale_batch
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.find import find_run, list_runs, load_run
from mnist_graph.runs.run import RUNS_DIR, Run

if TYPE_CHECKING:
    from mnist_graph.cluster.lead import Lead
    from mnist_graph.data.datasets import DataSets
    from mnist_graph.training.hooks import Hook

REPEATED = ("device", "log_every", "save_every", "timeout")
"""The flags that the command printed for resuming repeats, besides those of the data."""


def train(request: Request, lead: "Lead | None" = None) -> int:
    """Train the recipe, alone or leading other tasks, and print the test accuracy."""
    show_result(request, train_recipe(request, lead))
    return 0


def resume(request: Request, lead: "Lead | None" = None) -> int:
    """Continue an interrupted run, or make a run longer, alone or leading other tasks, and print
    the test accuracy.
    """
    request.check()
    directory, iterations = request.options.run_dir, request.overrides.get("iterations")
    if directory is not None and os.environ.get("TF_CONFIG") and not Path(directory).exists():
        # A cluster repeats the same command whenever it starts its tasks.
        request.say(f"{directory} does not exist yet: starting a new run there")
        return train(request, lead)
    run = _newest_unfinished(request) if directory is None else load_run(directory)
    require_match(request, run)
    if request.options.start_from is not None and run.start is None:
        raise UsageError(f"{run.directory} did not start from another run; leave out --start-from")
    if run.needs_training(iterations):
        data = request.read_data(run.recipe)
        import_tensorflow()
        from mnist_graph.training.train import resume as resume_run

        call = partial(resume_run, run.directory, data, iterations=iterations)
        run = _until_stopped(request, f"resuming {run.directory}", call, lead)
    else:
        # The other flags are those of a command that is repeated until the run is finished.
        request.require_no_training_flags(run, ["watch"])
        _require_same_data(request, run)
    show_result(request, run)
    return 0


def train_recipe(request: Request, lead: "Lead | None" = None) -> Run:
    """Train the recipe, alone or leading other tasks; return the finished run."""
    request.check()
    recipe = request.recipe
    if request.options.scale_batch and lead is not None:
        recipe, said = scale_batch(recipe, len(lead.cluster.tasks), request.overrides)
        request.say(said)
    start = request.start
    if start is None and request.options.data_dir is None:
        # MNIST is as the package has it. Other data is read first, for its errors come at once.
        import_beside(partial(request.read_data, recipe))
    data = request.read_data(recipe)
    if start is not None:
        _check_start(request, recipe, data, start)
    import_tensorflow()
    from mnist_graph.training.train import train as train_run

    call = partial(
        train_run,
        recipe,
        data,
        request.options.run_dir,
        runs_dir=RUNS_DIR,
        start_from=start and start.directory,
    )
    return _until_stopped(request, f"training {recipe.model}", call, lead)


def _check_start(request: Request, recipe: Recipe, data: "DataSets", start: Run) -> None:
    """Say what training starts from. Raises UsageError if it is another network, before TensorFlow
    is imported.
    """
    from mnist_graph.runs.start import (
        fit_recipe,
        has_same_classes,
        name_start,
        require_same_network,
    )

    fitted = fit_recipe(recipe, start)
    require_same_network(fitted, data.image_shape, start)
    said = f"starting from {name_start(start)}"
    if fitted != recipe:
        said += ", which has batch normalization folded into its weights and is trained without it"
    if not has_same_classes(start, data.classes, data.class_names):
        said += f"; the output layer is new, for {data.classes} classes"
        said += (
            f" instead of {start.classes}" if data.classes != start.classes else " of other names"
        )
    request.say(said)


def finished_run(request: Request, or_shipped: bool = False) -> Run:
    """Return the run in --run-dir, or the newest finished run of the recipe, or, with
    `or_shipped`, the network in the package if the recipe is its own; without one, train it first.
    """
    request.check()
    run = _find_run(request)
    if run is None and or_shipped:
        from mnist_graph.runs.shipped import find_shipped  # NumPy

        run = find_shipped(request.recipe, _sha256(request))
    if run is not None:
        request.require_no_training_flags(run)
        return run
    request.say(f"no finished run of this recipe in {RUNS_DIR}/: training it first")
    run = train_recipe(request)
    show_result(request, run)
    return run


def finished_or_trained(request: Request) -> Run:
    """Return the newest finished run of the recipe; without one, train it."""
    request.check()
    return find_run(RUNS_DIR, request.recipe, _sha256(request)) or train_recipe(request)


def _find_run(request: Request) -> Run | None:
    """Return the run in --run-dir, or the newest finished run of the recipe, or None."""
    options, recipe = request.options, request.recipe
    if options.run_dir is not None:
        run = load_run(options.run_dir)
        require_match(request, run)
        _require_same_data(request, run)
        return run
    return find_run(RUNS_DIR, recipe, _sha256(request))


def _sha256(request: Request) -> dict[str, str]:
    """Return the SHA-256 of the data in --data-dir (default: of MNIST, without reading it)."""
    from mnist_graph.data.datasets import BUNDLED_SHA256

    if request.options.data_dir is None:
        return BUNDLED_SHA256
    return request.read_data(request.recipe).sha256


def _require_same_data(request: Request, run: Run) -> None:
    """Raise UsageError if the run was trained on other data than --data-dir has."""
    if request.options.data_dir is not None:
        run.require_data(request.read_data(run.recipe).sha256)


def show_result(request: Request, run: Run) -> None:
    """Print the test accuracy of a finished run, unless --evaluate is about to print it."""
    assert run.result is not None
    line = f"Accuracy on test set: {run.result.test_accuracy:.6g}"
    if request.options.json:  # standard output is for the JSON alone
        request.say(line)
    elif not request.options.evaluate:
        print(line, flush=True)
    request.say(f"saved to {run.directory}")


def require_match(request: Request, run: Run) -> None:
    """Raise UsageError if `run` is of another model, or if its hyperparameters are not what the
    flags say.
    """
    model = request.base_recipe.model
    if run.recipe.model != model:
        raise UsageError(f"{run.directory} is a run of {run.recipe.model}, not of {model}")
    if differences := _differences(request, run):
        raise UsageError(f"in {run.directory} {'; '.join(differences)}")


def _newest_unfinished(request: Request) -> Run:
    """Return the newest unfinished run that has the given hyperparameters or, if none has, the
    newest one, so that the caller can say how it differs.
    """
    model = request.base_recipe.model
    unfinished = [run for run in list_runs(RUNS_DIR, model) if run.result is None]
    if not unfinished:
        raise MnistGraphError(
            f"there is no unfinished run of {model} in {RUNS_DIR}/; start one without --resume"
        )
    return next((run for run in unfinished if _matches(request, run)), unfinished[0])


def _matches(request: Request, run: Run) -> bool:
    try:
        return not _differences(request, run)
    except UsageError:  # a flag has no effect on this run
        return False


def _differences(request: Request, run: Run) -> list[str]:
    """Describe how the hyperparameters of `run` differ from those given by flags. With --resume, a
    run can be made longer.
    """
    given = dict(request.overrides)
    if request.options.resume and given.get("iterations", 0) > run.recipe.iterations:
        del given["iterations"]
    return run.recipe.override(**given).differences(run.recipe)


def _until_stopped(
    request: Request, task: str, call: Callable[..., Run], lead: "Lead | None"
) -> Run:
    """Call `train` or `resume` with the hooks of a terminal. Ctrl-C, SIGTERM and SIGHUP save a
    checkpoint and exit with the command that resumes the run.
    """
    from mnist_graph.cli.hooks import Announce, PrintLines, ProgressBar, StopOnSignal
    from mnist_graph.panels.watch import Watch
    from mnist_graph.training.hooks import Stop
    from mnist_graph.training.snapshots import SaveSnapshots
    from mnist_graph.training.train import ALONE

    options = request.options
    stop_on_signal, lines = StopOnSignal(), PrintLines()
    hooks: list[Hook] = []
    if not options.quiet:
        hooks += [Announce(task, request.say), *([] if options.json else [lines]), ProgressBar()]
    hooks.append(stop_on_signal)
    if options.watch is not None:
        watch = Watch(request.watch_file, request.say)
        hooks.append(request.at_exit.enter_context(watch))
    if options.snapshots:
        hooks.append(SaveSnapshots())
    if lead is not None:
        hooks.append(lead.hook)
    try:
        return call(
            device=options.device,
            log_every=options.log_every,
            save_every=options.save_every,
            hooks=hooks,
            team=lead or ALONE,
        )
    except Stop as stop:
        command = _resume_command(request, stop.run)
        note(f"stopped after iteration {stop.iteration}; resume with: {command}")
        if lines.failure is not None:
            raise lines.failure from None
        received = stop_on_signal.received or (lead and lead.received)
        sys.exit(128 + (received or 0))


def _resume_command(request: Request, run: Run) -> str:
    """Return the command that resumes the stopped run."""
    options = request.options
    words = ["--model", run.recipe.model, "--resume", "--run-dir", str(run.directory)]
    words += request.data_words()
    for name in REPEATED:
        if name in request.given:
            words += [flag(name), str(getattr(options, name))]
    if options.snapshots:
        words.append("--snapshots")
    if options.workers is not None:
        words += ["--workers", str(options.workers)]
    if options.quiet:  # pragma: no cover - without lines, a test cannot time a signal
        words.append("--quiet")
    return as_command(words)
