"""Turn pages of known digits into a folder of labelled pictures."""

from contextlib import closing

from mnist_graph.cli.inputs import Inputs
from mnist_graph.cli.predict import open_network
from mnist_graph.cli.request import Request
from mnist_graph.errors import MnistGraphError, UsageError

CLASSES = "0123456789"


def collect(request: Request) -> int:
    """Save the digits of the pages that --collect names, and print how many the network in the
    package reads otherwise than --labels says.
    """
    options = request.options
    if options.labels is None:
        raise UsageError("--collect needs --labels, the digits of each row on the pages")
    from mnist_graph.reading.collect import collect_digits, parse_labels
    from mnist_graph.reading.collection import SHEET, save_collection
    from mnist_graph.reading.prepare import Prepared
    from mnist_graph.reading.row_reading import RowReading
    from mnist_graph.reading.stream import prepare_pages
    from mnist_graph.runs.shipped import shipped_reader

    labels = parse_labels(options.labels)
    with closing(prepare_pages(Inputs(options.collect))) as pages:
        prepared = []
        for page in pages:
            if page.prepared is None:
                raise MnistGraphError(page.error)
            assert isinstance(page.prepared, Prepared)
            prepared.append((page.page.name, page.prepared))
    with open_network(request, shipped_reader(), len(prepared)) as reader:
        assert isinstance(reader, RowReading)
        digits = collect_digits(prepared, labels, reader)
    folder = save_collection(digits, columns=max(map(len, labels)))
    doubtful = sum(digit.read != digit.label for digit in digits)
    print(f"{len(digits)} digits saved to {folder}, {doubtful} of them read as another digit")
    request.say(f"check them by eye in {folder / SHEET}; delete the pictures that are wrong")
    if missing := sorted({*CLASSES} - {str(digit.label) for digit in digits}):
        request.say(f"there is no {', no '.join(missing)}: to train on, collect all ten digits")
    return 0
