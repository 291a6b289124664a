"""Draw forty of the strips that train the recipe `reader`: python -m benchmarks.draw_strips"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mnist_graph import read_data_sets
from mnist_graph.data.strips.form import HEIGHT
from mnist_graph.data.strips.maker import training_strips

PICTURE = Path("docs/strips.png")
ROWS, COLUMNS = 10, 4
WIDTH = 192
"""Of a strip at most, in pixels."""
CAPTION = 12
"""The height of the line under a strip that says what is written on it, in pixels."""
MARGIN = 6
"""Between two strips, in pixels."""
ENLARGED = 2
SEED = 1


def main() -> None:
    maker = training_strips(read_data_sets(validation_size=0), SEED)
    cell = (WIDTH + MARGIN) * ENLARGED, (HEIGHT + MARGIN) * ENLARGED + CAPTION
    sheet = Image.new("L", (COLUMNS * cell[0], ROWS * cell[1]), 255)
    draw = ImageDraw.Draw(sheet)
    for number in range(ROWS * COLUMNS):
        pixels, digits = maker.strip((number,), WIDTH - MARGIN)
        strip = Image.fromarray(255 - pixels[:, :WIDTH])
        corner = (number % COLUMNS) * cell[0], (number // COLUMNS) * cell[1]
        size = (strip.width * ENLARGED, strip.height * ENLARGED)
        sheet.paste(strip.resize(size, Image.Resampling.BICUBIC), corner)
        text = "".join(map(str, digits)) or "(nothing)"
        draw.text((corner[0], corner[1] + HEIGHT * ENLARGED), text, 0)
    colours = Image.fromarray(np.asarray(sheet) // 16 * 17)  # sixteen greys make a smaller file
    colours.save(PICTURE, optimize=True)
    print(f"saved {PICTURE}")


if __name__ == "__main__":
    main()
