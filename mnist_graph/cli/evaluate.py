"""Evaluate a finished run on the test images."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnist_graph.cli.messages import printable
from mnist_graph.cli.output import print_table
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.train import finished_run
from mnist_graph.runs.files import write_output

if TYPE_CHECKING:
    from mnist_graph.data.datasets import DataSets
    from mnist_graph.runs.digit_samples import DigitSample
    from mnist_graph.runs.metrics import ClassificationReport
    from mnist_graph.runs.run import Run
    from mnist_graph.runs.strip_metrics import StripReport

SHEET_ASPECT = 1.4
"""Width by height of the sheet of mistakes."""
SHEET_ZOOM = 3
"""Pixels of the sheet per pixel of a digit."""


def evaluate(request: Request) -> int:
    """Print how well the run predicts, and draw every mistake."""
    run = finished_run(request)
    data = request.read_data(run.recipe)
    run.require_data(data.sha256)
    import_tensorflow()
    mistakes = _evaluate_strips if run.recipe.reads_strips else _evaluate_images
    sample = mistakes(request, run, data)
    if sample.mistakes:
        _draw(request, run, sample)
    return 0


def _evaluate_images(request: Request, run: "Run", data: "DataSets") -> "DigitSample":
    """Print the report of a network of images; return the misclassified ones."""
    from mnist_graph.runs.digit_samples import select_mistakes
    from mnist_graph.runs.metrics import classification_report
    from mnist_graph.runs.predictor import Predictor

    # In the precision of training, if the machine supports it.
    with Predictor(run, request.options.device, run.recipe.precision) as predictor:
        probabilities = predictor.predict(data.test.pixels)
    labels = data.test.sparse_labels
    print_report(classification_report(probabilities, labels), run.names)
    return select_mistakes(data.test.pixels, labels, probabilities.argmax(axis=1))


def _evaluate_strips(request: Request, run: "Run", data: "DataSets") -> "DigitSample":
    """Print the report of a network of strips; return the strips that it reads wrongly."""
    from mnist_graph.data.batches import test_examples
    from mnist_graph.runs.digit_samples import as_lists, select_mistakes
    from mnist_graph.runs.strip_metrics import strip_report
    from mnist_graph.runs.strip_predictor import StripPredictor

    pixels, labels = test_examples(data, reads_strips=True)
    with StripPredictor(run, request.options.device, run.recipe.precision) as predictor:
        predictions = predictor.predict_digits(pixels)
    print_strip_report(strip_report(as_lists(labels), as_lists(predictions), run.classes))
    return select_mistakes(pixels, labels, predictions)


def print_strip_report(report: "StripReport") -> None:
    """Print the share of strips read whole and right, the character error rate, and how digits were
    read.
    """
    print(f"Accuracy on test set: {report.accuracy:.6g}")
    print(f"Character error rate: {report.character_error_rate:.4f}")
    print("Digits as they were read (rows: labels, columns: predictions):")
    classes = [str(label) for label in range(len(report.aligned) - 1)]
    rows = [
        (name, *(f"{count:,}" if count else "." for count in counts))
        for name, counts in zip([*classes, "inserted"], report.aligned, strict=True)
    ]
    print_table([("", *classes, "missed"), *rows], align_right=True)


def print_report(report: "ClassificationReport", names: Sequence[str]) -> None:
    """Print accuracy, calibration error, confusion matrix, precision and recall; `names` are those
    of the classes.
    """
    print(f"Accuracy on test set: {report.accuracy:.6g}")
    print(f"Expected calibration error: {report.calibration_error:.4f}")
    print("Confusion matrix (rows: labels, columns: predictions):")
    classes = [printable(name) for name in names]
    rows = [
        (label, *(f"{count:,}" if count else "." for count in counts), _format(recall))
        for label, counts, recall in zip(classes, report.confusion, report.recall, strict=True)
    ]
    last = ("precision", *map(_format, report.precision), "")
    print_table([("", *classes, "recall"), *rows, last], align_right=True)


def _format(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.4f}"


def _draw(request: Request, run: "Run", mistakes: "DigitSample") -> None:
    """Draw all mistakes into mistakes.png of the run."""
    from PIL import Image

    from mnist_graph.panels.montage import choose_columns, draw_montage

    path = run.directory / "mistakes.png"
    columns = choose_columns(mistakes.mistakes, mistakes.pixels.shape[1:], SHEET_ASPECT)
    sheet = Image.fromarray(draw_montage(mistakes, columns, SHEET_ZOOM, run.class_names))
    write_output(path, lambda written: sheet.save(written, "PNG"))
    request.say(f"all {mistakes.mistakes:,} mistakes drawn in {path}")
