"""A second opinion on digits that stand alone, from two networks of single digits.

The network that reads rows sees a digit 20 pixels high, among its neighbours. Where it is not sure
of one that touches none, networks of 28x28 images see that digit alone, centred: `cnn-best`, which
has learnt MNIST's own images, and `cnn-scan`, which has learnt what comes out of pictures.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.data.mnist_form import to_mnist_form
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.pieces import Piece
from mnist_graph.runs.run import Run
from mnist_graph.runs.shipped import shipped_classifiers

DOUBTFUL = 0.99
"""A digit below this probability gets a second opinion,"""
WEIGHT = 0.6
"""which has this weight in the geometric mean of both. Of five DOUBTFUL from 0.95 to 1.1 and seven
WEIGHT from 0.3 to 1 in the middle of the best, 0.5 to 0.7, on 1,000 pages of ten validation digits
(966 right, 915 without). Only `cnn-scan` has not been trained on these: alone, at the same weight,
it gives 961."""
SAME = 0.5
"""A digit and a piece are the same if the intersection of their boxes has this share of their
union,"""
APART = 0.1
"""and the piece shares less than this share of its box, or the other's, with any other digit."""
SIDE = 0.15
"""A piece is framed if a line runs within this share of its width, or height, from its side,"""
LINE, OTHER_LINE = 0.95, 0.85
"""along this share of the side; at the top or bottom only if one runs along the second share of the
opposite side too, as a seven and a two have a line at one of them. With 29 framed digits left out
of 300 forms, 244 are read right, else 238; on 400 pages 384 either way."""
NARROW = 0.4
"""A narrower piece, as a share of its height, is a single stroke."""
FAINT = 0.25
"""Ink of a line, as a share of full ink."""
LEAST = 1e-6
"""Probabilities below this count as this: no network is that sure."""


class _Network(Protocol):
    def predict(self, images: np.ndarray) -> np.ndarray: ...

    def close(self) -> None: ...


class SecondOpinion:
    """The networks of single digits in the package, opened by `open_run` when they are first asked.
    Safe in any thread.
    """

    def __init__(self, open_run: Callable[[Run], _Network]) -> None:
        self._open_run = open_run
        self._networks: list[_Network] = []
        self._lock = threading.Lock()

    @classmethod
    def for_reader(cls, run: Run, open_run: Callable[[Run], _Network]) -> "SecondOpinion | None":
        """Return the second opinion for the network of `run`, which reads rows; None for one that
        was trained on other images than MNIST's.
        """
        return cls(open_run) if run.sha256 == BUNDLED_SHA256 else None

    def open(self) -> list[_Network]:
        """Open the networks, unless they are open. Raises MnistGraphError if one is damaged."""
        with self._lock:
            if not self._networks:
                self._networks = [self._open_run(run) for run in shipped_classifiers()]
            return self._networks

    def ask(self, pieces: Iterable[Piece]) -> np.ndarray:
        """Return the probabilities of each class for every piece, float32 [n, 10]: the geometric
        mean of the networks' probabilities.
        """
        images = [to_mnist_form(piece.ink) for piece in pieces]
        if not images:
            return np.zeros((0, 10), np.float32)
        found = [network.predict(np.stack(images)) for network in self.open()]
        mean = np.exp(np.mean(np.log(np.maximum(found, LEAST)), axis=0))
        return np.asarray(mean / mean.sum(axis=1, keepdims=True), np.float32)

    def close(self) -> None:
        """Close the networks. They are opened again when they are asked again."""
        with self._lock:
            for network in self._networks:
                network.close()
            self._networks = []


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


def is_framed(ink: np.ndarray) -> bool:
    """Return whether `ink`, float32 [h, w] in [0, 1], has lines along its sides: those of the box
    of a form, which hide the digit from a network of single digits.
    """
    inked = ink > FAINT
    if inked.shape[1] < NARROW * inked.shape[0]:
        return False
    (top, bottom), (left, right) = (_longest_lines(inked.mean(axis=axis)) for axis in (1, 0))
    is_between = max(top, bottom) >= LINE and min(top, bottom) >= OTHER_LINE
    return max(left, right) >= LINE or is_between


def _longest_lines(shares: np.ndarray) -> tuple[float, float]:
    """Return the largest of the `shares`, float [n], near the start and near the end."""
    reach = max(1, round(SIDE * len(shares)))
    return float(shares[:reach].max()), float(shares[-reach:].max())


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
