"""Reading with a network for images of one digit, whatever computes it."""

import numpy as np

from mnist_graph.data.arguments import require
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.form import to_mnist_form
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.runs.image_network import ImageNetwork


class DigitReading(ImageNetwork):
    """Reading with a network for images of one digit."""

    def read(self, picture: Picture) -> list[Digit]:
        """Return the digits in a picture in reading order: rows from the top, each from left to
        right. Empty if nothing looks like a digit.

        `picture` is the path of a file, the bytes of one, a Pillow image of any mode, or an array:
        [height, width] or [height, width, 1] grey, [height, width, 3] RGB or [height, width, 4]
        RGBA. Its pixels are bools; floats in [0, 1] or 0..255; or integers in 0..255, or 0..65535
        if one is above 255. Digits may be dark on light or light on dark.

        Of a file with several pages only the first is read; an MnistGraphWarning says so. Raises
        MnistGraphError for a picture that cannot be read, has no pixels or over 64 million.
        """
        return self.read_prepared(prepare(picture))

    def read_prepared(self, prepared: Prepared) -> list[Digit]:
        """Return the digits in a picture that `prepare` has prepared."""
        require("prepared", prepared, Prepared, "what prepare returns")
        pieces = [piece for row in prepared.rows for piece in row.pieces]
        if not pieces:
            return []
        images = np.stack([to_mnist_form(piece.ink, self.run.image_shape) for piece in pieces])
        probabilities = iter(self.predict(images))
        rows = [row.pieces for row in prepared.rows if row.pieces]
        return [
            make_digit(number, column, piece.box, next(probabilities))
            for number, row in enumerate(rows)
            for column, piece in enumerate(row)
        ]
