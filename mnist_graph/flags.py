"""The flags of the command line."""

import argparse
from typing import NoReturn

from mnist_graph.errors import UsageError
from mnist_graph.recipe import CHOICES
from mnist_graph.recipes import recipes

PROGRAM = "mnist-graph"
MIN_PROBABILITY = 0.9
"""On pages of the validation images a third of what is less sure is wrong, and half of what
is wrong is less sure (benchmarks/results/handwriting-validation.json)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see --help)")


def parser() -> argparse.ArgumentParser:
    """The parser of the command line; raises UsageError for what it does not understand."""
    made = _Parser(
        prog=PROGRAM,
        description="Train the classic TensorFlow 1 MNIST networks, test them, and read "
        "your own picture of a digit.",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--model", metavar="NAME", help=f"the recipe: {', '.join(recipes)}")
    add("--list-models", action="store_true", help="print every recipe and leave")
    add(
        "--predict",
        nargs="+",
        metavar="PICTURE",
        help="read these pictures with the newest finished run of the recipe; without one, "
        "train it first",
    )
    add("--probabilities", action="store_true", help="with --predict: all of each digit")
    add("--json", action="store_true", help="with --predict: print everything as JSON")
    add("--annotate", metavar="DIR", help="with --predict: draw what was read, into this folder")
    add(
        "--min-probability",
        type=float,
        metavar="P",
        help=f"with --predict: print ? for less, on a page (default: {MIN_PROBABILITY})",
    )
    add(
        "--watch",
        nargs="?",
        const="",
        metavar="FILE",
        help="show six panels as it trains: in a window (keys 0 to 9, space, O, H, Ctrl-S), or "
        "as a .png, .gif or .mp4",
    )
    add(
        "--plot",
        nargs="+",
        metavar="RUN",
        help="draw what a run has recorded, or compare several; with --watch FILE, into that",
    )
    add(
        "--evaluate",
        action="store_true",
        help="judge the newest finished run of the recipe; without one, train it first",
    )
    add("--describe", action="store_true", help="print the network layer by layer and leave")
    add("--data-dir", metavar="DIR", help="four IDX files, plain or .gz (default: MNIST)")
    add("--run-dir", metavar="DIR", help="the run's directory (default: a new runs/NAME/NUMBER)")
    add(
        "--resume",
        action="store_true",
        help="go on with an unfinished run; --iterations may be more than it had",
    )
    add(
        "--device",
        choices=("auto", "cpu", "gpu"),
        default="auto",
        help="where to compute (default: auto)",
    )
    add("--log-every", type=int, default=100, metavar="N", help="iterations a line (default: 100)")
    add(
        "--save-every",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="from one checkpoint to the next (default: 60)",
    )
    add("--quiet", action="store_true", help="print the final result alone")

    change = made.add_argument_group("hyperparameters (default: the recipe's)").add_argument
    change("--iterations", type=int, metavar="N", help="training steps")
    change("--batch-size", type=int, metavar="N", help="images a step")
    change("--learning-rate", type=float, metavar="RATE", help="under a schedule: its highest")
    change("--optimizer", choices=CHOICES["optimizer"], help="what turns gradients into steps")
    change("--schedule", choices=CHOICES["schedule"], help="of the learning rate")
    change("--keep-prob", type=float, metavar="P", help="share of units that dropout keeps")
    change("--hidden", type=_units, metavar="N,N,...", help="units of each hidden dense layer")
    change("--activation", choices=CHOICES["activation"], help="of the hidden layers")
    change("--validation-size", type=int, metavar="N", help="training images held back")
    change("--precision", choices=CHOICES["precision"], help="of the multiplications")
    change("--seed", type=int, metavar="N", help="of all that is random")
    return made


def _units(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like 512,256,128") from None
