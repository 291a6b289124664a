"""Rows become strips, and what is found in a strip is found in the picture."""

from dataclasses import replace

import numpy as np
import pytest
from pages import (
    BlobReader,
    empty_columns,
    find_digits,
    paint,
    rotate,
    row_lengths,
    scaled_ink,
    write_digits,
)
from PIL import Image

from mnist_graph import MnistGraphError
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.prepare import prepare, prepare_grey
from mnist_graph.reading.strips import MAX_WIDTH, VIEWS


def ink_rows(strip):
    """Return the first and the last row of a strip that has ink."""
    rows = np.flatnonzero((strip.pixels > 128).any(axis=1))
    return rows[0], rows[-1]


@pytest.mark.parametrize("height", [20, 60, 200])
@pytest.mark.parametrize("slope", [0.0, 0.08])
def test_a_row_of_any_size_and_slope_fills_two_thirds_of_its_strip(digits, height, slope):
    ink, _ = write_digits(digits, [[3, 1, 4, 8]], 40, 110, slope)
    page = paint(ink)
    factor = height / 60
    size = (round(page.width * factor), round(page.height * factor))
    page = page.resize(size, Image.Resampling.BICUBIC)
    (row,) = prepare(page).rows
    (strip,) = row.strips
    first, last = ink_rows(strip)
    assert 17 <= last - first + 1 <= 25
    assert abs((first + last) / 2 - 15.5) <= 2


def test_a_row_that_wanders_is_straightened(digits):
    ink = np.zeros((300, 1500), np.float32)
    for column in range(24):
        digit = scaled_ink(digits[column % 10][column % 3], 40)
        top = 120 + round(50 * np.sin(column / 5))
        ink[top : top + 40, 30 + 60 * column : 30 + 60 * column + digit.shape[1]] = digit
    (row,) = prepare(paint(ink)).rows
    (strip,) = row.strips
    first, last = ink_rows(strip)
    assert last - first < 30


def test_ink_is_bright_whatever_the_picture(digits):
    ink, _ = write_digits(digits, [[3, 1, 4]])
    dark, light = (
        prepare(paint(ink, *shades)).rows[0].strips[0] for shades in ((235, 40), (30, 230))
    )
    assert dark.pixels.mean() < 80
    assert np.abs(dark.pixels.astype(int) - light.pixels).mean() < 6


def test_large_gaps_divide_a_row_into_strips_but_it_stays_one_row(digits):
    ink, _ = write_digits(digits, [[3, 1]])
    wide = np.hstack([ink, np.zeros((len(ink), 400), np.float32), ink])
    (row,) = prepare(paint(wide)).rows
    assert len(row.strips) == 2
    found = find_digits(paint(wide))
    assert [digit.column for digit in found] == [0, 1, 2, 3]
    assert found[2].box.left > 700


def test_a_very_long_row_is_divided(digits):
    line = np.hstack([np.pad(scaled_ink(digits[4][0], 40), ((60, 60), (5, 5)))] * 150)
    prepared = prepare(paint(line))
    assert prepared.whole is None
    (row,) = prepared.rows
    assert len(row.strips) > 1
    assert all(strip.pixels.shape[1] <= MAX_WIDTH for strip in row.strips)
    assert len(find_digits(paint(line))) == 150


def test_a_box_of_a_strip_is_mapped_back(digits):
    ink, written = write_digits(digits, [[3, 1, 4]])
    (row,) = prepare(paint(ink)).rows
    (strip,) = row.strips
    columns = np.flatnonzero((strip.pixels > 128).any(axis=0))
    first, last = ink_rows(strip)
    box = strip.to_picture(Box(columns[0], first, columns[-1] + 1, last + 1), (560, 230))
    assert abs(np.subtract(box, (*written[0].box[:2], *written[-1].box[2:]))).max() <= 6


def test_a_picture_that_is_a_strip_is_given_whole(digits):
    ink, _ = write_digits(digits, [[3, 1, 4]])
    strip = paint(ink[40:120, 40:280])
    whole = prepare(strip).whole
    assert whole.pixels.shape == (32, round(240 * 32 / 80))
    assert prepare(paint(np.pad(ink, 300))).whole is None


class WholeOrRows(BlobReader):
    """Is as sure of a picture's rows as `rows`, and of the whole picture as `whole`."""

    def __init__(self, whole, rows):
        self.sure = whole, rows
        self.seen = []

    def predict_strips(self, strips):
        predicted = [empty_columns(strip) for strip in strips]
        for strip, columns in zip(strips, predicted, strict=True):
            label = int(np.count_nonzero((strip > 128).any(axis=1)) > 15)  # higher in its row
            columns[2] = (1 - self.sure[label]) / 10
            columns[2, label] = self.sure[label]
            self.seen.append(label)
        return predicted


@pytest.mark.parametrize(("whole", "rows", "read"), [(0.9, 0.5, 0), (0.7, 0.9, 1), (0.85, 0.9, 0)])
def test_the_whole_picture_is_read_unless_its_rows_are_clearly_surer(digits, whole, rows, read):
    ink = np.pad(scaled_ink(digits[3][0]), 60)
    (digit,) = WholeOrRows(whole, rows).read(paint(ink))
    assert digit.label == read


@pytest.mark.parametrize(("sure", "seen"), [(0.93, [0]), (0.75, [0] * (1 + VIEWS) + [1])])
def test_other_views_are_read_only_in_doubt(digits, sure, seen):
    reader = WholeOrRows(sure, 1.0)
    reader.read(paint(np.pad(scaled_ink(digits[3][0]), 60)))
    assert reader.seen == seen


def test_rows_are_looked_for_only_in_doubt(digits):
    prepared = prepare(paint(np.pad(scaled_ink(digits[3][0]), 60)))

    def find_rows():
        raise AssertionError("looked for rows")

    prepared = replace(prepared, find_rows=find_rows)
    assert len(WholeOrRows(0.92, 1.0).read_prepared(prepared)) == 1
    with pytest.raises(AssertionError, match="looked for rows"):
        WholeOrRows(0.5, 0.9).read_prepared(prepared)


def test_rows_that_the_network_finds_empty_do_not_count(digits):
    ink, _ = write_digits(digits, [[3, 1, 4], [1, 5], [9, 2]], line_height=200)

    class BlindToTheFirst(BlobReader):
        def predict_strips(self, strips):
            first = 1 if len(strips) == 3 else VIEWS  # then the other views of the first
            predicted = super().predict_strips(strips)
            return [*map(empty_columns, strips[:first]), *predicted[first:]]

    found = BlindToTheFirst().read(paint(ink))
    assert {digit.row for digit in found} == {0, 1}


def test_rows_of_a_rotated_page_are_straight(digits):
    ink, _ = write_digits(digits)
    assert row_lengths(find_digits(rotate(paint(ink), -4))) == [3, 4, 2]


def test_only_what_prepare_returns_can_be_read():
    with pytest.raises(MnistGraphError, match="prepared must be what prepare returns"):
        BlobReader().read_prepared("page.png")


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (3, 5000), (400, 300)])
def test_an_empty_picture_has_no_strip(size):
    prepared = prepare_grey(np.full(size, 200, np.uint8))
    assert prepared.rows == []
    assert prepared.whole is None


def test_a_photo_of_12_megapixels_keeps_its_pixels_for_the_strips(digits):
    """Its digits are 22 pixels high, and 9 at working size."""
    ink, _ = write_digits(digits, [[3, 1, 4, 1, 5, 9]], 20, 60, 0.0, 22)
    page = np.full((3000, 4000), 235, np.uint8)
    page[1000 : 1000 + len(ink), 2000 : 2000 + ink.shape[1]] = np.asarray(paint(ink))
    found = find_digits(Image.fromarray(page))
    assert len(found) == 6
    assert all(abs(digit.box.height - 22) <= 4 for digit in found)
