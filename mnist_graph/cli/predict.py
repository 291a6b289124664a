"""Read pictures with a trained network."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mnist_graph.cli.csv_file import check_csv
from mnist_graph.cli.inputs import Inputs
from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import UsageError
from mnist_graph.reading.confidence import MIN_PROBABILITY

if TYPE_CHECKING:
    from mnist_graph.reading.classifier import Classifier
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.reader import Reader
    from mnist_graph.reading.stream import PreparedPage

    Pages: TypeAlias = Generator[tuple[PreparedPage, list[Digit]]]


def predict(request: Request) -> int:
    """Print the digits in each picture as soon as they are read. The exit code is 1 if a picture
    cannot be read or has no digits. Ctrl-C and SIGTERM keep what has been read.
    """
    from mnist_graph.cli.results import Results

    options = request.options
    min_probability = _min_probability(request)
    request.check()
    if options.csv is not None:
        check_csv(Path(options.csv))
    inputs = Inputs(options.predict, options.annotate)
    results = Results(request, inputs, min_probability)
    try:
        with Interruptible() as signals, results, closing(_read(request, inputs)) as pages:
            for prepared, digits in pages:
                with signals.protected():
                    results.add(prepared.page, digits, prepared.error)
    except Interrupted as stop:
        note(f"interrupted after {results.count:,} pictures")
        return stop.exit_code
    return 0 if results.is_complete else 1


def _min_probability(request: Request) -> float:
    options = request.options
    if options.json and options.probabilities:
        raise UsageError("--json includes the probabilities; leave out --probabilities")
    given = options.min_probability
    chosen = MIN_PROBABILITY if given is None else float(given)
    if not 0 <= chosen <= 1:
        raise UsageError(f"--min-probability must be from 0 to 1, not {given}")
    return chosen


def _read(request: Request, inputs: Inputs) -> "Pages":
    """Yield each page and its digits: none if it cannot be read. Unless one can, no run is opened
    or trained.
    """
    from mnist_graph.reading.stream import prepare_pages

    with closing(prepare_pages(inputs)) as stream:
        pages = _complain(stream)
        unreadable = []
        for first in pages:
            if first.prepared is not None:
                break
            unreadable.append(first)
        else:
            yield from ((page, []) for page in unreadable)
            return
        with _open_network(request) as network:
            yield from ((page, []) for page in unreadable)
            for page in chain([first], pages):
                prepared = page.prepared
                yield page, [] if prepared is None else network.read_prepared(prepared)


def _open_network(request: Request) -> "Classifier | Reader":
    """Open the network in the package, or that of the run that the flags name."""
    device = request.options.device
    run = None if request.uses_shipped_reader else finished_run(request)
    import_tensorflow()
    from mnist_graph.reading.classifier import Classifier
    from mnist_graph.reading.reader import Reader

    if run is None:
        return Reader.shipped(device)
    return Reader(run, device) if run.recipe.reads_strips else Classifier(run, device)


def _complain(pages: "Iterable[PreparedPage]") -> "Iterator[PreparedPage]":
    """Yield `pages`, reporting those that cannot be read."""
    for page in pages:
        if page.error is not None:
            complain(page.error)
        yield page
