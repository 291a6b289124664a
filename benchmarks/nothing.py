"""Pictures without any digit: blank paper, printed text, tables, photographs."""

from collections.abc import Iterator

import cv2
import matplotlib
import numpy as np
from matplotlib import cbook
from PIL import Image, ImageDraw, ImageFont

TEXT = """The quick brown fox jumps over the lazy dog. In summer
the evenings are long, and whoever can walks along the
river until the lamps are lit. Nobody hurries; the boats
lie still, and somewhere a window is open and a piano is
being played, badly but with joy. When it gets dark the
children are called in, one after the other, by name."""
WORDS = ("Apples", "Bread", "Cheese", "Oil", "Salt", "Sugar", "Tea", "Zest")
SIZE = (900, 600)
"""Width and height in pixels."""


def make_empty_pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Make each picture, uint8 [h, w] or [h, w, 3], with its name. They need scikit-learn."""
    yield from _make_blank_paper()
    for font in ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono-Bold"):
        for points in (22, 40):
            yield f"text, {font} {points}", _print_text(font, points)
    yield "table, empty", _print_table(())
    yield "table with words", _print_table(WORDS)
    from sklearn.datasets import load_sample_images

    samples = load_sample_images()
    for path, picture in zip(samples.filenames, samples.images, strict=True):
        yield f"photo, {path.rpartition('/')[2]}", picture
    for name in ("grace_hopper.jpg", "logo2.png"):
        with cbook.get_sample_data(name) as file, Image.open(file) as picture:
            white = Image.new("RGBA", picture.size, "white")
            white.alpha_composite(picture.convert("RGBA"))
            yield f"picture, {name}", np.asarray(white.convert("RGB"))


def _make_blank_paper() -> Iterator[tuple[str, np.ndarray]]:
    width, height = SIZE
    yield "white", np.full((height, width), 255, np.uint8)
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 4, (height, width))
    yield "paper with grain", np.clip(230 + grain, 0, 255).astype(np.uint8)
    shade = np.linspace(250, 120, width) + cv2.GaussianBlur(grain, (0, 0), 2)
    yield "paper in a shadow", np.clip(shade, 0, 255).astype(np.uint8)
    ruled = np.clip(235 + grain, 0, 255).astype(np.uint8)
    ruled[40::36] = 150
    yield "ruled paper", ruled
    squared = ruled.copy()
    squared[:, 30::36] = 150
    yield "squared paper", squared


def _load_font(name: str, points: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", points)


def _print_text(font: str, points: int) -> np.ndarray:
    page = Image.new("L", (points * 40, points * 14), 245)
    ImageDraw.Draw(page).multiline_text(
        (2 * points, 2 * points), TEXT, fill=25, font=_load_font(font, points), spacing=points // 2
    )
    return np.asarray(page)


def _print_table(words: tuple[str, ...]) -> np.ndarray:
    """Print a table of two columns and eight rows, with words in the first if there are any."""
    page = Image.new("L", SIZE, 250)
    draw, font = ImageDraw.Draw(page), _load_font("DejaVuSans", 26)
    for row in range(9):
        draw.line((60, 60 + 58 * row, 840, 60 + 58 * row), fill=40, width=2)
    for x in (60, 450, 840):
        draw.line((x, 60, x, 60 + 58 * 8), fill=40, width=2)
    for row, word in enumerate(words):
        draw.text((80, 74 + 58 * row), word, fill=30, font=font)
    return np.asarray(page)
