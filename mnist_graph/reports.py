"""What was read in a picture, in words and in values that JSON has."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from mnist_graph.handwriting.page import Digit


def print_page(
    name: str,
    digits: Sequence[Digit],
    min_probability: float,
    alone: bool = False,
    probabilities: bool = False,
) -> None:
    """Prints the rows of digits in picture `name`, ? for one below `min_probability`; a single
    digit as the tutorials do where its picture stands `alone`, and always as what it most
    likely is. With `probabilities`, those of each digit too.
    """
    if len(digits) == 1:
        lead = "Prediction for test image" if alone else name
        print(f"{lead}: {digits[0].label}")
    else:
        for _, row in groupby(digits, key=lambda digit: digit.row):
            labels = [str(d.label) if d.probability >= min_probability else "?" for d in row]
            print(f"{name}: {' '.join(labels)}")
    if probabilities:
        for digit in digits:
            each = " ".join(f"{label}:{p:.4f}" for label, p in enumerate(digit.probabilities))
            print(f"row {digit.row + 1}, column {digit.column + 1}: {each}")


def describe_page(name: str, digits: Sequence[Digit], min_probability: float) -> dict[str, Any]:
    """The same as values that JSON has; rows and columns are counted from 1."""
    return {
        "file": name,
        "digits": [
            {
                "row": digit.row + 1,
                "column": digit.column + 1,
                "box": list(digit.box),
                "digit": digit.label,
                "sure": digit.probability >= min_probability,
                "probability": round(digit.probability, 6),
                "probabilities": [round(float(p), 6) for p in digit.probabilities],
            }
            for digit in digits
        ],
    }
