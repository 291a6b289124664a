"""The flags of the command line, and their help."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

from mnist_graph.errors import UsageError
from mnist_graph.graph.devices import DEVICES
from mnist_graph.graph.recipe import CHOICES, unknown
from mnist_graph.graph.recipes import recipes
from mnist_graph.reading.confidence import MIN_PROBABILITY
from mnist_graph.runs.run import RUNS_DIR
from mnist_graph.training.intervals import LOG_EVERY, SAVE_EVERY

PROGRAM = "mnist-graph"
RUNTIMES = ("auto", "tensorflow", "litert", "numpy")
HOST, PORT = "127.0.0.1", 8000
"""Where --serve listens by default."""
WINDOW = True
"""The value of --watch without a file."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see --help)")

    def print_help(self, file: Any = None) -> None:
        """Print the help; raises OSError, which argparse would pass over."""
        print(self.format_help(), end="", file=file, flush=True)


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse `words` (default: those of sys.argv). Raises UsageError for an invalid flag, with the
    most similar one.
    """
    parser = create_parser()
    words = sys.argv[1:] if words is None else words
    flags = [name for action in parser._actions for name in action.option_strings]
    for word in words:
        if word.startswith("-") and word not in ("-", *flags) and os.path.isfile(word):
            raise UsageError(f"the file {word} looks like a flag; write ./{word}")
    options, rest = parser.parse_known_args(words)
    if rest:
        flag = rest[0].partition("=")[0]
        if not flag.startswith("-"):
            raise UsageError(f"unexpected argument {flag!r} (see --help)")
        raise UsageError(unknown("flag", flag, flags, hint=" (see --help)"))
    return options


@cache
def create_parser() -> argparse.ArgumentParser:
    """Create the parser, its flags grouped by what a user wants to do."""
    parser = _Parser(
        prog=PROGRAM,
        description="Train the classic TensorFlow 1 MNIST networks, test them, and read your own "
        "picture of a digit.",
        allow_abbrev=False,
    )
    _add_train(parser.add_argument_group("train"))
    _add_hyperparameters(parser.add_argument_group("hyperparameters (default: the recipe's)"))
    _add_predict(parser.add_argument_group("predict"))
    _add_collect(parser.add_argument_group("collect digits of your own"))
    _add_look(parser.add_argument_group("look"))
    _add_export(parser.add_argument_group("export"))
    _add_serve(parser.add_argument_group("serve"))
    _add_experiments(parser.add_argument_group("experiments"))
    _add_runs(parser.add_argument_group("resume and runs"))
    _add_cluster(parser.add_argument_group("train on several processes or machines (TF_CONFIG)"))
    return parser


def _add_train(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--model",
        metavar="NAME",
        help=f"the recipe: {', '.join(recipes)} (--predict default: the reader in the package)",
    )
    add(
        "--data-dir",
        metavar="DIR",
        help="a folder of pictures for each class (cat/, dog/, or train/cat/, test/cat/, ...), "
        "four IDX files, mnist.npz, CIFAR-10, CIFAR-100 or SVHN (default: MNIST)",
    )
    add(
        "--image-size",
        type=_size,
        metavar="HxW",
        help="bring the pictures in --data-dir to this height and width (default: the commonest)",
    )
    add("--colour", action="store_true", help="train on them in colour (default: if one has any)")
    add("--grey", action="store_true", help="train on them in grey")
    add(
        "--start-from",
        metavar="RUN",
        help="begin with the weights of a finished run of the same network: its directory, or the "
        "name of a model, as its newest finished run or as it is in the package (default of "
        "--model: the recipe of that run)",
    )
    add(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where to compute (default: auto)",
    )
    add(
        "--log-every",
        type=int,
        default=LOG_EVERY,
        metavar="N",
        help=f"print loss and accuracy every N iterations (default: {LOG_EVERY})",
    )
    add(
        "--save-every",
        type=float,
        default=SAVE_EVERY,
        metavar="SECONDS",
        help=f"save a checkpoint every SECONDS (default: {SAVE_EVERY:g})",
    )
    add(
        "--snapshots",
        action="store_true",
        help="keep the weights of some thirty iterations, for the slider of --serve",
    )
    add("--quiet", action="store_true", help="print only the final result")


def _add_hyperparameters(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--iterations", type=int, metavar="N", help="training steps")
    add("--batch-size", type=int, metavar="N", help="images per step")
    add(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="learning rate (the peak, under a schedule)",
    )
    add("--optimizer", choices=CHOICES["optimizer"], help="the optimizer")
    add("--schedule", choices=CHOICES["schedule"], help="learning rate schedule")
    add("--keep-prob", type=float, metavar="P", help="share of units that dropout keeps")
    add("--hidden", type=_units, metavar="N,N,...", help="units of each hidden dense layer")
    add("--activation", choices=CHOICES["activation"], help="activation of the hidden layers")
    add("--validation-size", type=int, metavar="N", help="training images held out")
    add(
        "--mix",
        type=float,
        metavar="SHARE",
        help="with --data-dir: the share of each batch that is drawn from MNIST's training digits, "
        "so that a network does not forget them",
    )
    add(
        "--precision",
        choices=CHOICES["precision"],
        help="precision of matrix products and convolutions",
    )
    add("--seed", type=int, metavar="N", help="random seed")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set any hyperparameter of the recipe, such as beta1=0.8 or augmentation.rotation=5; "
        "can be repeated",
    )


def _add_predict(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--predict",
        action="extend",
        nargs="+",
        metavar="PICTURE",
        help="read these pictures, TIFF and PDF files, and all in these folders (-: standard "
        "input), with the newest finished run of the recipe; train it first if there is none",
    )
    add(
        "--probabilities",
        action="store_true",
        help="also print all ten probabilities of each digit",
    )
    add("--json", action="store_true", help="print everything as JSON")
    add(
        "--csv",
        metavar="FILE",
        help="also write a line for each digit to FILE: file, page, row, column, digit, "
        "probability, box",
    )
    add("--annotate", metavar="DIR", help="draw boxes and labels, and save the drawings in DIR")
    add(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="what computes: litert and numpy start much faster than tensorflow; litert needs "
        "ai-edge-litert, and a network of the package or an exported run (default: auto: litert if "
        "it can, else numpy for a few pages, else tensorflow)",
    )
    add(
        "--min-probability",
        type=float,
        metavar="P",
        help=f"on pages, print ? for digits below this probability (default: {MIN_PROBABILITY})",
    )


def _add_collect(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--collect",
        action="extend",
        nargs="+",
        metavar="PICTURE",
        help="save the digits on these pages as labelled pictures in a folder, collected/NUMBER, "
        "that --data-dir takes, with a sheet to check them by eye",
    )
    add(
        "--labels",
        metavar="DIGITS",
        help='what stands on the pages, with a space between rows: "0123456789 0123456789"',
    )


def _add_look(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--list-models", action="store_true", help="list the recipes")
    add("--describe", action="store_true", help="print the network layer by layer")
    add(
        "--evaluate",
        action="store_true",
        help="print confusion matrix, precision, recall and calibration of the newest finished "
        "run of the recipe; train it first if there is none",
    )
    add(
        "--watch",
        nargs="?",
        const=WINDOW,
        metavar="FILE",
        help="show six panels while training: in a window (keys 0 to 9, space, O, H, Ctrl-S), or "
        "in a .png, .gif or .mp4 file",
    )
    add(
        "--plot",
        action="extend",
        nargs="+",
        metavar="RUN",
        help="show the panels of a finished run, or compare several; with --watch FILE, draw them "
        "into that file",
    )


def _add_export(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--export",
        metavar="DIR",
        help="write the newest finished run of the recipe to DIR/NAME/NUMBER as SavedModel, LiteRT "
        "and ONNX, and compare each with the session on all test images; train it first if there "
        "is none (default of --model: the reader in the package)",
    )


def _add_serve(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--serve",
        action="store_true",
        help="serve a page to draw on, and predictions as TensorFlow Serving answers them, until "
        "Ctrl-C: the reader in the package and the newest finished runs, or --model alone",
    )
    add("--port", type=int, metavar="N", help=f"listen on this port (default: {PORT}; 0: any)")
    add("--host", help=f"listen on this address (default: {HOST}, this machine alone)")
    add("--token", help="what other machines need to ask (default: a random one, printed)")


def _add_experiments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        help="train the recipe with each of these values, and with all combinations if repeated, "
        "scored on held-out training images; continues an interrupted sweep. Lists have an x: "
        "hidden=512x256,128",
    )
    add("--seeds", type=int, metavar="N", help="seeds of each combination of --sweep (default: 1)")
    add(
        "--tune",
        type=int,
        metavar="TRIALS",
        help="search for better hyperparameters until TRIALS trainings have ended, print the best "
        "recipe as a command, and test it; continues an interrupted search",
    )
    add(
        "--study",
        metavar="FILE",
        help="the SQLite file of --tune; machines that name the same one share its trials "
        "(default: new, in sweeps/)",
    )
    add(
        "--at-a-time",
        type=int,
        metavar="N",
        help="how many to train at a time with --sweep and --tune (default: one per core)",
    )
    add(
        "--compare",
        nargs=2,
        metavar="RUN",
        help="compare two finished runs: recipes, results, and every image on which they disagree",
    )


def _add_runs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--run-dir", metavar="DIR", help=f"the run directory (default: new, {RUNS_DIR}/NAME/NUMBER)"
    )
    add(
        "--resume",
        action="store_true",
        help="continue an interrupted run; with a larger --iterations, make a run longer",
    )


def _add_cluster(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--workers", type=int, metavar="N", help="train in N processes on this machine")
    add(
        "--restarts",
        type=int,
        metavar="N",
        help="with --workers: after a failure, resume up to N times (default: 0)",
    )
    add(
        "--scale-batch",
        action="store_true",
        help="multiply the batch size by the number of workers, and the learning rate with it; "
        "without, they share the batch, and the result is that of one process",
    )
    add(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="stop if a worker does not come, or does not answer, within SECONDS (default: 60)",
    )


def _size(text: str) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 32x32") from None
    return height, width


def _units(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like 512,256,128") from None
