import numpy as np
import pytest

from mnist_graph.runs.run import PERCENTILES
from mnist_graph.training.panel_data import MAX_SAMPLE, compute_percentiles, sample, sample_step


@pytest.mark.parametrize("size", [1, 10, MAX_SAMPLE - 1, MAX_SAMPLE, 3_274_634])
def test_sample_has_at_most_max_sample_values(size):
    values = sample(np.arange(size))
    assert size / sample_step(size) <= len(values) <= MAX_SAMPLE
    assert np.unique(np.diff(values)).tolist() in ([], [sample_step(size)])


def test_sample_of_few_values_is_all_of_them():
    np.testing.assert_array_equal(sample(np.ones((30, 20))), np.ones(600))


def test_sample_includes_every_column():
    """An even step would skip columns: here every sixth value."""
    columns = np.tile(np.arange(10), (5 * MAX_SAMPLE // 10, 1))
    assert set(sample(columns)) == set(range(10))


def test_percentiles_are_of_all_arrays_together():
    arrays = [np.linspace(0, 50, 51).reshape(3, 17), np.linspace(51, 100, 50)]
    assert compute_percentiles(arrays) == pytest.approx(PERCENTILES)


def test_percentiles_of_many_values_have_exact_ends():
    values = np.random.default_rng(0).normal(size=10 * MAX_SAMPLE)
    values[[12_345, 54_321]] = -9, 9
    lowest, *inner, highest = compute_percentiles([values])
    assert (lowest, highest) == (-9, 9)
    # Of a normal distribution.
    assert inner == pytest.approx([-1.476, -0.994, -0.496, 0.496, 0.994, 1.476], abs=0.03)
