"""Read pictures with a trained network."""

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mnist_graph.cli.csv_file import check_csv
from mnist_graph.cli.inputs import Inputs
from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.quiet import import_tensorflow, muted_stderr
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.cli.train import finished_run
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.exports.formats import INSTALL, missing_packages
from mnist_graph.reading.confidence import MIN_PROBABILITY

if TYPE_CHECKING:
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.digit_reading import DigitReading
    from mnist_graph.reading.row_reading import RowReading
    from mnist_graph.reading.stream import Prepare, PreparedPage
    from mnist_graph.runs.run import Run

    Network: TypeAlias = AbstractContextManager[DigitReading | RowReading]
    Pages: TypeAlias = Generator[tuple[PreparedPage, list[Digit]]]


FEW_PAGES = 20
"""The most pages that are read in NumPy by default: more are faster in TensorFlow, in spite of its
import."""


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

    with closing(prepare_pages(inputs, _whole_pictures(request))) as stream:
        pages = _complain(stream)
        unreadable = []
        for first in pages:
            if first.prepared is not None:
                break
            unreadable.append(first)
        else:
            yield from ((page, []) for page in unreadable)
            return
        with _choose_network(request, inputs.total) as network:
            yield from ((page, []) for page in unreadable)
            for page in chain([first], pages):
                prepared = page.prepared
                yield page, [] if prepared is None else network.read_prepared(prepared)


def _whole_pictures(request: Request) -> "Prepare | None":
    """Return what prepares pictures for a network that reads them as a whole; None if the run that
    the flags name, or one of the data that they name, reads digits.
    """
    options = request.options
    if options.run_dir is not None:
        from mnist_graph.runs.find import load_run

        run = load_run(options.run_dir)
        shape, is_whole = run.image_shape, run.reads_whole
    elif options.data_dir is not None:
        data = request.read_data(request.recipe)
        shape, is_whole = data.image_shape, data.are_whole_pictures
    else:
        return None  # of MNIST
    if not is_whole:
        return None
    from mnist_graph.reading.whole import prepare_whole

    return lambda picture, name: prepare_whole(picture, shape, name)


def _choose_network(request: Request, pages: int) -> "Network":
    """Open the network in the package, or that of the run that the flags name."""
    from mnist_graph.runs.shipped import shipped_reader

    is_named = not request.uses_shipped_reader
    run = finished_run(request, or_shipped=True) if is_named else shipped_reader()
    return open_network(request, run, pages)


def open_network(request: Request, run: "Run", pages: int) -> "Network":
    """Open the network of a run, to read this many pages, in what `_choose_runtime` chooses."""
    runtime, device = _choose_runtime(request, run, pages), request.options.device
    if runtime == "litert":
        from mnist_graph.reading.litert import LiteRTClassifier, LiteRTReader

        with muted_stderr():
            return LiteRTReader(run) if run.recipe.reads_strips else LiteRTClassifier(run)
    if runtime == "numpy":
        from mnist_graph.reading.numpy_networks import NumpyClassifier, NumpyReader

        return NumpyReader(run) if run.recipe.reads_strips else NumpyClassifier(run)
    import_tensorflow()
    from mnist_graph.reading.classifier import Classifier
    from mnist_graph.reading.reader import Reader

    return Reader(run, device) if run.recipe.reads_strips else Classifier(run, device)


def _choose_runtime(request: Request, run: "Run", pages: int) -> str:
    """Return what computes the network: litert, numpy or tensorflow. Raises UsageError or
    MnistGraphError if the requested one cannot.
    """
    from mnist_graph.runs.litert_model import has_litert
    from mnist_graph.runs.weights import has_weights

    runtime, device = request.options.runtime, request.options.device
    if runtime in ("litert", "numpy") and device == "gpu":
        raise UsageError(f"--runtime {runtime} computes on the CPU; leave out --device gpu")
    if runtime == "litert":
        if missing_packages(["litert"]):
            raise MnistGraphError(f"--runtime litert needs ai-edge-litert: {INSTALL}")
        if not has_litert(run):
            raise MnistGraphError(f"{run.directory} has no LiteRT model; make one with --export")
    elif runtime == "numpy":
        if not has_weights(run):
            what = "has no undamaged weights for NumPy; leave out --runtime numpy"
            raise MnistGraphError(f"{run.directory} {what}")
    elif runtime == "auto":
        # A run that has just been trained has TensorFlow loaded already.
        if device == "gpu" or sys.modules.get("tensorflow") is not None:
            return "tensorflow"
        if not missing_packages(["litert"]) and has_litert(run):
            return "litert"
        return "numpy" if pages <= FEW_PAGES and has_weights(run) else "tensorflow"
    return runtime


def _complain(pages: "Iterable[PreparedPage]") -> "Iterator[PreparedPage]":
    """Yield `pages`, reporting those that cannot be read."""
    for page in pages:
        if page.error is not None:
            complain(page.error)
        yield page
