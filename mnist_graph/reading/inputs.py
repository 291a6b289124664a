"""What a network is given for a picture, made as the reader makes it: for exported networks, which
run elsewhere. Needs neither TensorFlow nor a run.
"""

import numpy as np

from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import prepare


def normalise(picture: Picture, image_shape: tuple[int, int] = (28, 28)) -> np.ndarray:
    """Return the digit in a picture in MNIST's form: uint8 [height, width], bright on 0.

    Takes, and raises, the same as `Classifier.read`; also raises MnistGraphError unless exactly one
    digit is found.
    """
    pieces = [piece for row in prepare(picture).rows for piece in row.pieces]
    if len(pieces) != 1:
        found = f"{len(pieces)} digits" if pieces else "no digit"
        raise MnistGraphError(f"the picture has {found}; normalise takes a picture of one")
    return to_mnist_form(pieces[0].ink, image_shape)


def find_strips(picture: Picture) -> list[np.ndarray]:
    """Return the rows of a picture as strips, uint8 [32, width], bright on 0, from the top. Empty
    if there are none. Takes, and raises, the same as `Classifier.read`.

    A small picture that may be a single row is one strip.
    """
    prepared = prepare(picture)
    if prepared.whole is not None:
        return [prepared.whole.pixels]
    return [strip.pixels for row in prepared.rows for strip in row.strips]
