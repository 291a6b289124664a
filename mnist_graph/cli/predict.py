"""Read pictures with a trained network."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.output import page_as_json, print_page
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.reading.confidence import MIN_PROBABILITY

if TYPE_CHECKING:
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.prepare import Prepared

STANDARD_INPUT = "-"
MAX_BYTES = 2**29
"""The most that is read from standard input: 64 million pixels of four 16-bit channels,
uncompressed."""


class _Loaded(NamedTuple):
    """A picture given with --predict. Either `prepared` or `error` is None."""

    name: str
    picture: str | bytes
    """The name of a file, or what standard input held."""
    prepared: "Prepared | None"
    error: str | None


def predict(request: Request) -> int:
    """Print the digits in each picture. The exit code is 1 if a picture cannot be read or has no
    digits.
    """
    options = request.options
    min_probability = _min_probability(request)
    request.check()
    if options.predict.count(STANDARD_INPUT) > 1:
        raise UsageError("--predict takes - (standard input) only once")
    complete, pages = True, []
    for loaded, digits in _read(request, [_load(name) for name in options.predict]):
        complete &= bool(digits)
        if not digits and loaded.error is None:
            note(f"{loaded.name}: no digit found")
        if options.annotate is not None and loaded.error is None:
            complete &= _annotate(request, loaded, digits, min_probability)
        if options.json:
            pages.append(page_as_json(loaded.name, digits, min_probability, loaded.error))
        else:
            alone = len(options.predict) == 1
            print_page(loaded.name, digits, min_probability, alone, options.probabilities)
    if options.json:
        print(json.dumps(pages, indent=2))
    return 0 if complete else 1


def _min_probability(request: Request) -> float:
    options = request.options
    if options.json and options.probabilities:
        raise UsageError("--json includes the probabilities; leave out --probabilities")
    given = options.min_probability
    chosen = MIN_PROBABILITY if given is None else float(given)
    if not 0 <= chosen <= 1:
        raise UsageError(f"--min-probability must be from 0 to 1, not {given}")
    return chosen


def _load(name: str) -> _Loaded:
    """Prepare a picture; report one that cannot be read."""
    from mnist_graph.reading.prepare import prepare

    picture: str | bytes = name
    try:
        if name == STANDARD_INPUT:
            picture = _read_standard_input()
            return _Loaded(name, picture, prepare(picture, "standard input"), None)
        return _Loaded(name, picture, prepare(picture), None)
    except MnistGraphError as error:
        complain(error)
        return _Loaded(name, picture, None, str(error))


def _read_standard_input() -> bytes:
    if sys.stdin is None:  # closed by the shell
        raise MnistGraphError("standard input is closed; pipe a picture into --predict -")
    if sys.stdin.isatty():
        raise MnistGraphError("standard input is a terminal; pipe a picture into --predict -")
    content = bytearray()
    try:
        # In pieces: a single read would allocate MAX_BYTES first.
        while piece := sys.stdin.buffer.read(2**20):
            content += piece
            if len(content) > MAX_BYTES:
                raise MnistGraphError(f"standard input has more than {MAX_BYTES:,} bytes")
    except OSError as error:
        raise MnistGraphError(f"cannot read standard input: {error.strerror or error}") from error
    return bytes(content)


def _read(
    request: Request, pictures: "Sequence[_Loaded]"
) -> "Iterator[tuple[_Loaded, list[Digit]]]":
    """Yield each picture and its digits: none if it cannot be read. Unless one can, no run is
    opened or trained.
    """
    if all(loaded.prepared is None for loaded in pictures):
        yield from ((loaded, []) for loaded in pictures)
        return
    run = finished_run(request)
    import_tensorflow()
    from mnist_graph.reading.classifier import Classifier

    with Classifier(run, request.options.device) as classifier:
        for loaded in pictures:
            yield (
                loaded,
                [] if loaded.prepared is None else classifier.read_prepared(loaded.prepared),
            )


def _annotate(
    request: Request, loaded: _Loaded, digits: "list[Digit]", min_probability: float
) -> bool:
    """Draw the digits onto the picture; return whether the drawing could be saved."""
    from mnist_graph.reading.annotate import save_annotated

    name = "stdin" if loaded.name == STANDARD_INPUT else loaded.name
    folder = request.options.annotate
    try:
        path = save_annotated(loaded.picture, digits, min_probability, folder, name)
    except MnistGraphError as error:
        complain(error)
        return False
    request.say(f"drawing saved to {path}")
    return True
