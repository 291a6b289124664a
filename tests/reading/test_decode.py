"""The network's columns become digits with probabilities."""

import itertools

import numpy as np
import pytest

from mnist_graph.reading.decode import BLANK, decode, find_labellings


def columns_of(*labels, certainty=0.9):
    """Return columns that each predict one class: float32 [columns, 11]."""
    columns = np.full((len(labels), 11), (1 - certainty) / 10, np.float32)
    columns[np.arange(len(labels)), labels] = certainty
    return columns


def weigh_all(columns, most):
    """Return the probability of every labelling of up to `most` digits, from all paths."""
    weights = {}
    for path in itertools.product(range(11), repeat=len(columns)):
        runs = [label for label, _ in itertools.groupby(path)]
        labels = tuple(label for label in runs if label != BLANK)
        if len(labels) <= most:
            chance = float(np.prod(columns[np.arange(len(columns)), path]))
            weights[labels] = weights.get(labels, 0.0) + chance
    return weights


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ((BLANK, 3, 3, BLANK, 4), [3, 4]),
        ((3, 3, 3), [3]),
        ((3, BLANK, 3), [3, 3]),
        ((BLANK, BLANK), []),
        ((7,), [7]),
    ],
)
def test_repeated_columns_are_one_digit_and_blanks_part_equal_ones(path, labels):
    labellings = find_labellings(columns_of(*path))
    assert max(labellings, key=labellings.get) == tuple(labels)
    assert decode(columns_of(*path)).labels == labels


@pytest.mark.parametrize("seed", range(6))
def test_the_labelling_is_the_most_probable_of_all_and_each_digit_is_weighed_exactly(seed):
    rng = np.random.default_rng(seed)
    columns = rng.dirichlet(np.full(11, 0.15), 4).astype(np.float32)
    weights = weigh_all(columns, 4)
    decoded = decode(columns)
    labels = tuple(decoded.labels)
    assert weights[labels] == pytest.approx(max(weights.values()), rel=1e-3)
    for place, probabilities in enumerate(decoded.probabilities):
        neighbours = {*labels[max(0, place - 1) : place], *labels[place + 1 : place + 2]}
        others = [c for c in range(10) if c not in neighbours or c == labels[place]]
        replaced = {c: weights.get((*labels[:place], c, *labels[place + 1 :]), 0) for c in others}
        for one in others:
            expected = replaced[one] / replaced[labels[place]]
            given = probabilities[one] / probabilities[labels[place]]
            assert given == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_probabilities_lack_what_speaks_for_no_digit():
    sure = decode(columns_of(BLANK, 3, BLANK, certainty=0.999))
    unsure = columns_of(BLANK, 3, BLANK)
    unsure[1] = 0
    unsure[1, [3, BLANK]] = 0.6, 0.4
    assert sure.probabilities.sum() > 0.99
    assert decode(unsure).probabilities[0, 3] == pytest.approx(0.6, abs=0.05)


def test_the_columns_of_digits_are_in_order():
    decoded = decode(columns_of(BLANK, 3, BLANK, BLANK, 4, 4, BLANK, 3))
    assert decoded.columns.tolist()[0] == 1
    assert decoded.columns[1] in (4, 5)
    assert decoded.columns[2] == 7


def test_as_many_digits_are_read_as_are_expected_unless_that_is_far_less_probable():
    columns = columns_of(BLANK, 3, BLANK, BLANK, certainty=0.97)
    columns[3] = 0.0
    columns[3, [5, 6, BLANK]] = 0.25, 0.2, 0.55
    assert decode(columns).labels == [3]
    decoded = decode(columns, expected=2)
    assert decoded.labels == [3, 5]
    assert decoded.probabilities[1].sum() == pytest.approx(0.45, abs=0.05)
    assert decode(columns, expected=3).labels == [3]
    assert decode(columns, expected=0).labels == [3]


def test_hundreds_of_unlikely_columns_do_not_underflow():
    columns = np.tile(columns_of(3, BLANK, certainty=0.2), (300, 1))
    decoded = decode(columns)
    assert len(decoded.labels) > 100
    assert np.isfinite(decoded.probabilities).all()
    assert (decoded.probabilities.max(axis=1) > 0).all()


def test_views_of_a_strip_vote():
    clear = columns_of(BLANK, 3, BLANK, 4, certainty=0.9)
    unclear = columns_of(BLANK, 5, BLANK, BLANK, BLANK, 4, certainty=0.6)
    assert decode(unclear).labels == [5, 4]
    decoded = decode(unclear, clear)
    assert decoded.labels == [3, 4]
    assert decoded.columns.tolist() == [1, 4]  # of the first view, which has half as many again
    assert decode(clear, unclear).columns.tolist() == [1, 3]
