"""The boxes of digits."""

import numpy as np
import pytest

from mnist_graph import Reader
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.locate import fit_to_pieces, leave_bare
from mnist_graph.reading.pieces import Piece

PRINTED = [Box(10, 0, 14, 60), Box(70, 0, 74, 60)]
"""Where two digits were placed: on the sides of printed boxes."""
WRITTEN = [Box(25, 15, 50, 55), Box(85, 15, 110, 55)]


def pieces_in(boxes, framed=False):
    ink = np.zeros((40, 24), np.float32)
    ink[5:35, 10:14] = 1
    if framed:
        ink[:, :2] = ink[:, -2:] = 1
    return [Piece(box, ink) for box in boxes]


@pytest.mark.parametrize(
    ("middles", "pieces", "expected"),
    [
        pytest.param([35, 100], pieces_in(WRITTEN), WRITTEN, id="one on each"),
        pytest.param([23, 100], pieces_in(WRITTEN), WRITTEN, id="just beside it"),
        pytest.param([60, 100], pieces_in(WRITTEN), [PRINTED[0], WRITTEN[1]], id="on none"),
        pytest.param([30, 45], pieces_in(WRITTEN), PRINTED, id="both on one"),
        pytest.param([35, 100], pieces_in(WRITTEN, framed=True), PRINTED, id="framed"),
        pytest.param(
            [35, 100],
            pieces_in([*WRITTEN, Box(30, 15, 40, 55)]),
            [PRINTED[0], WRITTEN[1]],
            id="on two",
        ),
        pytest.param([35, 100], [], PRINTED, id="no pieces"),
    ],
)
def test_a_digit_has_the_box_of_the_piece_that_it_alone_is_on(middles, pieces, expected):
    assert fit_to_pieces(PRINTED, middles, pieces) == expected


@pytest.mark.parametrize(
    ("middles", "bare"),
    [
        pytest.param([35], True, id="one of two"),
        pytest.param([35, 100], False, id="one on each"),
        pytest.param([60], False, id="on none"),
        pytest.param([30, 45], False, id="both on one"),
        pytest.param([], False, id="no digits"),
    ],
)
def test_a_piece_is_bare_if_all_digits_are_on_others(middles, bare):
    assert leave_bare(middles, WRITTEN) is bare
    assert not leave_bare(middles, [])


def test_faint_digits_in_printed_boxes_are_placed_on_the_writing(mnist):
    """The lines are far darker than the writing."""
    labels = mnist.validation.sparse_labels
    form = np.full((400, 700), 240, np.uint8)
    form[150:156, 130:586] = form[314:320, 130:586] = 30
    for left in (130, 280, 430, 580):
        form[190:320, left : left + 6] = 30
    for left, label in zip((130, 280, 430), (3, 7, 2), strict=True):
        image = mnist.validation.pixels[np.flatnonzero(labels == label)[0]]
        area = form[185:269, left + 36 : left + 120]
        area -= (0.35 * image.repeat(3, axis=0).repeat(3, axis=1)).astype(np.uint8)
    with Reader.shipped() as reader:
        digits = reader.read(form)
    assert [digit.label for digit in digits] == [3, 7, 2]
    for left, digit in zip((130, 280, 430), digits, strict=True):
        assert digit.box.left > left + 30
        assert digit.box.right < left + 126
