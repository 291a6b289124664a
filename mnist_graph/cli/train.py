"""Train a recipe, resume a run, or provide the finished run that another command needs."""

import shlex
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from mnist_graph.cli.messages import note
from mnist_graph.cli.parser import PROGRAM, create_parser
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request, flag
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.runs.find import find_run, list_runs, load_run
from mnist_graph.runs.run import RUNS_DIR, Run

if TYPE_CHECKING:
    from mnist_graph.training.hooks import Hook

REPEATED = ("data_dir", "device", "log_every", "save_every")
"""The flags that the command printed for resuming repeats."""


def train(request: Request) -> int:
    """Train the recipe and print the test accuracy."""
    show_result(request, train_recipe(request))
    return 0


def resume(request: Request) -> int:
    """Continue an interrupted run, or make a run longer, and print the test accuracy."""
    request.check()
    options = request.options
    directory = options.run_dir
    run = _newest_unfinished(request) if directory is None else load_run(directory)
    longer = (options.iterations or 0) > run.recipe.iterations
    require_match(request, run, ignore="iterations" if longer else None)
    if run.needs_training(options.iterations):
        data = request.read_data(run.recipe)
        import_tensorflow()
        from mnist_graph.training.train import resume as resume_run

        call = partial(resume_run, run.directory, data, iterations=options.iterations)
        run = _until_stopped(request, f"resuming {run.directory}", call)
    show_result(request, run)
    return 0


def train_recipe(request: Request) -> Run:
    """Train the recipe; return the finished run."""
    request.check()
    recipe = request.recipe
    data = request.read_data(recipe)
    import_tensorflow()
    from mnist_graph.training.train import train as train_run

    call = partial(train_run, recipe, data, request.options.run_dir, runs_dir=RUNS_DIR)
    return _until_stopped(request, f"training {recipe.model}", call)


def finished_run(request: Request) -> Run:
    """Return the run in --run-dir, or the newest finished run of the recipe; without one, train
    it first.
    """
    from mnist_graph.data.datasets import BUNDLED_SHA256

    request.check()
    options, recipe = request.options, request.recipe
    if options.run_dir is not None:
        run = load_run(options.run_dir)
        require_match(request, run)
        return run
    sha256 = BUNDLED_SHA256 if options.data_dir is None else request.read_data(recipe).sha256
    found = find_run(RUNS_DIR, recipe, sha256)
    if found is not None:
        return found
    request.say(f"no finished run of this recipe in {RUNS_DIR}/: training it first")
    run = train_recipe(request)
    show_result(request, run)
    return run


def show_result(request: Request, run: Run) -> None:
    """Print the test accuracy of a finished run, unless --evaluate is about to print it."""
    assert run.result is not None
    line = f"Accuracy on test set: {run.result.test_accuracy:.6g}"
    if request.options.json:  # standard output is for the JSON alone
        request.say(line)
    elif not request.options.evaluate:
        print(line, flush=True)
    request.say(f"saved to {run.directory}")


def require_match(request: Request, run: Run, ignore: str | None = None) -> None:
    """Raise UsageError if `run` is of another model, or if its hyperparameters are not what the
    flags say, except for `ignore`.
    """
    model = request.base_recipe.model
    if run.recipe.model != model:
        raise UsageError(f"{run.directory} is a run of {run.recipe.model}, not of {model}")
    overrides = {name: value for name, value in request.overrides.items() if name != ignore}
    requested = run.recipe.override(**overrides)
    if differences := requested.differences(run.recipe):
        raise UsageError(f"in {run.directory} {'; '.join(differences)}")


def _newest_unfinished(request: Request) -> Run:
    model = request.base_recipe.model
    for run in list_runs(RUNS_DIR, model):
        if run.result is None:
            return run
    raise MnistGraphError(
        f"there is no unfinished run of {model} in {RUNS_DIR}/; start one without --resume"
    )


def _until_stopped(request: Request, task: str, call: Callable[..., Run]) -> Run:
    """Call `train` or `resume` with the hooks of a terminal. Ctrl-C and SIGTERM save a checkpoint
    and exit with the command that resumes the run.
    """
    from mnist_graph.cli.hooks import Announce, PrintLines, ProgressBar, StopOnSignal
    from mnist_graph.panels.watch import Watch
    from mnist_graph.training.hooks import Stop

    options = request.options
    stop_on_signal = StopOnSignal()
    hooks: list[Hook] = []
    if not options.quiet:
        lines = [] if options.json else [PrintLines()]
        hooks += [Announce(task, request.say), *lines, ProgressBar()]
    hooks.append(stop_on_signal)
    if options.watch is not None:
        watch = Watch(request.watch_file, request.say)
        hooks.append(request.at_exit.enter_context(watch))
    try:
        return call(
            device=options.device,
            log_every=options.log_every,
            save_every=options.save_every,
            hooks=hooks,
        )
    except Stop as stop:
        command = _resume_command(request, stop.run)
        note(f"stopped after iteration {stop.iteration}; resume with: {command}")
        sys.exit(128 + (stop_on_signal.received or 0))


def _resume_command(request: Request, run: Run) -> str:
    """Return the command that resumes the stopped run."""
    options, parser = request.options, create_parser()
    words = ["python", sys.argv[0]] if sys.argv[0].endswith("main.py") else [PROGRAM]
    words += ["--model", run.recipe.model, "--resume", "--run-dir", str(run.directory)]
    for name in REPEATED:
        value = getattr(options, name)
        if value != parser.get_default(name):
            words += [flag(name), str(value)]
    if options.quiet:  # pragma: no cover - without lines, a test cannot time a signal
        words.append("--quiet")
    return shlex.join(words)
