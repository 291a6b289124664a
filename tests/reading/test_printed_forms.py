"""The printed boxes and combs of forms are not digits of a network that reads single digits.

Where digits touch the print, a network that reads rows tells the two apart.
"""

import itertools

import cv2
import numpy as np
import pytest
from pages import (
    add_noise,
    assert_pieces,
    find_pieces,
    paint,
    scaled_ink,
    write_digits,
)
from PIL import Image

from benchmarks.forms import make_form
from mnist_graph.reading.prepare import prepare

PITCH = 80
"""The distance between two places of a form in pixels."""
FORMS = pytest.mark.parametrize("kind", ["comb", "ladder", "boxes"])


def frame_digits(picture, written, separate, grey):
    """Return the picture with printed frames around the digits; `separate` ones share no sides."""
    page = np.asarray(picture).copy()
    for _, row in itertools.groupby(written, key=lambda digit: digit.row):
        boxes = [digit.box for digit in row]
        top, bottom = round(boxes[0][1]) - 18, round(boxes[0][3]) + 16
        middles = [(one[2] + next_one[0]) / 2 for one, next_one in itertools.pairwise(boxes)]
        sides = [boxes[0][0] - 18, *middles, boxes[-1][2] + 18]
        margin = 4 if separate else 0
        for left, right in itertools.pairwise(np.rint(sides).astype(int).tolist()):
            cv2.rectangle(page, (left + margin, top), (right - margin, bottom), grey, 2)
    return Image.fromarray(page)


@pytest.mark.parametrize("grey", [30, 140])
@pytest.mark.parametrize("separate", [True, False], ids=["separate frames", "shared sides"])
def test_frames_around_digits_are_not_digits(digits, separate, grey):
    ink, written = write_digits(digits, spacing=56)
    picture = frame_digits(paint(ink), written, separate, grey)
    assert_pieces(add_noise(picture, 2, 90), written)


def print_form(page, kind, top, bottom):
    """Return `page`, uint8 [h, w], with a printed form of seven places.

    A comb is a line with short upright ones on it, a ladder has a second line above.
    """
    page = page.copy()
    for left in range(50, 50 + 7 * PITCH, PITCH):
        if kind == "boxes":
            cv2.rectangle(page, (left + 6, top), (left + PITCH - 6, bottom), 90, 2)
            continue
        cv2.line(page, (left, bottom - 34 if kind == "comb" else top), (left, bottom), 90, 2)
        cv2.line(page, (left, bottom), (left + PITCH, bottom), 90, 2)
        if kind == "ladder":
            cv2.line(page, (left, top), (left + PITCH, top), 90, 2)
    return page


@FORMS
def test_the_digits_in_a_form_are_found(digits, kind):
    labels = [3, 6, 5, 9, 2, 0, 8]
    ink = np.zeros((260, 660), np.float32)
    for column, label in enumerate(labels):
        digit = scaled_ink(digits[label][0], 48)
        left = 50 + column * PITCH + (PITCH - digit.shape[1]) // 2
        ink[100:148, left : left + digit.shape[1]] = digit
    form = Image.fromarray(print_form(np.asarray(paint(ink)), kind, 80, 162))
    found = find_pieces(add_noise(form, 2, 90))
    assert [digit.column for digit in found] == list(range(len(labels)))
    assert all(30 < digit.box.height < 62 and digit.box.width < PITCH - 8 for digit in found)


@pytest.mark.parametrize("seed", [4, 13, 16, 48, 49])
def test_a_photographed_form_is_one_strip_with_all_its_digits(mnist, seed):
    # Some digits touch the print; of some combs the teeth remain without the line below.
    rng = np.random.default_rng((2027, seed, 1_000_000))
    chosen = rng.integers(0, mnist.validation.num_examples, int(rng.integers(4, 11)))
    pixels, labels = mnist.validation.pixels[chosen], mnist.validation.sparse_labels[chosen]
    form = make_form(pixels, labels, rng)
    (row,) = prepare(form.picture).rows
    (strip,) = row.strips
    assert strip.left < min(digit.box[0] for digit in form.digits)
    end = strip.left + strip.pixels.shape[1] / strip.scale
    assert end > max(digit.box[2] for digit in form.digits)


def test_ones_on_a_ruled_line_are_not_a_comb():
    page = np.full((400, 900), 235, np.uint8)
    cv2.line(page, (0, 200), (899, 200), 150, 2)
    for column, height in enumerate((60, 66, 57, 63, 68, 59)):
        cv2.line(page, (100 + 90 * column, 200 - height), (100 + 90 * column, 200), 60, 5)
    assert len(find_pieces(add_noise(Image.fromarray(page), 2, 90))) == 6


def test_angular_digits_are_not_boxes():
    page = np.full((400, 900), 235, np.uint8)
    for left in (80, 180, 280, 380, 480):
        cv2.rectangle(page, (left, 80), (left + 45, 160), 30, 9)
        cv2.line(page, (left, 120), (left + 45, 120), 30, 9)
    assert len(find_pieces(add_noise(Image.fromarray(page), 2, 90))) == 5
