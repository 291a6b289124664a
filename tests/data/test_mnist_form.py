"""Digits are normalised as MNIST's were: a box of 20x20, centred by mass in 28x28."""

import cv2
import numpy as np
import pytest
from helpers import enlarged

from mnist_graph.data.mnist_form import to_mnist_form


def centre_of_mass(frame):
    rows, columns = np.indices(frame.shape)
    return [(frame * places).sum() / frame.sum() for places in (rows, columns)]


def ink_size(frame, threshold=1):
    """Return height and width of the ink that is at least `threshold` dark."""
    rows, columns = np.nonzero(frame >= threshold)
    return [int(np.ptp(places)) + 1 for places in (rows, columns)]


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.test.pixels[:200]


def test_enlarged_and_shifted_mnist_digits_come_back_nearly_as_they_were(images):
    differences, aligned = [], []
    for number, image in enumerate(images):
        factor = 3 + number % 5
        picture = enlarged(image, factor, (400, 300), (number % 150, number % 90))
        result = to_mnist_form(picture / np.float32(255)).astype(float)
        shifts = [(rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1)]
        shifted = [abs(np.roll(result, shift, (0, 1)) - image).mean() for shift in shifts]
        aligned.append(min(shifted))
        differences.append(abs(result - image).mean())
    assert max(aligned) < 25, "the boldest digits become a little smaller and thinner"
    assert np.count_nonzero(np.array(aligned) < 14) > 180
    assert np.mean(differences) < 9, "of 255; merely scaled, without centring, it is 32"


@pytest.mark.parametrize("factor", [0.5, 1, 3.3, 12])
def test_the_ink_fills_20_pixels_and_is_centred_by_mass(images, factor):
    for image in images[:40]:
        picture = enlarged(image, factor, (400, 380), (30, 7))
        frame = to_mnist_form(picture / np.float32(255))
        assert (frame.dtype, frame.shape, frame.max()) == (np.uint8, (28, 28), 255)
        assert 19 <= max(ink_size(frame)) <= 20
        for centre in centre_of_mass(frame):
            assert abs(centre - 14) <= 0.5 + 1e-6


def rectangle(height, width, thickness=2):
    """Return the ink of a rectangle's outline, solid if it is thick enough."""
    ink = np.zeros((400, 400), np.float32)
    ink[50 : 50 + height, 80 : 80 + width] = 1
    ink[50 + thickness : 50 + height - thickness, 80 + thickness : 80 + width - thickness] = 0
    return ink


@pytest.mark.parametrize("thickness", [2, 50])
@pytest.mark.parametrize(("height", "width"), [(100, 20), (20, 100), (60, 60), (300, 1), (1, 9)])
def test_proportions_are_kept(height, width, thickness):
    """Broad strokes fill 19 pixels, since half of their edge lies outside of the digit."""
    is_broad = thickness > 2 and min(height, width) > 1
    longest = 19 if is_broad else 20
    expected = [max(1, round(side * longest / max(height, width))) for side in (height, width)]
    assert ink_size(to_mnist_form(rectangle(height, width, thickness)), threshold=128) == expected


@pytest.mark.parametrize("shape", [(28, 28), (56, 56), (28, 14), (40, 30), (5, 5), (1, 1)])
def test_frames_of_other_shapes_have_margins_in_proportion(shape):
    frame = to_mnist_form(rectangle(60, 30, 30), shape)
    height, width = ink_size(frame, threshold=128)
    scale = min(side * 19 / 28 / whole for side, whole in zip(shape, (60, 30), strict=True))
    assert frame.shape == shape
    assert [height, width] == [max(1, round(60 * scale)), max(1, round(30 * scale))]


def stroke_width(frame):
    """Return the mean width of an upright stroke in pixels."""
    return frame.sum() / 255 / np.count_nonzero(frame.max(axis=1) > 128)


def test_a_blurred_stroke_is_sharpened():
    ink = np.zeros((240, 240), np.float32)
    ink[40:200, 110:126] = 1
    assert abs(stroke_width(to_mnist_form(ink)) - 2) < 0.2
    blurred = cv2.GaussianBlur(ink, (0, 0), 14)
    merely_scaled = 20 / 160 * blurred[120].sum() / blurred.max()
    assert stroke_width(to_mnist_form(blurred)) < 0.8 * merely_scaled


def test_a_lopsided_digit_stays_within_the_frame():
    ink = np.zeros((100, 100), np.float32)
    ink[:, :8] = 1
    ink[:4] = 1
    assert ink_size(to_mnist_form(ink), threshold=128) == [20, 20]


def test_faint_stains_are_not_part_of_the_digit():
    ink = np.zeros((200, 200), np.float32)
    ink[80:120, 90:110] = 1
    clean = to_mnist_form(ink)
    ink[3, 3] = 0.15
    np.testing.assert_array_equal(to_mnist_form(ink), clean)
