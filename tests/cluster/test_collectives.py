"""What processes send: in how many rounds, to whom, and what all then know."""

import numpy as np
import pytest
import tensorflow as tf

from mnist_graph.graph.collectives import (
    MESSAGE,
    Collectives,
    Cost,
    gather_cost,
    is_ring_slower,
    list_groups,
    list_rounds,
    ring_cost,
    rounds_cost,
)


@pytest.mark.parametrize(
    ("count", "rounds"), [(1, []), (2, [2]), (7, [7]), (8, [2, 2, 2]), (12, [2, 2, 3])]
)
def test_there_is_a_round_for_each_prime_factor(count, rounds):
    assert list_rounds(count) == rounds


def test_what_sums_and_rows_cost():
    assert ring_cost(2, 100) == Cost(2, 100)
    assert ring_cost(4, 100) == Cost(6, 150)
    assert rounds_cost(4, 100) == Cost(2, 200)
    assert rounds_cost(5, 100) == Cost(4, 400)
    assert gather_cost(4, 100) == Cost(2, 300)
    assert gather_cost(1000, 1).size == 999


def test_large_vectors_are_summed_in_a_ring():
    assert is_ring_slower(4, 4)
    # 2 messages and two vectors against 6 messages and one and a half
    assert is_ring_slower(4, 8 * MESSAGE)
    assert not is_ring_slower(4, 8 * MESSAGE + 1)
    assert is_ring_slower(2, 10**9)


@pytest.mark.parametrize("count", [2, 3, 4, 6, 8, 12])
def test_groups_of_a_round_have_the_same_number_and_no_other_group_has_it(count):
    groups = [list_groups(index, count) for index in range(count)]
    found: dict[int, list[int]] = {}
    for index, own in enumerate(groups):
        for group in own:
            found.setdefault(group.number, []).append(index)
    sizes = {group.number: group.members for own in groups for group in own}
    assert {number: len(members) for number, members in found.items()} == sizes


@pytest.mark.parametrize("count", [2, 3, 4, 6, 8, 12])
def test_after_all_rounds_each_process_knows_the_rows_of_all_in_the_same_order(count):
    known = [[index] for index in range(count)]
    for number in range(len(list_rounds(count))):
        groups = [list_groups(index, count)[number].number for index in range(count)]
        known = [
            [
                row
                for other in range(count)
                if groups[other] == groups[index]
                for row in known[other]
            ]
            for index in range(count)
        ]
    assert all(rows == known[0] for rows in known)
    assert sorted(known[0]) == list(range(count))


def test_each_process_builds_the_operations_of_its_own_groups():
    with tf.Graph().as_default() as graph:
        assert Collectives(5, 6).gather(tf.zeros([2, 3], tf.bfloat16)).shape == [12, 3]
        assert Collectives(5, 6).sum(tf.zeros([4])).shape == [4]
        gathers = [op for op in graph.get_operations() if op.type == "CollectiveGather"]
    groups = [(op.get_attr("group_key"), op.get_attr("group_size")) for op in gathers]
    assert groups == 2 * [tuple(group) for group in list_groups(5, 6)]
    assert [op.get_attr("instance_key") for op in gathers] == [1, 2, 1, 2]
    assert np.array_equal([op.inputs[0].shape[0] for op in gathers], [2, 4, 1, 1])
