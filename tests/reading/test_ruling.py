"""How the lines of a page go together."""

import numpy as np
import pytest

from mnist_graph.reading.ruling import _alike, _between

WIDTH = 400
X = np.arange(0, WIDTH, 3)


def line(number, slope=0.02):
    return np.polynomial.Polynomial([20 + 30 * number, slope + 0.001 * number])


def pixels(number):
    return X, np.rint(line(number)(X)).astype(int)


def test_a_line_that_a_stem_drew_aside_is_put_right():
    curves = [line(number) for number in range(8)]
    curves[3] = line(3, slope=0.06)
    alike = _alike(curves, [pixels(number) for number in range(8)], WIDTH)
    for number, curve in enumerate(alike):
        assert curve(X) == pytest.approx(line(number)(X), abs=1.5), number


def test_lines_missing_between_others_are_put_there():
    there = [0, 1, 2, 3, 5, 6, 7, 10, 11]
    missing = _between([line(number) for number in there], WIDTH)
    assert len(missing) == 3
    for number, curve in zip((4, 8, 9), missing, strict=True):
        assert curve(X) == pytest.approx(line(number)(X), abs=1.5), number
    uneven = [line(number) for number in (0, 1, 2, 3, 4.5, 6)]
    assert _between(uneven, WIDTH) == []
