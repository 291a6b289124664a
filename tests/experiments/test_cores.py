"""How many trainings at a time, and on which cores."""

import os

import pytest

from mnist_graph.errors import UsageError
from mnist_graph.experiments.cores import share_cores

CORES = sorted(os.sched_getaffinity(0))


def test_each_training_gets_a_core_of_its_own():
    shared = share_cores(None, 1000, "cpu")
    if len(shared) > 1:  # memory suffices for several
        assert [len(each) for each in shared] == [1] * len(shared)
        assert len({core for each in shared for core in each}) == len(shared) <= len(CORES)


def test_a_single_training_gets_all_cores():
    assert share_cores(None, 1, "cpu") == [None]
    assert share_cores(1, 9, "cpu") == [None]
    assert share_cores(None, 9, "gpu") == [None]


def test_all_cores_are_given_away():
    for at_a_time in range(2, len(CORES) + 1):
        shared = share_cores(at_a_time, 9, "cpu")
        assert [core for each in shared for core in each] == CORES
    assert len(share_cores(len(CORES) + 1, 9, "cpu")) == len(CORES) + 1


def test_the_number_is_checked():
    with pytest.raises(UsageError, match="at_a_time must be between 1 and 256, not 0"):
        share_cores(0, 9, "cpu")
