"""Train a recipe with every combination of some values, and show what each does."""

from statistics import fmean
from typing import TYPE_CHECKING

from mnist_graph.cli.commands import as_command, recipe_words
from mnist_graph.cli.messages import note
from mnist_graph.cli.output import print_table
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.errors import UsageError
from mnist_graph.experiments.knobs import Values, as_text, parse_knobs
from mnist_graph.graph.recipe import Recipe

if TYPE_CHECKING:
    from mnist_graph.experiments.results import Summary, Sweep, TrialResult


def sweep(request: Request) -> int:
    """Print a line for each training that has ended, then a table of all, and the best recipe as a
    command.
    """
    options = request.options
    request.check()
    knobs = parse_knobs(request.recipe, options.sweep)
    if twice := [name for name in knobs if name in request.overrides]:
        raise UsageError(f"{twice[0]} is swept and given a value of its own; choose one")
    request.check_data_dir()
    from mnist_graph.experiments.sweep import sweep as sweep_recipe

    begun: list[Sweep] = []

    def announce(sweep: "Sweep", at_a_time: int) -> None:
        begun.append(sweep)
        _announce(request, sweep, at_a_time)

    try:
        with Interruptible():
            found = sweep_recipe(
                request.recipe,
                knobs,
                seeds=1 if options.seeds is None else options.seeds,
                data_dir=options.data_dir,
                pictures=request.pictures,
                device=options.device,
                at_a_time=options.at_a_time,
                when_begun=announce,
                when_ended=lambda result: _print_result(request, result),
            )
    except Interrupted as stop:
        ended = f" after {len(begun[0].results)} of {len(begun[0].trials)} runs" if begun else ""
        note(f"stopped{ended}; the same command continues")
        return stop.exit_code
    print_table(_table(found), align_right=True)
    best = found.best()
    if best is not None:
        print(f"Best: {best_command(request, best)}", flush=True)
    request.say(f"results.csv and sweep.png saved to {found.directory}")
    return 1 if found.failures else 0


def _announce(request: Request, sweep: "Sweep", at_a_time: int) -> None:
    count, ended = len(sweep.trials), len(sweep.results)
    left = f"{at_a_time} at a time"
    if ended:
        left = "all finished" if ended == count else f"{ended} of them finished, {left}"
    request.say(
        f"sweep of {count} run{'s' * (count != 1)} in {sweep.directory}: {left}; accuracies are of "
        f"{sweep.setting.describe_images()}"
    )


def _print_result(request: Request, result: "TrialResult") -> None:
    if not request.options.quiet:
        values = {**result.trial.values, "seed": result.trial.recipe.seed}
        print_ended(describe_values(values), result)


def print_ended(name: str, result: "TrialResult") -> None:
    """Print the line of a training that has ended, called `name`."""
    outcome = result.error or f"validation accuracy {result.accuracy:.4f}, {result.seconds:.1f} s"
    print(f"{name}: {outcome}", flush=True)


def describe_values(values: Values) -> str:
    """Return the values of the knobs in one line."""
    return ", ".join(f"{name} {as_text(value)}" for name, value in values.items())


def best_command(request: Request, recipe: Recipe) -> str:
    """Return the command that trains `recipe`, on the same data and device, and tests it."""
    return as_command(best_words(request, recipe))


def best_words(request: Request, recipe: Recipe) -> list[str]:
    """Return the words of that command."""
    words, options = recipe_words(recipe), request.options
    words += request.data_words()
    if "device" in request.given:
        words += ["--device", options.device]
    return words


def _table(sweep: "Sweep") -> list[tuple[str, ...]]:
    header = (*sweep.knobs, "validation accuracy", "lowest", "highest", "seconds", "runs")
    return [header, *map(_row, sweep.summaries())]


def _row(row: "Summary") -> tuple[str, ...]:
    values = tuple(as_text(value) for value in row.values.values())
    if not row.accuracies:
        return (*values, "failed", "", "", "", str(len(row.errors)))
    accuracies = (row.accuracy, min(row.accuracies), max(row.accuracies))
    numbers = (*(f"{each:.4f}" for each in accuracies), f"{fmean(row.seconds):.1f}")
    failed = f", {len(row.errors)} failed" if row.errors else ""
    return (*values, *numbers, f"{len(row.accuracies)}{failed}")
