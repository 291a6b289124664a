"""Every benchmark with its full command, in the order in which `benchmarks.all` runs them."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.reproduce import OF_MNIST, SEEDS

COMMIT, STRINGS = "{commit}", "{strings}"
"""In a command: the commit that is measured, and the folder given by --strings."""
TRAINED = {"softmax": 1, "mlp": 1, "mnist-99": 1, "cnn-fast": 1, "cnn": 10}
"""Recipes whose newest run other pieces use, and the minutes of their training."""
SEEDS_OF = {"cnn": 5, "cnn-fast": 5, "cnn5-fast": 5, "mnist-99": 10, "cnn-best": 2}
SEEDS_OF |= {"conv3-batchnorm": 1, "cnn-sgd": 1}
"""Seeds of the recipes for which it is not the default number: few where a run takes long, and more
where the README makes a claim."""
REPRODUCE_MINUTES = {"cnn": 46, "cnn-best": 88, "cnn5-fast": 8, "conv3-batchnorm": 10, "cnn-sgd": 6}
"""Of all seeds together; the others take about SHORT_MINUTES."""
SHORT_MINUTES = 3
DRAWINGS = ("draw_reading", "draw_sheet", "draw_strips")


class Piece(NamedTuple):
    """A command that is run as a whole, and again if it is stopped."""

    name: str
    words: tuple[str, ...]
    """Of the command, after `python`."""
    results: tuple[str, ...]
    """The files that it writes, in the repository."""
    minutes: int
    """About how long it takes on two cores."""
    needs_root: bool = False
    renewed: str = ""
    """A file with results to which the command adds, never measuring them again: it is removed
    before the first start at another commit."""

    @property
    def needs_strings(self) -> bool:
        return STRINGS in self.words

    def command(self, commit: str, strings: str) -> list[str]:
        """Return the words of its command, with the commit and the strings filled in."""
        return [word.replace(COMMIT, commit).replace(STRINGS, strings) for word in self.words]


def _measure(
    name: str, words: str, minutes: int, *files: str, root: bool = False, renewed: str = ""
) -> Piece:
    """Return a piece of `python -m benchmarks.WORDS`; its results are those of its module, unless
    `files` are given.
    """
    module, *rest = words.split()
    files = files or tuple(f"benchmarks/results/{module}.{kind}" for kind in ("json", "md"))
    return Piece(name, ("-m", f"benchmarks.{module}", *rest), files, minutes, root, renewed)


def list_pieces() -> list[Piece]:
    """Return all pieces. The trained recipes come first: other pieces need them."""
    return [
        *(_train(name, minutes) for name, minutes in TRAINED.items()),
        *(_reproduce(name) for name in OF_MNIST if name != "reader"),
        *_list_of_speed(),
        *_list_of_training(),
        *_list_of_reading_and_serving(),
        _measure("cluster", "cluster", 60, *_CLUSTER, root=True),
        _measure("cluster-faults", "cluster --faults --kills 100", 90, *_CLUSTER, root=True),
        *(_draw(module) for module in DRAWINGS),
    ]


_CLUSTER = (
    "benchmarks/results/cluster.json",
    "benchmarks/results/cluster.md",
    "docs/cluster-scaling.png",
)


def _train(name: str, minutes: int) -> Piece:
    words = ("main.py", "--model", name, "--quiet")
    return Piece(f"train-{name}", words, (f"runs/{name}",), minutes)


def _reproduce(name: str) -> Piece:
    seeds = SEEDS_OF.get(name, SEEDS)
    words = f"reproduce --recipes {name} --seeds {seeds} --again"
    return _measure(f"reproduce-{name}", words, REPRODUCE_MINUTES.get(name, SHORT_MINUTES))


def _draw(module: str) -> Piece:
    pictures = {
        "draw_reading": ("docs/reading.png", "docs/page.jpg"),
        "draw_sheet": ("docs/own-sheet.png",),
        "draw_strips": ("docs/strips.png",),
    }
    return _measure(module, module, 1, *pictures[module])


def _list_of_speed() -> Iterator[Piece]:
    for race, minutes in (("limits", 5), ("training", 90), ("to-99", 5), ("predicting", 60)):
        yield _measure(f"speed-{race}", f"speed --rounds 7 --races {race}", minutes)
    yield _measure("multistep", "multistep", 10)
    yield _measure("augmentation", "augmentation --rounds 5 --iterations 120", 5)
    yield _measure("startup", "startup", 10)
    yield _measure("commands", "commands", 45)
    yield _measure("watch", "watch --rounds 4 --keys 30", 10)
    yield _measure("sweep", "sweep", 15)


def _list_of_training() -> Iterator[Piece]:
    best_seen = "best_seen mlp5-sigmoid mlp5-relu conv3 conv3-dropout --seeds 1"
    yield _measure("best_seen", best_seen, 10, "benchmarks/results/best_seen.md")
    yield _measure("precision", f"precision --keep runs/precision-{COMMIT}", 65)
    survive = "benchmarks/results/survive.json"
    yield _measure("survive", "survive --kills 200", 40, survive)
    for model, minutes in (("mlp", 60), ("cnn-fast", 240)):
        words = f"knobs --models {model} --work sweeps/knobs-{COMMIT}"
        files = "benchmarks/results/knobs", "docs/knobs"
        yield _measure(f"knobs-{model}", words, minutes, *files)
    curve = "benchmarks/results/curve.json", "benchmarks/results/curve.md"
    yield _measure("curve", "curve --again", 420, *curve, "docs/accuracy-for-time.png")
    files = "benchmarks/results/own_hand.json", "benchmarks/results/own_hand.md"
    words = f"own_hand --work runs/own_hand-{COMMIT}"
    yield _measure("own_hand", words, 120, *files, "docs/own-hand.png", renewed=files[0])


def _list_of_reading_and_serving() -> Iterator[Piece]:
    yield _measure("exports", "exports", 15)
    yield _measure("reading", f"reading --strings {STRINGS}", 45)
    yield _measure("stack", "stack --photos 1000 --few 10", 10)
    yield _measure("pictures", "pictures", 15)
    yield _measure("serving", "serving --model mnist-99", 3)
    yield _measure("soak", "soak --minutes 10", 12)
    yield _measure("page", "page", 5)
