"""What benchmarks/reading.py computes from the texts that were read."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT

from benchmarks import machine
from benchmarks.picture_sets import make_sets
from benchmarks.readers import Row, Setting, prepare
from benchmarks.readers.rapidocr import group_rows
from benchmarks.reading_report import NOTHING, STRINGS, format_report
from benchmarks.scores import (
    compare_thresholds,
    edit_distance,
    find_correct,
    keep_digits,
    wilson_interval,
)


def rows_of(*texts):
    return [Row(text, (0.5,) * len(text)) for text in texts]


@pytest.mark.parametrize(
    ("text", "mapped", "dropped"),
    [
        ("oODQ", "0000", ""),
        ("l I|i", "1111", ""),
        ("Zz", "22", ""),
        ("sS", "55", ""),
        ("b6B8", "6688", "68"),
        ("qg", "99", ""),
        ("1.250,00-", "125000", "125000"),
        ("e²x", "", ""),
    ],
)
def test_letters_that_stand_for_digits_are_mapped(text, mapped, dropped):
    assert keep_digits(rows_of(text), map_letters=True).text == mapped
    assert keep_digits(rows_of(text), map_letters=False).text == dropped


def test_rows_without_digits_are_left_out_and_confidences_stay_with_their_digits():
    rows = [Row("a1", (0.1, 0.2)), Row("--", (0.3, 0.4)), Row("2.3", (0.5, 0.6, 0.7))]
    assert keep_digits(rows, map_letters=True) == ("1\n23", [0.2, 0.5, 0.7])


@pytest.mark.parametrize(
    ("read", "true", "distance"),
    [
        ("", "", 0),
        ("", "123", 3),
        ("123", "123", 0),
        ("1123", "123", 1),
        ("13", "123", 1),
        ("193", "123", 1),
        ("321", "123", 2),
        ("1203", "2034", 2),
        ("12\n34", "1234", 1),
    ],
)
def test_the_edit_distance_is_the_least_number_of_edits(read, true, distance):
    assert edit_distance(read, true) == edit_distance(true, read) == distance


@pytest.mark.parametrize(
    ("read", "true", "correct"),
    [
        ("123", "123", [True, True, True]),
        ("193", "123", [True, False, True]),
        ("1923", "123", [True, False, True, True]),
        ("13", "123", [True, True]),
        ("7", "", [False]),
        ("", "7", []),
    ],
)
def test_characters_that_agree_in_an_alignment_are_right(read, true, correct):
    assert find_correct(read, true) == correct


def test_wilson_intervals_are_those_of_the_literature():
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998
    assert wilson_interval(0, 0) == (0, 1)


def test_thresholds_separate_sure_digits_from_unsure_ones():
    table = compare_thresholds([0.2, 0.6, 0.8, 0.95], [False, True, False, True], [0.7])
    assert table == {"0.7": {"unsure": 0.5, "wrong among unsure": 0.5, "wrong among sure": 0.5}}


def test_the_report_shows_shares_with_intervals_and_digits_seen_in_empty_pictures():
    figures = {
        "setting": "x2",
        "pictures": 10,
        "right": 10,
        "right, letters dropped": 8,
        "edits": 1,
        "characters": 40,
        "milliseconds": 12.34,
        "milliseconds on one core": 20.0,
        "CPU milliseconds": 19.0,
        "MiB": 300,
    }
    empty = {
        "setting": "x1",
        "seen": {"white": {"digits": 0, "sure": 0}, "a": {"digits": 3, "sure": 1}},
    }
    tried = {"chosen": "x2", "pictures": 5, "right": {"x1": 0.4, "x2": 0.8}}
    sets = dict.fromkeys(STRINGS, figures) | {NOTHING: empty}
    results = {
        "machine": machine.describe(),
        "versions": {"rapidocr": "3.10.0"},
        "readers": {"rapidocr": {"sets": sets, "settings": {"strings": tried}}},
    }
    lines = format_report(results).splitlines()
    row = (
        "| rapidocr | **1.0000** | 0.7225 to 1.0000 | 0.8000 | 0.0250 | 12.3 | 20 | 19 | 300 | x2 |"
    )
    assert lines.count(row) == 2
    assert "| rapidocr | **1.0000** | 0.8389 to 1.0000 |" in lines
    assert "| a | 3 (1) |" in lines
    assert "| together | **3** (1) |" in lines
    assert "- x2: 0.800 (chosen)" in lines


def box(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def test_boxes_side_by_side_are_one_row():
    boxes = [box(50, 2, 90, 22), box(0, 0, 40, 20), box(0, 30, 40, 50), box(60, 28, 90, 49)]
    assert group_rows(np.float32(boxes)) == [[1, 0], [2, 3]]


def test_pictures_are_enlarged_before_they_get_a_margin_of_their_edge():
    picture = np.full((20, 30), 200, np.uint8)
    picture[0, 0] = 0
    prepared = prepare(picture, Setting(scale=2, margin=25))
    assert prepared.shape == (60, 80)
    assert prepared[0, 0] < 100
    assert prepared[-1, -1] == 200


@pytest.mark.parametrize("name", ["pages of ten", "forms", "strips", "drawn digits"])
def test_validation_pictures_are_not_those_measured(name):
    pictures = make_sets(None)[name]
    measured, validation = next(pictures.make(1)), next(pictures.make_validation(1))
    assert measured.truth.replace("\n", "").isdigit()
    assert measured.picture.shape != validation.picture.shape or np.any(
        measured.picture != validation.picture
    )
    again = next(pictures.make(1))
    assert np.array_equal(measured.picture, again.picture)


def test_a_reader_that_is_not_there_is_one_line(tmp_path):
    words = ["--readers", "no-such", "--pictures", "2", "--results", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.reading", *words]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.splitlines() == [
        "strings: skipped, as --strings is not given",
        "no-such: skipped, neither a recipe nor one of reader, rapidocr, tesseract, tutorials",
    ]
