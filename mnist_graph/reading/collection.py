"""A folder of labelled digits: one picture each, and a sheet to check them by eye.

<folder>/7/0008.png     the eighth digit, a 7: 28x28 pixels, white on black
<folder>/sheet.png      all of them in their order, with label and number
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnist_graph.reading.annotate import UNSURE
from mnist_graph.reading.collect import Collected
from mnist_graph.runs.files import cannot_write, write_whole
from mnist_graph.runs.find import create_numbered

FOLDER = Path("collected")
"""Where collections are saved: in the current folder, numbered."""
SHEET = "sheet.png"
ZOOM = 3
"""Pixels of the sheet per pixel of a digit."""
MARGIN, TEXT = 6, 15
"""The space around a digit, and the height of a line of text, in pixels of the sheet."""
NUMBER_COLOUR = "#808080"


def save_collection(digits: Sequence[Collected], columns: int, parent: Path = FOLDER) -> Path:
    """Write the digits to a new numbered folder in `parent`, with a sheet of this many columns.
    Returns the folder.

    Raises MnistGraphError if it cannot be written; nothing is left then.
    """
    try:
        folder = create_numbered(parent)
    except OSError as error:
        raise cannot_write(parent, error) from error
    try:
        for number, digit in enumerate(digits, start=1):
            path = folder / str(digit.label) / name(number)
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(digit.pixels).save(path)
        sheet = draw_sheet(digits, columns)
        write_whole(folder / SHEET, lambda written: sheet.save(written, "PNG"))
        return folder
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from error
        raise


def name(number: int) -> str:
    """Return the name of the picture of digit `number`, counted from 1."""
    return f"{number:04}.png"


def draw_sheet(digits: Sequence[Collected], columns: int) -> Image.Image:
    """Draw the digits in rows of this many columns, dark on white, with the label and the number of
    each below; one that the network reads as another digit is framed, and says as which.
    """
    side = digits[0].pixels.shape[0] * ZOOM
    width, height = side + 2 * MARGIN, side + 2 * MARGIN + 2 * TEXT
    rows = -(-len(digits) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT - 2)
    for index, digit in enumerate(digits):
        left, top = index % columns * width + MARGIN, index // columns * height + MARGIN
        large = Image.fromarray(digit.pixels).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(ImageOps.invert(large), (left, top))
        below, right = top + side + 1, left + side
        draw.text((left, below), str(digit.label), fill="black", font=font)
        draw.text((right, below), f"{index + 1:04}", fill=NUMBER_COLOUR, font=font, anchor="ra")
        if digit.read != digit.label:
            frame = (left - 4, top - 4, right + 3, below + 2 * TEXT + 2)
            draw.rectangle(frame, outline=UNSURE, width=2)
            draw.text((left, below + TEXT), f"read as {digit.read}", fill=UNSURE, font=font)
    return sheet
