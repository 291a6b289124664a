"""Draws the README's pictures: docs/reading.png and docs/page.jpg.

By `python -m benchmarks.draw_reading`, after `python main.py --model cnn-fast`.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pages import make_page
from mnist_graph import Classifier, read_data_sets
from mnist_graph.flags import MIN_PROBABILITY
from mnist_graph.handwriting.annotate import annotate
from mnist_graph.handwriting.page import read_digits, read_ink
from mnist_graph.handwriting.picture import read_grey

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "test_img.png"
SEED = 5
SIDE, MARGIN, HEIGHT = 252, 30, 342
INK, BAR, FAINT = "#222222", "#2f6fb7", "#999999"


def main() -> None:
    with Classifier.from_model("cnn-fast") as reader:
        _draw_digit(reader)
        _draw_page(reader)


def _draw_page(reader: Classifier) -> None:
    """docs/page.jpg: a page of test digits, and what is read on it."""
    data = read_data_sets().test
    random = np.random.default_rng(SEED)
    chosen = random.integers(0, data.num_examples, 20)
    page = make_page(data.pixels[chosen], data.sparse_labels[chosen], random, height=60).picture
    read = annotate(page, reader.read(page), MIN_PROBABILITY)
    both = Image.new("RGB", (2 * page.width + 10, page.height), "white")
    both.paste(page, (0, 0))
    both.paste(read, (page.width + 10, 0))
    both.save(ROOT / "docs" / "page.jpg", quality=80)


def _draw_digit(reader: Classifier) -> None:
    """docs/reading.png: a picture, what the network is given of it, what it says."""
    given = []

    def judge(images: np.ndarray) -> np.ndarray:
        given.append(images)
        return reader.predict(images)

    (digit,) = read_digits(read_ink(PICTURE), reader.run.image_shape, judge)
    canvas = Image.new("RGB", (3 * SIDE + 4 * MARGIN, HEIGHT), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(16)
    panels = {
        PICTURE.name: read_grey(PICTURE),
        "what the network is given": given[-1][0],
    }
    for number, (title, pixels) in enumerate(panels.items()):
        left = MARGIN + number * (SIDE + MARGIN)
        enlarged = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        canvas.paste(enlarged, (left, 2 * MARGIN))
        draw.rectangle([left, 2 * MARGIN, left + SIDE, 2 * MARGIN + SIDE], outline=FAINT)
        draw.text((left, MARGIN), title, fill=INK, font=font)
    left = MARGIN + 2 * (SIDE + MARGIN)
    draw.text((left, MARGIN), f"Prediction for test image: {digit.label}", fill=INK, font=font)
    _draw_bars(draw, font, left, digit.probabilities)
    canvas.save(ROOT / "docs" / "reading.png", optimize=True)


def _draw_bars(
    draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, left: int, probabilities: np.ndarray
) -> None:
    """A bar for each class, from the top down."""
    step = SIDE / len(probabilities)
    for label, probability in enumerate(probabilities):
        top = 2 * MARGIN + label * step
        draw.text((left, top + 2), str(label), fill=INK, font=font)
        length = (SIDE - 90) * float(probability)
        draw.rectangle([left + 20, top + 4, left + 21 + length, top + step - 4], fill=BAR)
        draw.text((left + 28 + length, top + 2), f"{probability:.4f}", fill=FAINT, font=font)


if __name__ == "__main__":
    main()
