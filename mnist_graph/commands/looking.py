"""To look at recipes and at what runs have learned."""

import argparse
import math
from typing import TYPE_CHECKING

from mnist_graph.commands.base import Command, check_watch, print_table
from mnist_graph.commands.training import Train
from mnist_graph.errors import UsageError
from mnist_graph.files import write_output
from mnist_graph.panels import PICTURES
from mnist_graph.recipe import Recipe
from mnist_graph.recipes import recipes

if TYPE_CHECKING:
    from mnist_graph.evaluation import Report
    from mnist_graph.runs import Run
    from mnist_graph.shown import Shown

SHEET_ASPECT = 1.4
SHEET_ZOOM = 3


class ListModels(Command):
    """Print every recipe."""

    def run(self) -> int:
        head = ("model", "network", "parameters", "training", "published")
        print_table([head, *map(self._row, recipes.values())])
        return 0

    def _row(self, recipe: Recipe) -> tuple[str, ...]:
        rate = f"{recipe.optimizer} {recipe.learning_rate:g}"
        if recipe.schedule != "constant":
            rate += f", {recipe.schedule}"
        training = f"{recipe.iterations:,} x {recipe.batch_size}, {rate}"
        if recipe.keep_prob is not None:
            training += f", keep_prob {recipe.keep_prob:g}"
        return (recipe.model, recipe.summary, f"{recipe.parameters:,}", training, recipe.published)


class Describe(Command):
    """Print a recipe's network, layer by layer."""

    def run(self) -> int:
        size: tuple = ()
        if self.options.data_dir is not None:
            data = self.read_data(self.recipe)
            size = data.image_shape, data.classes
        recipe = self.recipe
        from mnist_graph.describe import describe
        from mnist_graph.graph import build_network

        layers = describe(build_network(recipe, *size))
        head = ("layer", "output shape", "parameters", "multiply-adds")
        sums = [sum(column) for column in list(zip(*layers, strict=True))[2:]]
        rows = [(name, "x".join(map(str, shape)), *numbers) for name, shape, *numbers in layers]
        rows.append(("in all", "", *sums))
        print_table([head, *((*row[:2], *(f"{n:,}" for n in row[2:])) for row in rows)], right=True)
        return 0


class Plot(Command):
    """Draw what runs have recorded."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self.output = check_watch(options, PICTURES)

    def run(self) -> int:
        from mnist_graph.panels.displays import Picture, Window, has_screen
        from mnist_graph.panels.record import read_record

        records = [read_record(directory) for directory in self.options.plot]
        folder = records[0].run.directory
        if self.output is None and has_screen():
            window = Window(folder)
            window.show(records)
            window.main_loop()
        else:
            output = self.output or folder / "panels.png"
            Picture(output).show(records)
            self.tell(f"drawn in {output}")
        return 0


class Evaluate(Train):
    """Judge a finished run on the test images."""

    def run(self) -> int:
        run = self.finished_run()
        data = self.read_data(run.recipe)
        if data.sha256 != run.sha256:
            raise UsageError(f"{run.directory} was trained on other data; give its --data-dir")
        from mnist_graph.classifier import Classifier
        from mnist_graph.evaluation import evaluate
        from mnist_graph.shown import select

        # As it was judged when it was trained, where the machine can.
        with Classifier(run, self.options.device, run.recipe.precision) as classifier:
            probabilities = classifier.predict(data.test.pixels)
        labels, guesses = data.test.sparse_labels, probabilities.argmax(axis=1)
        print_report(evaluate(probabilities, labels))
        mistakes = int((labels != guesses).sum())
        if mistakes:
            self._draw(run, select(data.test.pixels, labels, guesses, mistakes))
        return 0

    def show_result(self, run: "Run") -> None:
        """The accuracy is said with the rest."""
        self.tell(f"kept in {run.directory}")

    def _draw(self, run: "Run", mistakes: "Shown") -> None:
        from PIL import Image

        from mnist_graph.panels.montage import columns_for, montage

        path = run.directory / "mistakes.png"
        shape = mistakes.pixels.shape[1:]
        columns = columns_for(mistakes.mistakes, shape, SHEET_ASPECT)
        sheet = Image.fromarray(montage(mistakes, columns, SHEET_ZOOM))
        write_output(path, lambda written: sheet.save(written, "PNG"))
        self.tell(f"all {mistakes.mistakes:,} mistakes drawn in {path}")


def print_report(report: "Report") -> None:
    """Prints accuracy, confusion matrix, precision, recall and calibration error."""
    print(f"Accuracy on test set: {report.accuracy:.6g}")
    print(f"Expected calibration error: {report.calibration_error:.4f}")
    print("Each digit (rows), and what it was taken for (columns):")
    classes = [str(label) for label in range(len(report.confusion))]
    rows = [
        (label, *(f"{count:,}" if count else "." for count in counts), _share(recall))
        for label, counts, recall in zip(classes, report.confusion, report.recall, strict=True)
    ]
    last = ("precision", *map(_share, report.precision), "")
    print_table([("", *classes, "recall"), *rows, last], right=True)


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.4f}"
