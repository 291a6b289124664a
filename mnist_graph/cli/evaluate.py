"""Evaluate a finished run on the test images."""

import math
from typing import TYPE_CHECKING

from mnist_graph.cli.output import print_table
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.cli.train import finished_run
from mnist_graph.runs.files import write_output

if TYPE_CHECKING:
    from mnist_graph.runs.digit_samples import DigitSample
    from mnist_graph.runs.metrics import ClassificationReport
    from mnist_graph.runs.run import Run

SHEET_ASPECT = 1.4
"""Width by height of the sheet of mistakes."""
SHEET_ZOOM = 3
"""Pixels of the sheet per pixel of a digit."""


def evaluate(request: Request) -> int:
    """Print how well the run classifies, and draw every mistake."""
    run = finished_run(request)
    data = request.read_data(run.recipe)
    run.require_data(data.sha256)
    import_tensorflow()
    from mnist_graph.runs.digit_samples import select_sample
    from mnist_graph.runs.metrics import classification_report
    from mnist_graph.runs.predictor import Predictor

    # In the precision of training, if the machine supports it.
    with Predictor(run, request.options.device, run.recipe.precision) as predictor:
        probabilities = predictor.predict(data.test.pixels)
    labels, predictions = data.test.sparse_labels, probabilities.argmax(axis=1)
    print_report(classification_report(probabilities, labels))
    count = int((labels != predictions).sum())
    if count:
        _draw(request, run, select_sample(data.test.pixels, labels, predictions, count))
    return 0


def print_report(report: "ClassificationReport") -> None:
    """Print accuracy, calibration error, confusion matrix, precision and recall."""
    print(f"Accuracy on test set: {report.accuracy:.6g}")
    print(f"Expected calibration error: {report.calibration_error:.4f}")
    print("Confusion matrix (rows: labels, columns: predictions):")
    classes = [str(label) for label in range(len(report.confusion))]
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
    sheet = Image.fromarray(draw_montage(mistakes, columns, SHEET_ZOOM))
    write_output(path, lambda written: sheet.save(written, "PNG"))
    request.say(f"all {mistakes.mistakes:,} mistakes drawn in {path}")
