"""Reading with a network for strips, whatever computes it."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from mnist_graph.data.arguments import require
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.decode import Decoded, decode
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.locate import locate
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.reading.strips import VIEWS, Strip, make_views
from mnist_graph.runs.strip_network import StripNetwork

PREFER_WHOLE = 0.1
"""A whole picture is read as one strip unless its rows are read with a probability, in the
geometric mean of their digits, that is higher by this. Of nine values between 0 and 1 the best on
the development strings, forms and drawn digits of validation images."""
SURE = 0.8
"""A strip is read in one view if all of its digits have this probability in it, else in all views.
Of 155 development strings 132 are then read right, and 50 of 60 validation forms; at 0.95, 131 and
50 with a quarter more work for the network, at 0.6, 132 and 49 with a seventh less."""


class RowReading(StripNetwork):
    """Reading with a network for strips."""

    def read(self, picture: Picture) -> list[Digit]:
        """Return the digits in a picture in reading order: rows from the top, each from left to
        right. Empty if there is none. Takes, and raises, the same as `Classifier.read`.

        The probabilities of a digit sum to 1 less the probability that it is none.
        """
        return self.read_prepared(prepare(picture))

    def read_prepared(self, prepared: Prepared) -> list[Digit]:
        """Return the digits in a picture that `prepare` has prepared."""
        require("prepared", prepared, Prepared, "what prepare returns")
        rows, decoded = self._read_strips(prepared)
        texts = iter(decoded)
        found = [
            [digit for strip in row for digit in _place(strip, next(texts), prepared.size)]
            for row in rows
        ]
        return [
            make_digit(number, column, box, probabilities)
            for number, row in enumerate(row for row in found if row)
            for column, (box, probabilities) in enumerate(row)
        ]

    def _read_strips(self, prepared: Prepared) -> tuple[list[list[Strip]], list[Decoded]]:
        """Return the strips of each row, and the digits in each strip, in this order: the whole
        picture as one strip, or the rows that were found in it if that is more probable.
        """
        whole = prepared.whole
        if whole is not None:
            decoded = self._decode([whole])
            enough = _probability(decoded) + PREFER_WHOLE
            if enough >= 1:
                return [[whole]], decoded
        rows = [row.strips for row in prepared.rows]
        of_rows = self._decode([strip for row in rows for strip in row])
        if whole is not None and enough >= _probability(of_rows):
            return [[whole]], decoded
        return rows, of_rows

    def _decode(self, strips: Sequence[Strip]) -> list[Decoded]:
        """Return the digits in each strip: those of all views where the first leaves doubt."""
        columns = self.predict_strips([strip.pixels for strip in strips])
        decoded = [decode(view) for view in columns]
        unsure = [number for number, each in enumerate(decoded) if _least(each) < SURE]
        views = [view for number in unsure for view in make_views(strips[number])]
        others = iter(self.predict_strips(views))
        for number in unsure:
            decoded[number] = decode(columns[number], *islice(others, VIEWS))
        return decoded


def _least(decoded: Decoded) -> float:
    """Return the probability of the least probable digit; 0 without digits."""
    return float(decoded.probabilities.max(axis=1).min(initial=1)) if decoded.labels else 0.0


def _probability(decoded: Sequence[Decoded]) -> float:
    """Return the geometric mean of the digits' probabilities; 0 if there are no digits."""
    likely = [row.max() for each in decoded for row in each.probabilities]
    return float(np.exp(np.mean(np.log(np.maximum(likely, 1e-6))))) if likely else 0.0


def _place(
    strip: Strip, decoded: Decoded, size: tuple[int, int]
) -> Iterator[tuple[Box, np.ndarray]]:
    """Yield the box in the picture and the probabilities of each digit in a strip."""
    boxes = locate(strip.pixels, decoded.columns)
    for box, probabilities in zip(boxes, decoded.probabilities, strict=True):
        yield strip.to_picture(box, size), probabilities
