"""Digits are found on pages of all kinds: photographed, ruled, shaded, soiled."""

import cv2
import numpy as np
import pytest
from helpers import given_to_the_network
from pages import (
    ROWS,
    add_noise,
    assert_found,
    find_digits,
    paint,
    rotate,
    row_lengths,
    scaled_ink,
    write_digits,
)
from PIL import Image
from sklearn.datasets import load_digits

from mnist_graph import Digit

ROW_LENGTHS = [len(row) for row in ROWS]


def lines(shape, pitch, vertical=False):
    """Return a mask of ruled lines, 1 on a line; with `vertical`, squared paper."""
    mask = np.zeros(shape, np.float32)
    mask[pitch // 2 :: pitch] = 1
    mask[pitch // 2 + 1 :: pitch] = 1
    if vertical:
        mask[:, pitch // 3 :: pitch] = 1
    return mask


def light_from_the_left(shape):
    return np.linspace(255, 120, shape[1], dtype=np.float32)[np.newaxis]


def sharp_shadow(shape):
    y, x = np.indices(shape)
    return np.where(x + 0.7 * y > 420, 130.0, 235.0)


def thin(ink):
    return cv2.erode(ink, np.ones((3, 3), np.uint8))


def thick(ink):
    return cv2.dilate(ink, np.ones((7, 7), np.uint8))


PAGES = {
    "plain": paint,
    "light on dark": lambda ink: paint(ink, 30, 230),
    "uneven light": lambda ink: paint(ink, light_from_the_left(ink.shape), 30),
    "sharp shadow": lambda ink: paint(ink, sharp_shadow(ink.shape), 20),
    "noise and JPEG": lambda ink: add_noise(paint(ink)),
    "pencil": lambda ink: add_noise(paint(ink, 225, 150), 3),
    "thin ballpoint": lambda ink: add_noise(paint(thin(ink), 235, 60), 3),
    "thick marker": lambda ink: paint(thick(ink)),
    "ruled": lambda ink: add_noise(paint(ink, 235 - 50 * lines(ink.shape, 80)), 2),
    "squared": lambda ink: add_noise(paint(ink, 235 - 40 * lines(ink.shape, 36, True)), 2),
    "very small": lambda ink: paint(ink).resize((280, 225), Image.Resampling.LANCZOS),
    "very large": lambda ink: paint(ink).resize((5600, 4500), Image.Resampling.BICUBIC),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_digit_is_found_in_its_row_and_column(digits, name):
    ink, written = write_digits(digits)
    picture = PAGES[name](ink)
    factor = picture.width / ink.shape[1]
    scaled = [d._replace(box=tuple(side * factor for side in d.box)) for d in written]
    assert_found(picture, scaled, tolerance=8 * max(factor, 1))


def test_a_zero_in_broad_strokes_is_not_taken_for_light_ink():
    # In what is blurred, the levels of the paper are not all the same.
    zero = 255 - np.pad(load_digits().images[55], 2) * (255 / 16)
    blurred = Image.fromarray(zero.astype(np.uint8)).resize((240, 240), Image.Resampling.BICUBIC)
    assert len(find_digits(blurred)) == 1


def test_boxes_are_in_pixels_of_the_picture(digits):
    ink, written = write_digits(digits)
    assert_found(paint(ink), written)


@pytest.mark.parametrize("slope", [-0.08, -0.03, 0.05, 0.1])
def test_sloping_rows_are_kept_apart(digits, slope):
    ink, _ = write_digits(digits, line_height=120, slope=max(slope, 0))
    if slope < 0:
        shear = np.array([[1, 0, 0], [slope, 1, 45]], np.float32)
        ink = cv2.warpAffine(ink, shear, ink.shape[::-1])
    assert row_lengths(find_digits(paint(ink))) == ROW_LENGTHS


def test_rows_of_a_rotated_page_are_kept_apart(digits):
    ink, _ = write_digits(digits)
    assert row_lengths(find_digits(rotate(paint(ink), 3))) == ROW_LENGTHS


@pytest.mark.parametrize("table", ["smooth", "wood"])
def test_the_table_around_a_sheet_has_no_digits(digits, table):
    ink, written = write_digits(digits)
    sheet = np.asarray(paint(ink))
    height, width = sheet.shape
    scene = np.full((height + 160, width + 200), 70.0)
    if table == "wood":
        noise = np.random.default_rng(1).normal(0, 1, (1, width + 200))
        grain = cv2.GaussianBlur(noise, (0, 0), 2)
        scene += 60 * grain / abs(grain).max()
    scene[80 : 80 + height, 100 : 100 + width] = sheet
    moved = [d._replace(box=tuple(np.add(d.box, (100, 80, 100, 80)).tolist())) for d in written]
    assert_found(add_noise(Image.fromarray(scene.astype(np.uint8)), 2, 85), moved)


def test_what_the_edge_of_the_picture_cuts_off_is_not_a_digit(digits):
    ink, written = write_digits(digits)
    bottom, left = ink.copy(), ink.copy()
    for x in range(20, 540, 37):  # the grain of a table as light as the paper
        bottom[-40:, x : x + 9] = 0.8
    left[20:300, :7] = 0.9
    for page in (bottom, left):
        assert_found(paint(page), written)


def test_digits_in_a_tight_crop_are_found(digits):
    """The edge cuts all of them off."""
    row = [np.pad(scaled_ink(digits[label][0]), ((0, 0), (0, 30))) for label in (1, 7, 4)]
    assert len(find_digits(paint(np.hstack(row)))) == 3


def with_soft_shadow(page, depth, reach, width, noise):
    """Return a photo of `page` with a shadow below a slanting line, and dark corners.

    `depth` is the share of the light that the shadow takes, `reach` where it begins at the left
    and `width` that of its edge, in pixels.
    """
    y, x = np.indices((page.height, page.width))
    shadow = depth / (1 + np.exp(np.clip((reach - y - 0.45 * x) / width, -30, 30)))
    distance = np.hypot(y / page.height - 0.5, x / page.width - 0.5)
    photo = np.asarray(page) * (1 - shadow) * (1 - 0.25 * distance**2)
    return add_noise(Image.fromarray(photo.astype(np.uint8)), noise, 90)


def test_noise_in_a_shadow_is_not_ink(digits):
    ink, written = write_digits(digits)
    assert_found(with_soft_shadow(paint(ink, 235, 170), 0.7, 440, 30, 12), written)


def test_the_lit_part_of_a_page_is_not_a_sheet_of_its_own(digits):
    ink, written = write_digits(digits)
    assert_found(with_soft_shadow(paint(ink, 230, 150), 0.45, 360, 5, 2), written)


def test_specks_strokes_and_a_signature_are_not_digits(digits):
    ink, written = write_digits(digits, line_height=110)
    page = np.pad(ink, ((0, 160), (0, 200)))
    for x, y in ((500, 60), (30, 200), (600, 300), (700, 420)):
        cv2.circle(page, (x, y), 3, 1.0, -1)
    cv2.line(page, (40, 480), (500, 482), 1.0, 3)  # a stroke under all rows
    x = np.arange(260)
    y = 540 + 22 * np.sin(x / 9) * np.cos(x / 31) - x / 12
    cv2.polylines(page, [np.stack([420 + x, y], 1).astype(np.int32)], False, 1.0, 4)
    assert_found(paint(page), written)


def test_the_pieces_of_a_broken_digit_are_one_digit(digits):
    five, four = np.zeros((2, 120, 100), np.float32)
    cv2.line(five, (35, 25), (70, 25), 1.0, 6)  # the bar, not touching the rest
    cv2.ellipse(five, (45, 75), (22, 24), 0, -120, 140, 1.0, 6)
    cv2.polylines(four, [np.array([[30, 20], [22, 65], [62, 65]])], False, 1.0, 6)
    cv2.line(four, (72, 20), (70, 100), 1.0, 6)
    ink, _ = write_digits(digits, [[1, 2], [3, 8]], height=80)
    for digit in (five, four):
        page = np.hstack([ink, np.pad(digit, ((50, len(ink) - 170), (0, 0)))])
        assert len(find_digits(paint(page))) == 5
        assert len(find_digits(paint(np.pad(digit, 60)))) == 1


@pytest.mark.parametrize("factor", [2, 7, 10])
@pytest.mark.parametrize("margin", [0, 4])
def test_enlarging_an_image_by_repeating_pixels_changes_little(digits, factor, margin):
    """`margin` is what is cut off at each side."""
    image = digits[5][0][margin : 28 - margin, margin : 28 - margin]
    large = Image.fromarray(255 - np.kron(image, np.ones((factor, factor), np.uint8)))
    (expected,) = given_to_the_network(Image.fromarray(255 - image))
    (given,) = given_to_the_network(large)
    assert abs(expected.astype(int) - given).mean() < 8
    (digit,) = find_digits(large)
    rows, columns = np.nonzero(image > 128)
    assert abs(digit.box.top - rows.min() * factor) <= 1.5 * factor
    assert abs(digit.box.right - (columns.max() + 1) * factor) <= 1.5 * factor


def test_a_digit_has_a_place_a_label_and_probabilities(digits):
    ink, _ = write_digits(digits, [[7]])
    (digit,) = find_digits(paint(ink))
    assert isinstance(digit, Digit)
    assert (digit.row, digit.column, digit.label) == (0, 0, 0)
    assert digit.probability == pytest.approx(0.9, abs=0.02)
    assert digit.probabilities.shape == (10,)
    assert digit.box.width > 0 < digit.box.height
