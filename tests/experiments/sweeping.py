"""What the tests of sweeps and searches share."""

import csv

SOFTMAX = ("--model", "softmax", "--iterations", 20, "--validation-size", 300)
"""The words that train a bad network within a second."""


def read_csv(path):
    """Return the rows of a CSV file as dictionaries."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
