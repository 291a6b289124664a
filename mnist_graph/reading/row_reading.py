"""Reading with a network for strips, whatever computes it."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from mnist_graph.data.arguments import wrong_type
from mnist_graph.data.strips.size import COLUMN_WIDTH
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.decode import Decoded, decode
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.locate import fit_to_pieces, leave_bare, locate
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.pieces import Piece, is_framed
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.reading.second_opinion import SecondOpinion, ask_again, is_doubtful
from mnist_graph.reading.strips import VIEWS, Strip, make_views
from mnist_graph.reading.whole import WholePicture
from mnist_graph.runs.strip_network import StripNetwork

PREFER_WHOLE = 0.1
"""A whole picture is read as one strip unless its rows are read with a probability, in the
geometric mean of their digits, that is higher by this. Of nine values between 0 and 1 the best on
the development strings, forms and drawn digits of validation images."""
SURE = 0.8
"""A strip is read in one view if all of its digits have this probability in it, else in all views.
Of 155 development strings 132 are then read right, and 50 of 60 validation forms; at 0.95, 131 and
50 with a quarter more work for the network, at 0.6, 132 and 49 with a seventh less."""
HOPELESS = 0.5
"""A row none of whose digits reaches this probability is left out, unless there is no other: ruling
or a shadow, mostly."""


class _Row(NamedTuple):
    """The digits of a row."""

    boxes: list[Box]
    """In pixels of the picture."""
    probabilities: list[np.ndarray]
    """float32 [10] each."""


class RowReading(StripNetwork):
    """Reading with a network for strips."""

    second_opinion: SecondOpinion | None = None
    """What is asked about doubtful digits that stand alone; None for nothing."""

    def read(self, picture: Picture) -> list[Digit]:
        """Return the digits in a picture in reading order: rows from the top, each from left to
        right. Empty if there is none. Takes, and raises, the same as `Classifier.read`.

        The probabilities of a digit sum to 1 less the probability that it is none.
        """
        return self.read_prepared(prepare(picture))

    def read_prepared(self, prepared: Prepared | WholePicture) -> list[Digit]:
        """Return the digits in a picture that `prepare` has prepared."""
        if not isinstance(prepared, Prepared):
            raise wrong_type("prepared", "what prepare returns", prepared)
        strips, decoded = self._read_strips(prepared)
        texts = iter(decoded)
        is_whole = bool(strips) and strips[0][0] is prepared.whole
        pieces = [[]] if is_whole else [row.pieces for row in prepared.rows]
        rows = [
            _place(row, list(islice(texts, len(row))), prepared.size, own)
            for row, own in zip(strips, pieces, strict=True)
        ]
        rows = _without_hopeless([row for row in rows if row.boxes])
        # In a picture of one row, a part that stands alone is often not a whole digit: without the
        # second opinion 132 of the 155 development strings are read right, with it 125.
        if not is_whole or [len(row.boxes) for row in rows] == [1]:
            rows = self._ask_again(rows, prepared)
        return [
            make_digit(number, column, box, probabilities)
            for number, row in enumerate(rows)
            for column, (box, probabilities) in enumerate(zip(*row, strict=True))
        ]

    def _ask_again(self, rows: list[_Row], prepared: Prepared) -> list[_Row]:
        """Return the rows with the second opinion on their doubtful digits."""
        probabilities = [each for row in rows for each in row.probabilities]
        # Checked first: the rows of a picture that was read whole have yet to be found.
        if self.second_opinion is None or not any(map(is_doubtful, probabilities)):
            return rows
        boxes = [box for row in rows for box in row.boxes]
        pieces = [piece for row in prepared.rows for piece in row.pieces]
        weighed = iter(ask_again(boxes, probabilities, pieces, self.second_opinion))
        return [row._replace(probabilities=list(islice(weighed, len(row.boxes)))) for row in rows]

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
        of_rows = self._decode(
            [strip for row in rows for strip in row],
            [_unframed_boxes(strip, row.pieces) for row in prepared.rows for strip in row.strips],
        )
        if whole is not None and enough >= _probability(of_rows):
            return [[whole]], decoded
        return rows, of_rows

    def _decode(
        self, strips: Sequence[Strip], pieces: Sequence[Sequence[Box]] | None = None
    ) -> list[Decoded]:
        """Return the digits in each strip: those of all views where the first leaves doubt.

        `pieces` are the boxes of what may be single digits in each strip, in pixels of the picture.
        One that is left without a digit is expected to have one.
        """
        columns = self.predict_strips([strip.pixels for strip in strips])
        decoded = [decode(view) for view in columns]
        pieces = pieces or [[] for _ in strips]
        unsure = [
            number
            for number, each in enumerate(decoded)
            if _least(each) < SURE or leave_bare(_middles(strips[number], each), pieces[number])
        ]
        views = [view for number in unsure for view in make_views(strips[number])]
        others = iter(self.predict_strips(views))
        for number in unsure:
            seen = columns[number], *islice(others, VIEWS)
            decoded[number] = decode(*seen)
            if leave_bare(_middles(strips[number], decoded[number]), pieces[number]):
                decoded[number] = decode(*seen, expected=len(pieces[number]))
        return decoded


def _least(decoded: Decoded) -> float:
    """Return the probability of the least probable digit; 0 without digits."""
    return float(decoded.probabilities.max(axis=1).min(initial=1)) if decoded.labels else 0.0


def _probability(decoded: Sequence[Decoded]) -> float:
    """Return the geometric mean of the digits' probabilities; 0 if there are no digits."""
    likely = [row.max() for each in decoded for row in each.probabilities]
    return float(np.exp(np.mean(np.log(np.maximum(likely, 1e-6))))) if likely else 0.0


def _unframed_boxes(strip: Strip, pieces: Sequence[Piece]) -> list[Box]:
    """Return the boxes of those `pieces` of a row that are in a strip; none if any is framed."""
    mine = [piece for piece in pieces if strip.has(piece.box)]
    return [] if any(is_framed(piece.ink) for piece in mine) else [piece.box for piece in mine]


def _middles(strip: Strip, decoded: Decoded) -> list[float]:
    """Return where the network sees the digits, in pixels from the picture's left side."""
    return strip.across((decoded.columns + 0.5) * COLUMN_WIDTH).tolist()


def _place(
    strips: Sequence[Strip],
    decoded: Sequence[Decoded],
    size: tuple[int, int],
    pieces: Sequence[Piece],
) -> _Row:
    """Return the digits of a row, read in these strips of a picture of this width and height."""
    boxes, middles = [], []
    for strip, digits in zip(strips, decoded, strict=True):
        boxes += [strip.to_picture(box, size) for box in locate(strip.pixels, digits.columns)]
        middles += _middles(strip, digits)
    probabilities = [each for digits in decoded for each in digits.probabilities]
    return _Row(fit_to_pieces(boxes, middles, pieces), probabilities)


def _without_hopeless(rows: list[_Row]) -> list[_Row]:
    """Return the rows with a digit that is not hopeless; all rows if there are none."""
    kept = [row for row in rows if max(each.max() for each in row.probabilities) >= HOPELESS]
    return kept or rows
