"""McNemar's test: whether one of two networks is right more often, on the same images, than chance
would explain (Q. McNemar 1947; Dietterich 1998 recommends it for classifiers).
"""

import math

from mnist_graph.data.arguments import whole_number


def mcnemar(only_one: int, only_other: int) -> float:
    """Return the exact two-sided probability that two networks which are equally good would differ
    this much, where `only_one` images are classified correctly only by the one, and `only_other`
    only by the other. Images on which both are right or both are wrong say nothing.
    """
    only_one = whole_number("only_one", only_one, 0)
    only_other = whole_number("only_other", only_other, 0)
    count, fewer = only_one + only_other, min(only_one, only_other)
    if count == 0:
        return 1.0
    try:
        from scipy.stats import binomtest
    except ImportError:
        return exact_binomial(fewer, count)
    return float(binomtest(fewer, count).pvalue)


def exact_binomial(fewer: int, count: int) -> float:
    """Return the probability that of `count` tosses of a fair coin at most `fewer` or at least
    `count` - `fewer` are heads, for `fewer` up to half of them.
    """
    tail = term = 1  # integers: floats would underflow
    for k in range(fewer):
        term = term * (count - k) // (k + 1)
        tail += term
    return min(1.0, math.exp(math.log(2) + math.log(tail) - count * math.log(2)))
