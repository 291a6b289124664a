"""The images on which two runs disagree, on one sheet."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_graph.experiments.compare import Comparison
from mnist_graph.panels.montage import choose_columns, draw_montage
from mnist_graph.runs.digit_samples import DigitSample
from mnist_graph.runs.files import write_output

ASPECT = 1.4
"""Width by height of the whole sheet, about."""
ZOOM = 3
"""Pixels of the sheet per pixel of a digit."""
TITLE_SIZE, MARGIN = 16, 8
"""Height of a title and the space around it, in pixels."""


def draw_sheet(comparison: Comparison, path: Path) -> None:
    """Draw the images on which two runs disagree into the PNG file `path`: those that only the one
    classifies correctly, those that only the other does, and those that both misclassify, each in
    its own way. Each has its label in the lower left corner, and in the lower right one the wrong
    prediction, or both of them in the order of the runs.

    Raises MnistGraphError if the file cannot be written.
    """
    parts = [part for part in _parts(comparison) if part[1].evaluated]
    shape = comparison.pixels.shape[1:]
    most = sum(sample.evaluated for _, sample in parts)
    columns = choose_columns(most, shape, ASPECT)
    width = max(columns * shape[1] * ZOOM, *(_title_width(title) for title, _ in parts))
    names = comparison.runs[0].class_names
    strips: list[np.ndarray] = []
    for title, sample in parts:
        montage = draw_montage(sample, columns, ZOOM, names)
        margin = ((0, MARGIN), (0, width - montage.shape[1]), (0, 0))
        strips += [_draw_title(title, width), np.pad(montage, margin, constant_values=255)]
    sheet = Image.fromarray(np.concatenate(strips))
    write_output(path, lambda written: sheet.save(written, "PNG"))


def _parts(comparison: Comparison) -> list[tuple[str, DigitSample]]:
    """Return the title and the images of each part of the sheet."""
    labels, (one, other) = comparison.labels, comparison.predictions
    first, second = (str(run.directory) for run in comparison.runs)
    is_row = labels.ndim == 2  # a row of digits, too wide for two predictions
    both = one if is_row else np.stack([one, other], axis=1)
    of_both = f"those of {first}" if is_row else f"those of {first} and {second}"
    parts = (
        (f"Only {first} is right", comparison.only_one, labels, other),
        (f"Only {second} is right", comparison.only_other, labels, one),
        (
            f"Both are wrong, in different ways (predictions: {of_both})",
            comparison.both_wrong,
            labels if is_row else labels[:, np.newaxis],
            both,
        ),
    )
    return [
        (
            f"{title}: {int(chosen.sum()):,}",
            DigitSample(
                comparison.pixels[chosen],
                labels[chosen],
                predictions[chosen],
                int(chosen.sum()),
                int(chosen.sum()),
            ),
        )
        for title, chosen, labels, predictions in parts
    ]


def _title_width(title: str) -> int:
    return int(ImageFont.load_default(TITLE_SIZE).getlength(title)) + 2 * MARGIN


def _draw_title(title: str, width: int) -> np.ndarray:
    """Return a line of text, uint8 RGB [height, width, 3]."""
    line = Image.new("RGB", (width, TITLE_SIZE + 2 * MARGIN), "white")
    font = ImageFont.load_default(TITLE_SIZE)
    ImageDraw.Draw(line).text((MARGIN, MARGIN), title, fill="black", font=font)
    return np.asarray(line)
