"""Draws docs/reading.png: a picture, what the network is given of it, what it says.

By `python -m benchmarks.draw_reading`, after `python main.py --model cnn-fast`.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_graph import Classifier
from mnist_graph.handwriting.picture import read_grey

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "test_img.png"
SIDE, MARGIN, HEIGHT = 252, 30, 342
INK, BAR, FAINT = "#222222", "#2f6fb7", "#999999"


def main() -> None:
    with Classifier.from_model("cnn-fast") as classifier:
        digit = classifier.read(PICTURE)[0]
    canvas = Image.new("RGB", (3 * SIDE + 4 * MARGIN, HEIGHT), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(16)
    panels = {
        PICTURE.name: read_grey(PICTURE),
        "what the network is given": normalise(read_ink(PICTURE)),
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
