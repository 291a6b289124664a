"""When a prediction counts as sure. Imports nothing, so that the command line starts fast."""

MIN_PROBABILITY = 0.9
"""Digits below this probability are flagged with a question mark by default. Chosen on pages of
validation images with cnn-best: 1 % of the digits are flagged; more than a third of those are real
errors, so half of all errors are caught (benchmarks/results/handwriting-validation.json)."""


def is_sure(probability: float, min_probability: float = MIN_PROBABILITY) -> bool:
    """Whether a prediction with this calibrated probability counts as sure."""
    return probability >= min_probability
