"""Ruled lines are removed, and what is written across them stays."""

import cv2
import numpy as np
import pytest
from pages import write_digits

from mnist_graph.reading.ruling import remove_ruling

WIDTH = 600
X = np.arange(WIDTH)
LINE, PEN = 0.12, 0.6
"""The contrast of a ruled line and of a pen."""


def ruled_line(number):
    """Return the row of a line, which slopes down slightly, in each column."""
    return 20 + 30 * number + 0.02 * X


def draw(mask, x, y):
    """Draw a curve two pixels wide."""
    rows = np.rint(y).astype(int)
    mask[rows, x] = mask[rows + 1, x] = True


@pytest.fixture
def lines():
    """Twelve ruled lines: bool [400, 600]."""
    mask = np.zeros((400, WIDTH), bool)
    for number in range(12):
        draw(mask, X, ruled_line(number))
    return mask


def remove(contrast):
    """Return the ink that is left without ruling, on paper that is slightly grainy."""
    grain = abs(np.random.default_rng(0).normal(0, 0.004, contrast.shape))
    contrast = (contrast + grain).astype(np.float32)
    mask = (contrast > 0.05).astype(np.uint8)
    return remove_ruling(contrast, mask, mask) > 0


def test_a_line_is_removed_though_a_stroke_leaves_it_at_a_small_angle(lines):
    stroke = np.zeros_like(lines)
    draw(stroke, X[200:], ruled_line(5)[200:] + 0.04 * (X[200:] - 200))
    near_lines = cv2.dilate(lines.astype(np.uint8), np.ones((9, 1), np.uint8)) > 0
    left = remove(LINE * (lines | stroke))
    assert not (left & lines).any()
    assert (stroke & ~near_lines).sum() > 500
    assert left[stroke & ~near_lines].all()


def test_a_line_is_removed_though_most_of_it_is_written_over(lines):
    """The distances of the other lines say where it is."""
    ink = np.zeros_like(lines)
    row = round(ruled_line(5)[WIDTH // 2])
    for left in (20, 300):
        ink[row - 14 : row + 16, left : left + 240] = True
    left = remove(np.where(ink, PEN, LINE * lines))
    assert not (left & lines & ~ink).any()
    assert left[ink].all()


@pytest.mark.parametrize("strength", [0.08, 0.1, 0.2, 0.9])
def test_a_row_of_digits_is_not_a_ruled_line(digits, strength):
    ink, _ = write_digits(digits, [[7] * 11], spacing=12, height=32)
    contrast = strength * cv2.GaussianBlur(ink, (0, 0), 1.0)
    mask = (contrast > 0.15 * strength).astype(np.uint8)
    assert np.array_equal(remove_ruling(contrast, mask, mask), mask)
