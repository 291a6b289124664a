"""From the network's columns to digits: what they are, where, and how sure.

A column gives the probabilities of ten digits and of CTC's blank. A labelling's probability is
the sum over all ways to spread it over the columns: each digit over one or more, with blanks
before, between and after; between equal digits there is at least one blank.
"""

from typing import NamedTuple

import numpy as np

BLANK = 10
BEAM = 12
"""Labellings that are continued from column to column."""
HOPELESS = 1e-6
"""A labelling less probable than this share of the best is not continued either."""
UNLIKELY = 1e-3
"""A digit less likely than this in a column does not begin there."""
AS_MANY = 0.3
"""The expected number of digits is read if it is at least this many times as probable as the most
probable reading's. On 1,200 pages of validation digits and 500 of scikit-learn's, this ratio was
0.4 to 3 for digits that the network had missed, and at most 0.15 for marks that are not digits."""


class Decoded(NamedTuple):
    """The digits in a strip, from left to right."""

    labels: list[int]
    probabilities: np.ndarray
    """float32 [digits, 10]: of each class, given the other digits. A row sums to 1 less the
    probability of no digit in its place."""
    columns: np.ndarray
    """int [digits]: the column in which each digit is most likely."""

    @classmethod
    def empty(cls) -> "Decoded":
        return cls([], np.zeros((0, BLANK), np.float32), np.zeros(0, int))


def decode(*views: np.ndarray, expected: int | None = None) -> Decoded:
    """Decode probabilities, float32 [columns, 11], of which the last is that of the blank. If a
    number of digits is `expected`, as many are read unless that is far less probable.

    Of a strip that was read in several views, the digits are those with the largest probability,
    summed over the views; they are placed and weighed in the view in which they are most probable,
    and their columns are those of the first view.
    """
    beams = [find_labellings(columns) for columns in views]
    total: dict[tuple[int, ...], float] = {}
    for beam in beams:
        for labels, probability in beam.items():
            total[labels] = total.get(labels, 0.0) + probability
    labels = max(total, key=total.__getitem__)
    if expected is not None:
        most, wanted = _sum_of_length(total, len(labels)), _sum_of_length(total, expected)
        if wanted > AS_MANY * most:
            labels = max((each for each in total if len(each) == expected), key=total.__getitem__)
    if not labels:
        return Decoded.empty()
    best = int(np.argmax([beam.get(labels, 0.0) for beam in beams]))
    columns = views[best]
    # Relative to the most likely in each column, nothing that counts is too small for a float.
    likely = columns.astype(np.float64) / columns.max(axis=1, keepdims=True)
    probabilities, places = _weigh(likely, list(labels))
    return Decoded(list(labels), probabilities, places * len(views[0]) // len(columns))


def find_labellings(columns: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the most probable labellings with their probabilities: a prefix beam search."""
    # For each labelling: the probability that it ends in a blank, and in its last digit.
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    for column in columns:
        likely = np.flatnonzero(column[:BLANK] > UNLIKELY).tolist()
        chance = column.tolist()
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(labels: tuple[int, ...], in_blank: float, in_digit: float) -> None:
            blank, digit = grown.get(labels, (0.0, 0.0))  # noqa: B023
            grown[labels] = (blank + in_blank, digit + in_digit)  # noqa: B023

        for labels, (blank, digit) in beams.items():
            last = labels[-1] if labels else BLANK
            add(labels, (blank + digit) * chance[BLANK], digit * chance[last] if labels else 0.0)
            for label in likely:
                before = blank if label == last else blank + digit
                add((*labels, label), 0.0, before * chance[label])
        best = sorted(grown.items(), key=lambda item: sum(item[1]), reverse=True)[:BEAM]
        least = HOPELESS * sum(best[0][1])
        beams = {labels: chances for labels, chances in best if sum(chances) >= least}
    return {labels: sum(chances) for labels, chances in beams.items()}


def _sum_of_length(labellings: dict[tuple[int, ...], float], digits: int) -> float:
    """Return the summed probability of the labellings with this number of digits."""
    return sum(chance for labels, chance in labellings.items() if len(labels) == digits)


def _weigh(likely: np.ndarray, labels: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of the digits, float32 [digits, 10], and their columns.

    The states are blank, digit, blank, digit, ... blank. `likely`, float64 [columns, 11], holds
    the probabilities up to a factor per column.
    """
    count, digits = len(labels), np.array(labels)
    states = np.full(2 * count + 1, BLANK)
    states[1::2] = digits
    skips = np.zeros(len(states), bool)  # whether a state can follow the second before it
    skips[3::2] = digits[1:] != digits[:-1]
    forward = _forward(likely[:, states], skips)
    backward_skips = np.append(skips[::-1][-2:], skips[::-1][:-2])
    backward = _forward(likely[::-1, states[::-1]], backward_skips)[::-1, ::-1]
    return _replace(likely, states, skips, forward, backward)


def _forward(likely: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """Return the probability to be in each state at each column: float64 [columns, states]."""
    result = np.zeros_like(likely)
    result[0, :2] = likely[0, :2]
    for column in range(1, len(likely)):
        last = result[column - 1]
        reached = last.copy()
        reached[1:] += last[:-1]
        reached[2:] += last[:-2] * skips[2:]
        result[column] = reached * likely[column]
    return result


def _replace(
    likely: np.ndarray,
    states: np.ndarray,
    skips: np.ndarray,
    forward: np.ndarray,
    backward: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Weigh each digit against each other digit in its place, and against none.

    `forward` and `backward` [columns, states] both include the column's own probability.
    """
    padded = np.pad(forward, ((1, 0), (0, 0)))[:-1]
    entered = padded[:, 0:-1:2].copy()
    entered[:, 1:] += padded[:, 1:-2:2] * skips[3::2]
    entered[0, 0] = 1.0
    after = np.pad(backward, ((0, 1), (0, 0)))[1:]
    left = after[:, 2::2].copy()
    left[:, :-1] += after[:, 3::2] * skips[3::2]
    left[-1, -1] = 1.0
    within = np.zeros((len(states) // 2, BLANK))
    weights = np.zeros_like(within)
    for column in range(len(likely)):
        within = (within + entered[column][:, np.newaxis]) * likely[column, :BLANK]
        weights += within * left[column][:, np.newaxis]
    # Without the digit, one run of blanks lies between its neighbours.
    none = (padded[:, 0:-3:2] * backward[:, 3::2]).sum(axis=0)
    none = np.append(none, forward[-1, -3])
    chance = forward[:, 1::2] * backward[:, 1::2] / np.maximum(likely[:, states[1::2]], 1e-30)
    total = weights.sum(axis=1) + none
    return (weights / total[:, np.newaxis]).astype(np.float32), chance.argmax(axis=0)
