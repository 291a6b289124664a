"""How well a network reads strips: every digit that it read against the one that stands there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class StripReport(NamedTuple):
    """What `--evaluate` prints for strips."""

    strips: int
    """The number of strips."""
    wrong: int
    """How many of them are not read whole and right."""
    aligned: np.ndarray
    """int64 [classes + 1, classes + 1]: the number of digits of the class of the row that were read
    as the column. The last column counts digits that were missed; the last row, what was read
    where no digit is.
    """

    @property
    def accuracy(self) -> float:
        """The share of strips that are read whole and right."""
        return 1 - self.wrong / self.strips

    @property
    def character_error_rate(self) -> float:
        """The number of digits to substitute, insert and delete, per digit."""
        errors = self.aligned.sum() - np.trace(self.aligned)
        return float(errors / max(1, self.aligned[:-1].sum()))


def strip_report(
    labels: Sequence[Sequence[int]], predictions: Sequence[Sequence[int]], classes: int
) -> StripReport:
    """Compare the digits read in each strip with its labels."""
    aligned = np.zeros((classes + 1, classes + 1), np.int64)
    for label, prediction in zip(labels, predictions, strict=True):
        for digit, read in align(label, prediction):
            aligned[classes if digit is None else digit, classes if read is None else read] += 1
    pairs = zip(labels, predictions, strict=True)
    wrong = sum(list(label) != list(prediction) for label, prediction in pairs)
    return StripReport(len(labels), wrong, aligned)


def align(label: Sequence[int], prediction: Sequence[int]) -> list[tuple[int | None, int | None]]:
    """Return pairs of a digit of `label` and the digit of `prediction` in its place, in order, with
    as few unequal pairs as possible (Levenshtein 1965). None stands for no digit.
    """
    costs = _edit_distances(label, prediction)
    pairs: list[tuple[int | None, int | None]] = []
    row, column = len(label), len(prediction)
    while row or column:
        cost = costs[row][column]
        if row and column:
            unequal = label[row - 1] != prediction[column - 1]
            if cost == costs[row - 1][column - 1] + unequal:
                row, column = row - 1, column - 1
                pairs.append((label[row], prediction[column]))
                continue
        if row and cost == costs[row - 1][column] + 1:
            row -= 1
            pairs.append((label[row], None))
        else:
            column -= 1
            pairs.append((None, prediction[column]))
    return pairs[::-1]


def _edit_distances(label: Sequence[int], prediction: Sequence[int]) -> list[list[int]]:
    """Return the edit distance between the first `row` digits of `label` and the first `column` of
    `prediction`, as [row][column].
    """
    costs = [list(range(len(prediction) + 1))]
    for row, digit in enumerate(label, start=1):
        above, current = costs[-1], [row]
        for column, read in enumerate(prediction, start=1):
            replaced = above[column - 1] + (digit != read)
            current.append(min(replaced, above[column] + 1, current[-1] + 1))
        costs.append(current)
    return costs
