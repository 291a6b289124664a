"""Where the digits that --predict reads go: lines or JSON, a CSV file, drawings, a progress bar."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

from mnist_graph.cli.csv_file import CsvFile
from mnist_graph.cli.inputs import Inputs
from mnist_graph.cli.messages import above_bar, complain, note
from mnist_graph.cli.output import JsonArray, page_as_json, print_page
from mnist_graph.cli.request import Request
from mnist_graph.cli.signals import Interrupted
from mnist_graph.errors import MnistGraphError

if TYPE_CHECKING:
    from mnist_graph.reading.digit import Digit
    from mnist_graph.reading.pages import Page


class Results:
    """Takes the digits of one page after the other, and prints and saves them at once.

    Nothing is printed and no file is touched until the first page is added. What has been added
    stays, and the JSON is complete, even if reading fails or is interrupted later.
    """

    def __init__(self, request: Request, inputs: Inputs, min_probability: float) -> None:
        self.request, self.inputs, self.min_probability = request, inputs, min_probability
        self.count = 0
        """How many pages have been added."""
        self.is_complete = True
        """Whether all of them could be read, have digits and could be drawn."""
        self._json = JsonArray() if request.options.json else None
        self._csv: CsvFile | None = None
        self._bar: tqdm | None = None

    def add(self, page: "Page", digits: "Sequence[Digit]", error: str | None) -> None:
        """Print and save the digits of a page, or the `error` that kept it from being read.

        Raises OSError if standard output, MnistGraphError if the CSV file cannot be written.
        """
        if not self.count:
            self._begin()
        self.count += 1
        self.is_complete &= bool(digits)
        if not digits and error is None:
            note(f"{page.name}: no digit found")
        if self._csv is not None:
            self._csv.add(page, digits)
        with above_bar():
            self._print(page, digits, error)
            sys.stdout.flush()
        if self.request.options.annotate is not None and error is None:
            self.is_complete &= self._annotate(page, digits)
        if self._bar is not None:
            self._bar.total = self.inputs.total
            self._bar.update()

    def _begin(self) -> None:
        options = self.request.options
        if options.csv is not None:
            self._csv = CsvFile(Path(options.csv))
        if self.inputs.total > 1 and not options.quiet:
            self._bar = tqdm(
                desc="reading",
                total=self.inputs.total,
                unit=" pictures",
                disable=None,  # tqdm's value for "unless it is a terminal"
                leave=False,
                file=sys.stderr,
            )

    def _print(self, page: "Page", digits: "Sequence[Digit]", error: str | None) -> None:
        options = self.request.options
        if self._json is not None:
            self._json.add(page_as_json(page, digits, self.min_probability, error))
        else:
            alone = options.predict == [page.file] and page.number is None
            print_page(page.name, digits, self.min_probability, alone, options.probabilities)

    def _annotate(self, page: "Page", digits: "Sequence[Digit]") -> bool:
        """Draw the digits onto the page; return whether the drawing could be saved."""
        from mnist_graph.reading.annotate import save_annotated

        folder, least = self.request.options.annotate, self.min_probability
        try:
            path = save_annotated(page.read_colour(), digits, least, folder, page.stem)
        except MnistGraphError as error:
            complain(error)
            return False
        self.request.say(f"drawing saved to {path}")
        return True

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._csv is not None:
            self._csv.close()
        has_begun = self.count > 0 and isinstance(error, MnistGraphError)
        if self._json is not None and (has_begun or error is None or kind is Interrupted):
            self._json.close()
