"""Everything about reading a picture that needs no network, and no TensorFlow."""

from typing import NamedTuple

from mnist_graph.reading.page import load_ink
from mnist_graph.reading.paper import Ink
from mnist_graph.reading.picture import Picture


class Prepared(NamedTuple):
    """A picture that is ready for a network: see `Classifier.read_prepared`."""

    ink: Ink


def prepare(picture: Picture, name: str | None = None) -> Prepared:
    """Find what is written in a picture. `name` is what errors call it (default: its path).

    Safe in any thread. Takes, and raises, the same as `read_grey`.
    """
    return Prepared(load_ink(picture, name))
