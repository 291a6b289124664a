import itertools

import numpy as np
import pytest

from mnist_graph import recipes
from mnist_graph.data.batches import batches, make_batch

PLAIN = recipes["mlp"]
DISTORTED = recipes["cnn-best"]


@pytest.mark.parametrize("recipe", [PLAIN, DISTORTED], ids=["plain", "distorted"])
def test_a_run_that_starts_later_gets_the_batches_it_would_have_got(mnist, recipe):
    recipe = recipe.override(iterations=8)
    ((_, whole),) = batches(mnist.train, recipe, [range(8)])
    later = dict(batches(mnist.train, recipe, [range(5, 6), range(6, 8)]))
    assert list(later) == [range(5, 6), range(6, 8)]
    for one, pieces in zip(whole, zip(*later.values(), strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(pieces), one[5 * recipe.batch_size :])


def test_no_range_no_batch(mnist):
    assert list(batches(mnist.train, PLAIN, [])) == []


def test_a_plain_batch_is_real_images_with_their_labels(mnist):
    pixels, labels = make_batch(mnist.train, PLAIN, 3)
    assert pixels.shape == (128, 28, 28)
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.int32)
    every = {image.tobytes(): label for image, label in zip(*whole(mnist), strict=True)}
    assert all(every[p.tobytes()] == label for p, label in zip(pixels, labels, strict=True))


def whole(mnist):
    return mnist.train.pixels, mnist.train.labels


def test_distortion_changes_the_images_and_not_the_labels(mnist):
    pixels, labels = make_batch(mnist.train, PLAIN, 0)
    distorted, same_labels = make_batch(mnist.train, DISTORTED, 0)
    np.testing.assert_array_equal(same_labels, labels)
    assert np.any(distorted != pixels, axis=(1, 2)).mean() > 0.99


def test_each_epoch_distorts_differently(mnist):
    one, another = (make_batch(mnist.train, DISTORTED, i)[0] for i in (0, 1))
    assert not np.array_equal(one, another)
    seeded = make_batch(mnist.train, DISTORTED.override(seed=1), 0)[0]
    assert not np.array_equal(one, seeded)


def test_the_next_batch_is_made_while_this_one_is_used(mnist, monkeypatch):
    made = []

    def watched(dataset, recipe, iterations):
        made.append(iterations.start)
        return iterations.start

    monkeypatch.setattr("mnist_graph.data.batches._make_batches", watched)
    supply = batches(mnist.train, DISTORTED, (range(i, i + 1) for i in range(5)))
    assert list(itertools.islice(supply, 2)) == [(range(1), 0), (range(1, 2), 1)]
    assert made[:2] == [0, 1]
    assert 2 in made, "asked for before it was needed"
    assert 4 not in made, "but not all at once"
