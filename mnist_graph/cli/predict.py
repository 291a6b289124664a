"""Read pictures with a trained network."""

import json
from typing import TYPE_CHECKING

from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.output import page_as_json, print_page
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.reading.confidence import MIN_PROBABILITY

if TYPE_CHECKING:
    from mnist_graph.reading.page import Digit
    from mnist_graph.reading.paper import Ink


def predict(request: Request) -> int:
    """Print the digits in each picture. The exit code is 1 if a picture cannot be read or has no
    digits.
    """
    options = request.options
    min_probability = _min_probability(request)
    request.check()
    pictures = _load_pictures(options.predict)
    if not pictures:
        return 1
    complete = len(pictures) == len(options.predict)
    pages = []
    run = finished_run(request)
    import_tensorflow()
    from mnist_graph.reading.classifier import Classifier

    with Classifier(run, options.device) as classifier:
        for name, ink in pictures:
            digits = classifier.read_digits(ink)
            complete &= bool(digits)
            if not digits:
                note(f"{name}: no digit found")
            if options.annotate is not None:
                complete &= _annotate(request, name, digits, min_probability)
            if options.json:
                pages.append(page_as_json(name, digits, min_probability))
            else:
                alone = len(options.predict) == 1
                print_page(name, digits, min_probability, alone, options.probabilities)
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


def _load_pictures(names: list[str]) -> "list[tuple[str, Ink]]":
    """Return the name and the ink of each readable picture; report the others."""
    from mnist_graph.reading.page import load_ink

    pictures = []
    for name in names:
        try:
            pictures.append((name, load_ink(name)))
        except MnistGraphError as error:
            complain(error)
    return pictures


def _annotate(request: Request, name: str, digits: "list[Digit]", min_probability: float) -> bool:
    """Draw the digits onto the picture; return whether the drawing could be saved."""
    from mnist_graph.reading.annotate import save_annotated

    try:
        path = save_annotated(name, digits, min_probability, request.options.annotate)
    except MnistGraphError as error:
        complain(error)
        return False
    request.say(f"drawing saved to {path}")
    return True
