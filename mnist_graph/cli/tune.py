"""Search for better hyperparameters of a recipe, and test the best one."""

from typing import TYPE_CHECKING

from mnist_graph.cli.commands import as_command
from mnist_graph.cli.messages import note
from mnist_graph.cli.output import print_table
from mnist_graph.cli.parser import parse
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.cli.sweep import best_words, describe_values, print_ended
from mnist_graph.cli.train import finished_or_trained, show_result
from mnist_graph.experiments.knobs import as_text, range_as_text
from mnist_graph.experiments.study import require_optuna

if TYPE_CHECKING:
    from mnist_graph.experiments.results import TrialResult
    from mnist_graph.experiments.tune import Begun, Tuning

BEST = 5
"""How many of the trials the table shows."""


def tune(request: Request) -> int:
    """Print a line for each trial that has ended, then the best ones, and the best recipe as a
    command; then do what that command does.
    """
    options = request.options
    request.check()
    require_optuna()
    request.check_data_dir()
    import optuna

    from mnist_graph.experiments.tune import tune as tune_recipe

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with Interruptible():
            found = tune_recipe(
                request.recipe,
                options.tune,
                fixed=tuple(request.overrides),
                study=options.study,
                data_dir=options.data_dir,
                pictures=request.pictures,
                device=options.device,
                at_a_time=options.at_a_time,
                when_begun=lambda begun: _announce(request, begun),
                when_ended=lambda result: _print_result(request, result),
            )
    except Interrupted as stop:
        note("stopped; the same command continues")
        return stop.exit_code
    print_table(_table(found), align_right=True)
    words = best_words(request, found.recipe)
    print(f"Best: {as_command(words)}", flush=True)
    request.say(f"results.csv saved to {found.directory}")
    return _test(request, found, words)


def _announce(request: Request, begun: "Begun") -> None:
    request.say(
        f"search in {begun.directory}, {begun.at_a_time} at a time; accuracies are of "
        f"{begun.setting.describe_images()}"
    )
    for name, searched in begun.ranges.items():
        request.say(f"{name}: {range_as_text(searched)}")
    if begun.ended:
        request.say(f"{begun.ended} trials have ended already")


def _print_result(request: Request, result: "TrialResult") -> None:
    if not request.options.quiet:
        name = f"trial {result.trial.number}, {describe_values(result.trial.values)}"
        print_ended(name, result)


def _table(found: "Tuning") -> list[tuple[str, ...]]:
    """Return the best trials, the best first."""
    complete = [
        (accuracy, number, values, seconds)
        for number, values, accuracy, seconds, _ in found.rows
        if accuracy is not None
    ]
    complete.sort(key=lambda row: (-row[0], row[1]))
    names = tuple(complete[0][2])
    rows = [
        (str(number), *map(as_text, values.values()), f"{accuracy:.4f}", f"{seconds or 0:.1f}")
        for accuracy, number, values, seconds in complete[:BEST]
    ]
    return [("trial", *names, "validation accuracy", "seconds"), *rows]


def _test(request: Request, found: "Tuning", words: list[str]) -> int:
    """Train the best recipe on all that it is given and test it, as the printed command does, where
    the study was begun and once its last trial has ended.
    """
    if found.running:
        note(
            f"{found.running} more being trained elsewhere: the best recipe is not tested yet; "
            "repeat the command when they have ended"
        )
        return 0
    if not found.is_own:
        note("the best recipe is tested where the study was begun")
        return 0
    quiet = ["--quiet"] if request.options.quiet else []
    best = Request(parse([*words, *quiet]))
    with best.at_exit:
        show_result(best, finished_or_trained(best))
    return 0
