import cv2
import numpy as np
import pytest
from helpers import enlarged

from mnist_graph.reading.form import normalise


def centre_of_mass(frame):
    rows, columns = np.indices(frame.shape)
    return [(frame * places).sum() / frame.sum() for places in (rows, columns)]


def box(frame, least=1):
    rows, columns = np.nonzero(frame >= least)
    return [int(np.ptp(places)) + 1 for places in (rows, columns)]


@pytest.fixture(scope="module")
def digits(mnist):
    """Real digits, as MNIST's makers left them."""
    return mnist.test.pixels[:200]


def test_digits_drawn_larger_and_off_centre_come_back_near_their_originals(digits):
    differences, least = [], []
    for number, digit in enumerate(digits):
        factor = 3 + number % 5
        picture = enlarged(digit, factor, (400, 300), (number % 150, number % 90))
        again = normalise(picture / np.float32(255)).astype(float)
        shifts = [(rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1)]
        shifted = [abs(np.roll(again, shift, (0, 1)) - digit).mean() for shift in shifts]
        least.append(min(shifted))
        differences.append(abs(again - digit).mean())
    assert max(least) < 25, "the boldest are made a little smaller and finer"
    assert np.count_nonzero(np.array(least) < 14) > 180
    assert np.mean(differences) < 9, "of 255; scaled whole, without centring, it is 32"


@pytest.mark.parametrize("factor", [0.5, 1, 3.3, 12])
def test_the_digit_fills_a_box_of_20_and_its_mass_is_at_the_centre(digits, factor):
    for digit in digits[:40]:
        picture = enlarged(digit, factor, (400, 380), (30, 7))
        frame = normalise(picture / np.float32(255))
        assert (frame.dtype, frame.shape, frame.max()) == (np.uint8, (28, 28), 255)
        assert 19 <= max(box(frame)) <= 20
        for centre in centre_of_mass(frame):
            assert abs(centre - 14) <= 0.5 + 1e-6


def outline(height, width, thickness=2):
    ink = np.zeros((400, 400), np.float32)
    ink[50 : 50 + height, 80 : 80 + width] = 1
    ink[50 + thickness : 50 + height - thickness, 80 + thickness : 80 + width - thickness] = 0
    return ink


@pytest.mark.parametrize("thickness", [2, 50])
@pytest.mark.parametrize(("height", "width"), [(100, 20), (20, 100), (60, 60), (300, 1), (1, 9)])
def test_proportions_are_kept(height, width, thickness):
    expected = []
    broad = thickness > 2 and min(height, width) > 1
    for side in (height, width):
        expected.append(max(1, round(side * (19 if broad else 20) / max(height, width))))
    assert box(normalise(outline(height, width, thickness)), least=128) == expected


@pytest.mark.parametrize("shape", [(28, 28), (56, 56), (28, 14), (40, 30), (5, 5), (1, 1)])
def test_other_frames_are_filled_in_the_same_shares(shape):
    frame = normalise(outline(60, 30, 30), shape)
    height, width = box(frame, least=128)
    scale = min(side * 19 / 28 / whole for side, whole in zip(shape, (60, 30), strict=True))
    assert frame.shape == shape
    assert [height, width] == [max(1, round(60 * scale)), max(1, round(30 * scale))]


def stroke_width(frame):
    return frame.sum() / 255 / np.count_nonzero(frame.max(axis=1) > 128)


def test_a_blurred_stroke_is_made_finer():
    ink = np.zeros((240, 240), np.float32)
    ink[40:200, 110:126] = 1
    assert abs(stroke_width(normalise(ink)) - 2) < 0.2
    soft = cv2.GaussianBlur(ink, (0, 0), 14)
    scaled_only = 20 / 160 * soft[120].sum() / soft.max()
    assert stroke_width(normalise(soft)) < 0.8 * scaled_only


def test_a_digit_whose_mass_lies_far_to_one_side_stays_within_the_frame():
    ink = np.zeros((100, 100), np.float32)
    ink[:, :8] = 1
    ink[:4] = 1
    frame = normalise(ink)
    assert box(frame, least=128) == [20, 20]


def test_light_stains_beside_the_digit_are_not_part_of_its_box():
    ink = np.zeros((200, 200), np.float32)
    ink[80:120, 90:110] = 1
    clean = normalise(ink)
    ink[3, 3] = 0.15
    np.testing.assert_array_equal(normalise(ink), clean)
