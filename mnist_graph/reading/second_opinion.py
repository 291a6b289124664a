"""A second opinion on digits that stand alone, from a network of single digits.

The network that reads rows sees a digit 20 pixels high, among its neighbours. Where it is not sure
of one that touches none, a network of 28x28 images sees that digit alone, centred: `cnn-scan`,
which has learnt what comes out of pictures.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.pieces import Piece, is_framed
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import shipped_scan

DOUBTFUL = 0.99
"""A digit below this probability gets a second opinion,"""
WEIGHT = 0.5
"""which has this weight in the geometric mean of both. Of five DOUBTFUL from 0.9 to 1.1 and four
WEIGHT from 0.4 to 0.7 the best on 1,000 pages of ten of scikit-learn's digits, which no network
here has seen (782 right, 717 without), and on 1,000 of validation digits, which the reader has (947
and 910). `cnn-best` as a third opinion, with a weight of 0.1 to 0.4, reads up to 5 more of the
latter, which it has been trained on, and 6 to 84 fewer of the former."""
SAME = 0.5
"""A digit and a piece are the same if the intersection of their boxes has this share of their
union,"""
APART = 0.1
"""and the piece shares less than this share of its box, or the other's, with any other digit."""
LEAST = 1e-6
"""Probabilities below this count as this: no network is that sure."""


class _Network(Protocol):
    def predict(self, images: np.ndarray) -> np.ndarray: ...

    def close(self) -> None: ...


class SecondOpinion:
    """The network `cnn-scan` in the package, opened by `open_run` when it is first asked. Safe in
    any thread.
    """

    def __init__(self, open_run: Callable[[Run], _Network]) -> None:
        self._open_run = open_run
        self._network: _Network | None = None
        self._lock = threading.Lock()

    @classmethod
    def for_reader(cls, run: Run, open_run: Callable[[Run], _Network]) -> "SecondOpinion | None":
        """Return the second opinion for the network of `run`, which reads rows; None for one that
        was trained on other images than MNIST's.
        """
        return cls(open_run) if run.sha256 == BUNDLED_SHA256 else None

    def open(self) -> _Network:
        """Open the network, unless it is open. Raises MnistGraphError if it is damaged."""
        with self._lock:
            if self._network is None:
                self._network = self._open_run(shipped_scan())
            return self._network

    def ask(self, pieces: Iterable[Piece]) -> np.ndarray:
        """Return the probabilities of each class for every piece, float32 [n, 10]."""
        images = [to_mnist_form(piece.ink) for piece in pieces]
        if not images:
            return np.zeros((0, 10), np.float32)
        return self.open().predict(np.stack(images))

    def close(self) -> None:
        """Close the network. It is opened again when it is asked again."""
        with self._lock:
            if self._network is not None:
                self._network.close()
            self._network = None


def is_doubtful(probabilities: np.ndarray) -> bool:
    """Return whether a digit with these probabilities, float32 [10], gets a second opinion."""
    return bool(probabilities.max() < DOUBTFUL)


def ask_again(
    boxes: Sequence[Box],
    probabilities: Sequence[np.ndarray],
    pieces: Sequence[Piece],
    opinion: SecondOpinion,
) -> list[np.ndarray]:
    """Return the `probabilities` of digits, float32 [10] each, with the second `opinion` on
    doubtful ones that stand alone. Each still has the same sum.

    `boxes` are those of the digits, and `pieces` what may be single digits, in the same pixels.
    """
    if not pieces:
        return list(probabilities)
    digits, places = np.array(boxes), np.array([piece.box for piece in pieces])
    asked = {
        number: pieces[alone]
        for number, own in enumerate(probabilities)
        if is_doubtful(own)
        and (alone := find_alone(number, digits, places)) is not None
        and not is_framed(pieces[alone].ink)
    }
    weighed = list(probabilities)
    for number, other in zip(asked, opinion.ask(asked.values()), strict=True):
        weighed[number] = _weigh(probabilities[number], other)
    return weighed


def find_alone(number: int, digits: np.ndarray, pieces: np.ndarray) -> int | None:
    """Return the index of the piece that is digit `number`, and no other digit's; None if there is
    none. `digits` and `pieces` are boxes, int [n, 4] and [m, 4].
    """
    shared = _shared(digits[number], pieces)
    share = shared / (_area(digits[number]) + _area(pieces) - shared)
    best = int(share.argmax())
    if share[best] < SAME:
        return None
    others = np.delete(digits, number, axis=0)
    smaller = np.minimum(_area(pieces[best]), _area(others))
    return best if (_shared(pieces[best], others) <= APART * smaller).all() else None


def _shared(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area that a box, [4], shares with each of the others, [n, 4]."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return np.maximum(sides, 0).prod(axis=1)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)


def _weigh(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the probabilities of a digit, float32 [10], in both opinions. They have
    the sum of `own`.
    """
    one, two = (np.log(np.maximum(each, LEAST)) for each in (own, other))
    mean = np.exp((1 - WEIGHT) * one + WEIGHT * two)
    return (mean * (own.sum() / mean.sum())).astype(np.float32)
