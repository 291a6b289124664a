"""Pages of ten validation digits, as the benchmarks draw them, that are hard to read."""

import numpy as np
import pytest

from benchmarks.pages import labels_by_row, make_page
from mnist_graph import Reader


@pytest.fixture(scope="module")
def reader():
    with Reader.shipped() as opened:
        yield opened


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        pytest.param(2027, 94, id="the network misses the last digit of a row"),
        pytest.param(2027, 732, id="and the first in one view of three"),
        pytest.param(2027, 526, id="a four in two parts is one digit"),
        pytest.param(2027, 347, id="a sharp shadow is not a table"),
        pytest.param(2027, 818, id="a table whose edge is not found is not ink"),
        pytest.param(2027, 555, id="remains of ruled lines are not a row"),
        pytest.param(91, 91, id="light ink in a shadow"),
        pytest.param(91, 2214, id="a shadow beside the digits is not ink"),
        pytest.param(91, 2163, id="ruled lines that end in a shadow are not a row"),
        pytest.param(91, 2017, id="the halves of a three are one digit"),
    ],
)
def test_every_digit_is_read(reader, mnist, seed, number):
    digits = mnist.validation
    rng = np.random.default_rng((seed, number, 10))
    chosen = rng.integers(0, digits.num_examples, 10)
    page = make_page(digits.pixels[chosen], digits.sparse_labels[chosen], rng)
    assert labels_by_row(reader.read(page.picture)) == labels_by_row(page.digits)
