"""A second opinion on doubtful digits that stand alone."""

import numpy as np
import pytest
from helpers import TEST_IMAGE

from mnist_graph.reading import second_opinion
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.pieces import Piece, is_framed
from mnist_graph.reading.second_opinion import SecondOpinion, ask_again

INK = np.zeros((40, 20), np.float32)
INK[5:35, 8:12] = 1


class Sevens:
    """A network that is sure of a 7, whatever it sees."""

    def __init__(self, run):
        self.model, self.asked, self.is_closed = run.recipe.model, 0, False

    def predict(self, images):
        assert images.shape[1:] == (28, 28)
        self.asked += len(images)
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))

    def close(self):
        self.is_closed = True


@pytest.fixture
def opinion():
    opened = SecondOpinion(Sevens)
    yield opened
    opened.close()


def probabilities(one, seven):
    """Return the probabilities of a digit: of `one`, and of `seven`."""
    values = np.zeros(10, np.float32)
    values[1], values[7] = one, seven
    return values


def ask(opinion, own, boxes, pieces):
    return ask_again(boxes, own, [Piece(box, INK) for box in pieces], opinion)


def test_a_doubtful_digit_is_weighed(opinion):
    box = Box(10, 10, 30, 50)
    (weighed,) = ask(opinion, [probabilities(one=0.5, seven=0.3)], [box], [box])
    assert weighed.argmax() == 7
    assert weighed.sum() == pytest.approx(0.8)
    assert weighed.dtype == np.float32


@pytest.mark.parametrize(
    ("own", "boxes", "pieces"),
    [
        pytest.param((0.995, 0.0), [Box(10, 10, 30, 50)], [Box(10, 10, 30, 50)], id="sure"),
        pytest.param((0.5, 0.3), [Box(10, 10, 30, 50)], [Box(60, 10, 80, 50)], id="elsewhere"),
        pytest.param((0.5, 0.3), [Box(10, 10, 30, 50)], [Box(10, 10, 90, 50)], id="much wider"),
        pytest.param((0.5, 0.3), [Box(10, 10, 30, 50)], [], id="no pieces"),
        pytest.param(
            (0.5, 0.3),
            [Box(10, 10, 30, 50), Box(26, 10, 40, 50)],
            [Box(10, 10, 34, 50)],
            id="touches another",
        ),
    ],
)
def test_others_are_left_as_they_are(opinion, own, boxes, pieces):
    one, seven = own
    first = probabilities(one=one, seven=seven)
    rest = [probabilities(one=1.0, seven=0.0)] * (len(boxes) - 1)
    weighed = ask(opinion, [first, *rest], boxes, pieces)
    np.testing.assert_array_equal(weighed[0], first)


def with_lines(*places):
    """Return the ink of a digit in a box of which these sides are there."""
    ink = np.zeros((40, 30), np.float32)
    ink[8:32, 12:16] = 1
    for place in places:
        ink[place] = 1
    return ink


LEFT, RIGHT, TOP, BOTTOM = np.s_[:, :2], np.s_[:, -2:], np.s_[:2], np.s_[-2:]


@pytest.mark.parametrize(
    ("ink", "expected"),
    [
        pytest.param(with_lines(), False, id="a stroke"),
        pytest.param(with_lines(LEFT), True, id="left"),
        pytest.param(with_lines(RIGHT, BOTTOM), True, id="right and bottom"),
        pytest.param(with_lines(TOP), False, id="top, as of a seven"),
        pytest.param(with_lines(TOP, BOTTOM), True, id="top and bottom"),
        pytest.param(np.ones((40, 10), np.float32), False, id="a one"),
    ],
)
def test_a_digit_with_the_sides_of_a_box_is_not_asked_about(opinion, ink, expected):
    box, own = Box(10, 10, 40, 50), probabilities(one=0.5, seven=0.3)
    (weighed,) = ask_again([box], [own], [Piece(box, ink)], opinion)
    assert is_framed(ink) == expected
    assert (weighed.argmax() == 1) == expected


def test_the_network_is_opened_once_and_closed():
    opinion = SecondOpinion(Sevens)
    network = opinion.open()
    assert network.model == "cnn-scan"
    assert opinion.open() is network
    opinion.close()
    assert network.is_closed
    assert opinion.open() is not network


def test_a_page_with_thousands_of_marks_takes_no_time(opinion):
    boxes = [Box(10 * n, 0, 10 * n + 8, 20) for n in range(3000)]
    own = [probabilities(one=0.5, seven=0.3)] * len(boxes)
    assert len(ask(opinion, own, boxes, boxes)) == len(boxes)
    assert opinion.open().asked == len(boxes)


def test_the_reader_asks_about_a_single_digit(monkeypatch):
    from mnist_graph import Reader

    monkeypatch.setattr(second_opinion, "DOUBTFUL", 1.1)
    with Reader.shipped() as reader:
        alone = reader.read(TEST_IMAGE)
        reader.second_opinion = SecondOpinion(Sevens)
        monkeypatch.setattr(second_opinion, "WEIGHT", 0.9)
        (digit,) = reader.read(TEST_IMAGE)
        network = reader.second_opinion.open()
    assert [each.label for each in alone] == [2]
    assert digit.label == 7
    assert network.asked == 1
    assert network.is_closed
