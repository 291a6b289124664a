"""How well texts were read: letters as digits, edit distance, intervals, calibration."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from benchmarks.readers import Row

DIGIT_OF_LETTER = {
    letter: digit
    for digit, letters in {
        "0": "oODQ",
        "1": "lIi|!/",
        "2": "zZ",
        "4": "A",
        "5": "sS$",
        "6": "bG",
        "7": "T?",
        "8": "B&",
        "9": "qg",
    }.items()
    for letter in letters
}
"""The characters that general OCR gives for handwritten digits, and the digit each stands for."""


class Digits(NamedTuple):
    """The digits read in a picture."""

    text: str
    """Rows from the top, separated by line breaks; rows without a digit are left out."""
    confidences: list[float]
    """Of each digit."""


def keep_digits(rows: Iterable[Row], map_letters: bool) -> Digits:
    """Return only the digits of the rows; first turn letters into digits if `map_letters`."""
    texts, confidences = [], []
    for row in rows:
        mapped = [DIGIT_OF_LETTER.get(c, c) if map_letters else c for c in row.text]
        kept = [
            (c, confidence)
            for c, confidence in zip(mapped, row.confidences, strict=True)
            if c in "0123456789"
        ]
        if kept:
            texts.append("".join(c for c, _ in kept))
            confidences += [confidence for _, confidence in kept]
    return Digits("\n".join(texts), confidences)


def edit_distance(read: str, true: str) -> int:
    """Return the least number of insertions, deletions and replacements from one to the other."""
    return _distances(read, true)[-1][-1]


def find_correct(read: str, true: str) -> list[bool]:
    """Align two texts with the fewest edits; return for each character read if it is right."""
    distances = _distances(read, true)
    correct = [False] * len(read)
    i, j = len(read), len(true)
    while i and j:
        same = read[i - 1] == true[j - 1]
        if distances[i][j] == distances[i - 1][j - 1] + (not same):
            correct[i - 1] = same
            i, j = i - 1, j - 1
        elif distances[i][j] == distances[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return correct


def _distances(read: str, true: str) -> list[list[int]]:
    """Return the edit distances between all beginnings of `read` and all of `true`."""
    table = [list(range(len(true) + 1))]
    for i, character in enumerate(read, start=1):
        row = [i]
        for j, other in enumerate(true, start=1):
            row.append(min(row[-1] + 1, table[-1][j] + 1, table[-1][j - 1] + (character != other)))
        table.append(row)
    return table


def wilson_interval(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a proportion, 95 % for the default `z`."""
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z**2 / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def compare_thresholds(
    confidences: Sequence[float], correct: Sequence[bool], thresholds: Sequence[float]
) -> dict[str, dict[str, float]]:
    """Compare thresholds for marking a digit as unsure.

    For each threshold, returns the share of digits that are unsure, and the error rates among
    the unsure and among the sure digits.
    """
    table = {}
    for threshold in thresholds:
        sure = [right for right, c in zip(correct, confidences, strict=True) if c >= threshold]
        unsure = [right for right, c in zip(correct, confidences, strict=True) if c < threshold]
        table[str(threshold)] = {
            "unsure": len(unsure) / max(1, len(correct)),
            "wrong among unsure": unsure.count(False) / max(1, len(unsure)),
            "wrong among sure": sure.count(False) / max(1, len(sure)),
        }
    return table
