"""Reading with a network for images of one digit, or for whole pictures, whatever computes it."""

import numpy as np

from mnist_graph.data.arguments import require
from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.errors import UsageError
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.reading.whole import WholePicture, prepare_whole
from mnist_graph.runs.image_network import ImageNetwork


class DigitReading(ImageNetwork):
    """Reading with a network for images of one digit; or for whole pictures, if it was trained on
    pictures in colour or on classes with names (`run.reads_whole`).
    """

    def read(self, picture: Picture) -> list[Digit]:
        """Return the digits in a picture in reading order: rows from the top, each from left to
        right. Empty if nothing looks like a digit. Of a whole picture, return what it shows: one
        `Digit` with its `name`.

        `picture` is the path of a file, the bytes of one, a Pillow image of any mode, or an array:
        [height, width] or [height, width, 1] grey, [height, width, 3] RGB or [height, width, 4]
        RGBA. Its pixels are bools; floats in [0, 1] or 0..255; or integers in 0..255, or 0..65535
        if one is above 255. Digits may be dark on light or light on dark.

        Of a file with several pages only the first is read; an MnistGraphWarning says so. Raises
        MnistGraphError for a picture that cannot be read, has no pixels or over 64 million.
        """
        if self.run.reads_whole:
            return self.read_prepared(prepare_whole(picture, self.run.image_shape))
        return self.read_prepared(prepare(picture))

    def read_prepared(self, prepared: Prepared | WholePicture) -> list[Digit]:
        """Return the digits in a picture that `prepare` has prepared, or what a whole picture shows
        that `prepare_whole` has.
        """
        if isinstance(prepared, WholePicture):
            (probabilities,) = self.predict(prepared.pixels[np.newaxis])
            return [make_digit(0, 0, prepared.box, probabilities, self.run.class_names)]
        require("prepared", prepared, Prepared, "what prepare returns")
        if self.run.reads_whole:
            raise UsageError(
                "this network reads whole pictures: give it what prepare_whole returns"
            )
        pieces = [piece for row in prepared.rows for piece in row.pieces]
        if not pieces:
            return []
        height, width = self.run.image_shape
        images = np.stack([to_mnist_form(piece.ink, (height, width)) for piece in pieces])
        probabilities = iter(self.predict(images))
        rows = [row.pieces for row in prepared.rows if row.pieces]
        return [
            make_digit(number, column, piece.box, next(probabilities))
            for number, row in enumerate(rows)
            for column, piece in enumerate(row)
        ]
