"""Digits read in strips, aligned with those that stand there."""

import pytest

from mnist_graph.runs.strip_metrics import align, strip_report


@pytest.mark.parametrize(
    ("label", "prediction", "pairs"),
    [
        ([1, 2], [1, 2], [(1, 1), (2, 2)]),
        ([1, 2, 3], [1, 3], [(1, 1), (2, None), (3, 3)]),
        ([1, 3], [1, 2, 3], [(1, 1), (None, 2), (3, 3)]),
        ([1, 2, 3], [1, 7, 3], [(1, 1), (2, 7), (3, 3)]),
        ([], [4], [(None, 4)]),
        ([4], [], [(4, None)]),
        ([], [], []),
    ],
)
def test_align_pairs_each_digit_with_the_one_in_its_place(label, prediction, pairs):
    assert align(label, prediction) == pairs


def test_report_counts_strips_and_digits():
    report = strip_report([[1, 2], [0], [], [2, 2]], [[1, 2], [1], [0], [2]], classes=3)
    assert report.aligned.tolist() == [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 2, 1], [1, 0, 0, 0]]
    assert report.accuracy == 0.25
    assert report.character_error_rate == pytest.approx(3 / 5)
