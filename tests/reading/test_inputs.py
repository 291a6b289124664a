"""What exported networks are fed, made without TensorFlow."""

import numpy as np
import pytest
from helpers import TEST_IMAGE, drawing, given_to_the_network, run_python
from PIL import Image

from mnist_graph import MnistGraphError, find_strips, normalise


def test_a_digit_as_the_classifier_gets_it():
    (expected,) = given_to_the_network(TEST_IMAGE)
    np.testing.assert_array_equal(normalise(TEST_IMAGE), expected)
    assert normalise(TEST_IMAGE, (20, 24)).shape == (20, 24)


def test_no_digit_and_several():
    with pytest.raises(MnistGraphError, match="has no digit; normalise takes a picture of one"):
        normalise(Image.new("L", (100, 100), 255))
    digit = given_to_the_network(TEST_IMAGE)[0]
    pair = drawing(np.pad(np.hstack([digit, digit]).repeat(8, 0).repeat(8, 1), 40))
    with pytest.raises(MnistGraphError, match="has 2 digits"):
        normalise(pair)


def test_strips():
    (strip,) = find_strips(TEST_IMAGE)
    assert (strip.dtype, strip.shape[0]) == (np.uint8, 32)
    page = np.full((900, 700), 255, np.uint8)
    digit = 255 - given_to_the_network(TEST_IMAGE)[0].repeat(3, 0).repeat(3, 1)
    for top in (100, 400):
        for left in (100, 250, 400):
            page[top : top + 84, left : left + 84] = digit
    assert len(find_strips(page)) == 2
    assert find_strips(np.full((900, 700), 255, np.uint8)) == []


def test_they_need_no_tensorflow():
    code = f"""
import sys
sys.modules["tensorflow"] = None
from mnist_graph import find_strips, normalise
print(normalise({str(TEST_IMAGE)!r}).shape, len(find_strips({str(TEST_IMAGE)!r})))
"""
    assert run_python(code).out == "(28, 28) 1\n"
