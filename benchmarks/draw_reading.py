"""Draw the pictures of docs/reading.md: docs/reading.png and docs/page.jpg.

Run `python -m benchmarks.draw_reading` after `python main.py --model cnn-fast`.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pages import make_page
from mnist_graph import Classifier, Reader, read_data_sets
from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.reading.annotate import annotate
from mnist_graph.reading.confidence import MIN_PROBABILITY
from mnist_graph.reading.picture import read_grey
from mnist_graph.reading.prepare import prepare

ROOT = Path(__file__).parent.parent
TEST_IMAGE = ROOT / "test_img.png"
PAGE_SEED = 5
"""Seed of the example page: which digits are on it, and what it looks like."""
PANEL_SIDE = 252
"""Width and height of a panel in docs/reading.png, in pixels: nine per pixel of MNIST."""
MARGIN = 30
"""Pixels around the panels; a panel's title has a margin of its own above it."""
HEIGHT = PANEL_SIDE + 3 * MARGIN
TEXT_COLOUR, BAR_COLOUR, FAINT_COLOUR = "#222222", "#2f6fb7", "#999999"


def main() -> None:
    with Reader.shipped() as reader:
        _draw_page(reader)
    with Classifier.from_model("cnn-fast") as classifier:
        _draw_digit(classifier)


def _draw_page(reader: Reader) -> None:
    """Draw docs/page.jpg: a page of test digits next to the same page annotated."""
    data = read_data_sets().test
    rng = np.random.default_rng(PAGE_SEED)
    chosen = rng.integers(0, data.num_examples, 20)
    page = make_page(data.pixels[chosen], data.sparse_labels[chosen], rng, height=60).picture
    annotated = annotate(page, reader.read(page), MIN_PROBABILITY)
    figure = Image.new("RGB", (2 * page.width + 10, page.height), "white")
    figure.paste(page, (0, 0))
    figure.paste(annotated, (page.width + 10, 0))
    figure.save(ROOT / "docs" / "page.jpg", quality=80)


def _draw_digit(classifier: Classifier) -> None:
    """Draw docs/reading.png: a picture, the network's input and its probabilities."""
    prepared = prepare(TEST_IMAGE)
    (digit,) = classifier.read_prepared(prepared)
    given = to_mnist_form(prepared.rows[0].pieces[0].ink, classifier.run.image_shape)
    canvas = Image.new("RGB", (3 * PANEL_SIDE + 4 * MARGIN, HEIGHT), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(16)
    panels = {TEST_IMAGE.name: read_grey(TEST_IMAGE), "network input": given}
    for number, (title, pixels) in enumerate(panels.items()):
        left = MARGIN + number * (PANEL_SIDE + MARGIN)
        enlarged = Image.fromarray(pixels).resize(
            (PANEL_SIDE, PANEL_SIDE), Image.Resampling.NEAREST
        )
        canvas.paste(enlarged, (left, 2 * MARGIN))
        frame = [left, 2 * MARGIN, left + PANEL_SIDE, 2 * MARGIN + PANEL_SIDE]
        draw.rectangle(frame, outline=FAINT_COLOUR)
        draw.text((left, MARGIN), title, fill=TEXT_COLOUR, font=font)
    left = MARGIN + 2 * (PANEL_SIDE + MARGIN)
    title = f"Prediction for test image: {digit.label}"
    draw.text((left, MARGIN), title, fill=TEXT_COLOUR, font=font)
    _draw_bars(draw, font, left, digit.probabilities)
    canvas.save(ROOT / "docs" / "reading.png", optimize=True)


def _draw_bars(
    draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, left: int, probabilities: np.ndarray
) -> None:
    """Draw a horizontal bar for the probability of each class, class 0 at the top."""
    step = PANEL_SIDE / len(probabilities)
    for label, probability in enumerate(probabilities):
        top = 2 * MARGIN + label * step
        draw.text((left, top + 2), str(label), fill=TEXT_COLOUR, font=font)
        length = (PANEL_SIDE - 90) * float(probability)  # 90 pixels for the label and the figure
        draw.rectangle([left + 20, top + 4, left + 21 + length, top + step - 4], fill=BAR_COLOUR)
        figure = f"{probability:.4f}"
        draw.text((left + 28 + length, top + 2), figure, fill=FAINT_COLOUR, font=font)


if __name__ == "__main__":
    main()
