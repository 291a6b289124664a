"""McNemar's test, with SciPy and without."""

from fractions import Fraction
from math import comb

import pytest
from helpers import run_python

from mnist_graph.errors import UsageError
from mnist_graph.experiments.mcnemar import exact_binomial, mcnemar

COUNTS = [(0, 1), (5, 5), (3, 12), (12, 3), (0, 40), (260, 985), (400, 450)]


@pytest.mark.parametrize(("one", "other"), COUNTS)
def test_the_probability_is_that_of_a_fair_coin(one, other):
    count, fewer = one + other, min(one, other)
    tail = sum(comb(count, k) for k in range(fewer + 1))
    exact = float(min(Fraction(1), Fraction(2 * tail, 2**count)))
    assert mcnemar(one, other) == pytest.approx(exact, rel=1e-9)
    assert exact_binomial(fewer, count) == pytest.approx(exact, rel=1e-9)


def test_runs_that_agree_do_not_differ():
    assert mcnemar(0, 0) == 1.0


def test_without_scipy_the_result_is_the_same():
    code = """
import sys
sys.modules["scipy"] = None
from mnist_graph.experiments.mcnemar import mcnemar
print(mcnemar(3, 12))
"""
    assert float(run_python(code).out) == pytest.approx(mcnemar(3, 12))


def test_counts_are_checked():
    with pytest.raises(UsageError, match="only_other must be at least 0"):
        mcnemar(1, -1)
