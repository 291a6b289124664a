"""What the command line can be asked for, each a class of its own."""

import argparse

from mnist_graph.commands.base import Command
from mnist_graph.errors import UsageError

VERBS = ("resume", "predict", "evaluate", "describe", "plot", "list_models")


def command_for(options: argparse.Namespace) -> Command:
    """What `options` ask for. Raises UsageError where they do not go together."""
    asked = [verb for verb in VERBS if getattr(options, verb)]
    if len(asked) > 1:
        first, second = (f"--{verb.replace('_', '-')}" for verb in asked[:2])
        raise UsageError(f"{first} and {second} do not go together")
    if asked in (["list_models"], ["describe"], ["plot"], ["evaluate"]):
        from mnist_graph.commands.looking import Describe, Evaluate, ListModels, Plot

        verbs = {"list_models": ListModels, "describe": Describe, "plot": Plot}
        return verbs.get(asked[0], Evaluate)(options)
    if asked == ["predict"]:
        from mnist_graph.commands.reading import Predict

        return Predict(options)
    from mnist_graph.commands.training import Train

    return Train(options)
