"""To read pictures."""

import argparse
import json
from typing import TYPE_CHECKING

from mnist_graph.commands.training import Train
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.flags import MIN_PROBABILITY
from mnist_graph.notes import complain, note

if TYPE_CHECKING:
    from mnist_graph.handwriting.page import Digit
    from mnist_graph.handwriting.paper import Ink


class Predict(Train):
    """Read pictures with the newest finished run, trained first where there is none."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        if options.json and options.probabilities:
            raise UsageError("--json has the probabilities already; leave out --probabilities")
        if options.min_probability is None:
            options.min_probability = MIN_PROBABILITY
        if not 0 <= options.min_probability <= 1:
            raise UsageError(
                f"--min-probability must be from 0 to 1, not {options.min_probability}"
            )

    def run(self) -> int:
        pictures = self._read_pictures()
        if not pictures:
            return 1
        options = self.options
        complete = len(pictures) == len(options.predict)
        pages = []
        run = self.finished_run()
        from mnist_graph.classifier import Classifier

        with Classifier(run, options.device) as classifier:
            from mnist_graph.reports import describe_page, print_page

            for name, ink in pictures:
                digits = classifier.read_ink(ink)
                complete &= bool(digits)
                if not digits:
                    note(f"{name}: no digit found")
                if options.annotate is not None:
                    complete &= self._annotate(name, digits)
                if options.json:
                    pages.append(describe_page(name, digits, options.min_probability))
                else:
                    alone = len(options.predict) == 1
                    print_page(name, digits, options.min_probability, alone, options.probabilities)
        if options.json:
            print(json.dumps(pages, indent=2))
        return 0 if complete else 1

    def _annotate(self, name: str, digits: "list[Digit]") -> bool:
        from mnist_graph.handwriting.annotate import save_annotated

        options = self.options
        try:
            path = save_annotated(name, digits, options.min_probability, options.annotate)
        except MnistGraphError as error:
            complain(error)
            return False
        self.tell(f"drawn in {path}")
        return True

    def _read_pictures(self) -> "list[tuple[str, Ink]]":
        """The name and ink of each picture; what cannot be read is reported, left out."""
        from mnist_graph.handwriting.page import read_ink

        pictures = []
        for name in self.options.predict:
            try:
                pictures.append((name, read_ink(name)))
            except MnistGraphError as error:
                complain(error)
        return pictures
