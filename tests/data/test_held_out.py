"""Training images that score a run in place of the test images."""

import numpy as np
import pytest

from mnist_graph import MnistGraphError, read_data_sets
from mnist_graph.data.held_out import choose_held_out, find_held_out, hold_out, mark_held_out
from mnist_graph.errors import UsageError


@pytest.mark.parametrize(
    ("sizes", "count", "held_out"),
    [
        ([5000], 60_000, range(5000)),
        ([5000, 30_000], 60_000, range(5000)),  # the images that all of them hold out
        ([0], 60_000, range(55_000, 60_000)),
        ([0, 20_000], 60_000, range(55_000, 60_000)),
        ([0], 1000, range(800, 1000)),
        ([59_999], 60_000, range(59_999)),
    ],
)
def test_images_are_held_out_that_no_run_trains_on(sizes, count, held_out):
    assert choose_held_out(sizes, count) == held_out


@pytest.mark.parametrize(("sizes", "count"), [([60_000], 60_000), ([0, 55_000], 60_000), ([0], 4)])
def test_something_is_left_to_train_on(sizes, count):
    with pytest.raises(UsageError, match="none is left beside"):
        choose_held_out(sizes, count)


@pytest.mark.parametrize(
    ("held_out", "size"), [(range(5000), 5000), (range(5000), 9000), (range(55_000, 60_000), 0)]
)
def test_no_held_out_image_is_trained_on(held_out, size):
    everything = read_data_sets(validation_size=0)
    data = hold_out(everything, held_out, size)
    pixels, labels = everything.train.pixels, everything.train.sparse_labels
    trained_on = range(size, held_out.start or 60_000)
    assert set(trained_on).isdisjoint(held_out)
    for part, numbers in (
        (data.train, trained_on),
        (data.validation, range(size)),
        (data.test, held_out),
    ):
        assert np.array_equal(part.pixels, pixels[numbers.start : numbers.stop])
        assert np.array_equal(part.sparse_labels, labels[numbers.start : numbers.stop])
    assert find_held_out(data.sha256) == held_out
    assert data.sha256 == mark_held_out(everything.sha256, held_out) != everything.sha256


def test_a_damaged_mark_is_refused():
    assert find_held_out({}) is None
    with pytest.raises(MnistGraphError, match="held_out is 'all', not like"):
        find_held_out({"held_out": "all"})
