"""What was read, drawn on the picture."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mnist_graph.reading.digit import Digit
from mnist_graph.reading.picture import Picture, read_upright
from mnist_graph.runs.files import cannot_write, write_whole

SURE, UNSURE = "#0a7d33", "#c81e1e"


def annotate(picture: Image.Image, digits: Sequence[Digit], min_probability: float) -> Image.Image:
    """Return a copy of the upright `picture` with a box around each digit and, above it, the
    prediction and its probability; red with a question mark below `min_probability`.
    """
    drawn = picture.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    for digit in digits:
        box = digit.box
        sure = digit.is_sure(min_probability)
        colour = SURE if sure else UNSURE
        font = ImageFont.load_default(max(9, box.height // 4))
        draw.rectangle(box, outline=colour, width=max(1, box.height // 40))
        text = f"{digit.name}{'' if sure else '?'} {digit.probability:.2f}"
        _, _, width, height = draw.textbbox((0, 0), text, font=font)
        left, top = box.left, max(0, box.top - height - 3)
        # On a ground of its own it is read on paper of any shade.
        draw.rectangle((left, top, left + width + 3, top + height + 3), fill=colour)
        draw.text((left + 2, top + 1), text, fill="white", font=font)
    return drawn


def save_annotated(
    picture: Picture,
    digits: Sequence[Digit],
    min_probability: float,
    folder: str | Path,
    stem: str,
) -> Path:
    """Write `annotate` of the upright `picture` to a new file STEM-read.png, or STEM-read-2.png
    and so on, in `folder`, which is created if it is missing. Safe against concurrent callers.
    Returns the path.

    Raises MnistGraphError if the picture cannot be read any more, or the drawing cannot be
    written; nothing is then left of it.
    """
    drawn = annotate(read_upright(picture), digits, min_probability)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = _create_new(Path(folder), f"{stem}-read")
        try:
            write_whole(path, lambda written: drawn.save(written, "PNG"))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    except OSError as error:
        raise cannot_write(Path(folder), error) from error


def _create_new(folder: Path, stem: str) -> Path:
    """Create an empty file, which reserves its name: STEM.png, or STEM-2.png and so on."""
    number = 1
    while True:
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}.png"
        try:
            path.open("xb").close()
            return path
        except FileExistsError:
            number += 1
