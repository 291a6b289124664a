"""Draw the picture of docs/your-own-hand.md: a page of known digits, and the sheet that --collect
makes of it.

Run `python -m benchmarks.draw_sheet`. The digits are one person's, of MNIST's training digits; one
label is wrong on purpose.
"""

import numpy as np
from PIL import Image

from benchmarks.own_hand import Corpus
from benchmarks.pages import make_page
from benchmarks.reproduce import ROOT
from mnist_graph import Reader
from mnist_graph.reading.collect import collect_digits, parse_labels
from mnist_graph.reading.collection import draw_sheet
from mnist_graph.reading.prepare import prepare

PAGE_SEED, HEIGHT = 9, 60
"""What the page looks like, and the height of a digit on it in pixels."""
LABELS = "0123456789 0123456189 0123456789"
"""The 7 of the second row is labelled 1."""


def main() -> None:
    corpus = Corpus()
    train, writer = corpus.data.train, corpus.held_out[0]
    mine = corpus.digits(writer)[: len(LABELS.replace(" ", ""))]
    rounds = mine.reshape(-1, 10)  # each has all ten digits
    rows = np.concatenate([each[np.argsort(train.sparse_labels[each])] for each in rounds])
    rng = np.random.default_rng(PAGE_SEED)
    page = make_page(train.pixels[rows], train.sparse_labels[rows], rng, height=HEIGHT)
    with Reader.shipped() as reader:
        digits = collect_digits([("the page", prepare(page.picture))], parse_labels(LABELS), reader)
    sheet = draw_sheet(digits, columns=10)
    width = round(page.picture.width * sheet.height / page.picture.height)
    picture = Image.new("RGB", (width + 10 + sheet.width, sheet.height), "white")
    picture.paste(page.picture.resize((width, sheet.height)), (0, 0))
    picture.paste(sheet, (width + 10, 0))
    picture.save(ROOT / "docs" / "own-sheet.png", optimize=True)


if __name__ == "__main__":
    main()
