import itertools
import threading

import numpy as np
import pytest

from mnist_graph import recipes
from mnist_graph.data import batches as batches_module
from mnist_graph.data.batches import batches, make_batch
from mnist_graph.data.datasets import DataSet, batch_indices

PLAIN = recipes["mlp"]
AUGMENTED = recipes["cnn-best"]


@pytest.mark.parametrize("recipe", [PLAIN, AUGMENTED], ids=["plain", "augmented"])
def test_batches_do_not_depend_on_the_first_iteration(mnist, recipe):
    recipe = recipe.override(iterations=8)
    ((_, whole),) = batches(mnist.train, recipe, [range(8)])
    later = dict(batches(mnist.train, recipe, [range(5, 6), range(6, 8)]))
    assert list(later) == [range(5, 6), range(6, 8)]
    for part, pieces in zip(whole, zip(*later.values(), strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(pieces), part[5 * recipe.batch_size :])


def test_no_ranges_give_no_batches(mnist):
    assert list(batches(mnist.train, PLAIN, [])) == []


def test_plain_batch_has_training_images_with_their_labels(mnist):
    pixels, labels = make_batch(mnist.train, PLAIN, 3)
    assert pixels.shape == (128, 28, 28)
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.int32)
    train = zip(mnist.train.pixels, mnist.train.labels, strict=True)
    label_of = {image.tobytes(): label for image, label in train}
    assert [label_of[image.tobytes()] for image in pixels] == labels.tolist()


def test_augmentation_changes_images_and_keeps_labels(mnist):
    pixels, labels = make_batch(mnist.train, PLAIN, 0)
    augmented, same_labels = make_batch(mnist.train, AUGMENTED, 0)
    np.testing.assert_array_equal(same_labels, labels)
    assert share_of_different_images(augmented, pixels) > 0.99


def test_augmentation_differs_between_iterations_and_seeds(mnist):
    """All examples are the same digit, so that only the distortions can differ."""
    pixels, labels = mnist.train.pixels[:1], mnist.train.labels[:1]
    copies = DataSet(pixels.repeat(200, axis=0), labels.repeat(200), classes=10)

    def augmented(iteration, seed=0):
        return make_batch(copies, AUGMENTED.override(seed=seed), iteration)[0]

    first = augmented(0)
    np.testing.assert_array_equal(augmented(0), first)
    assert share_of_different_images(augmented(1), first) > 0.99
    assert share_of_different_images(augmented(0, seed=1), first) > 0.99


def share_of_different_images(some, others):
    return np.any(some != others, axis=(1, 2)).mean()


def test_next_batch_is_prepared_while_the_current_one_is_used(mnist, monkeypatch):
    made = []
    third_made = threading.Event()

    def observed(count, size, seed, iteration):
        made.append(iteration)
        if iteration == 2:
            third_made.set()
        return batch_indices(count, size, seed, iteration)

    monkeypatch.setattr(batches_module, "batch_indices", observed)
    supply = batches(mnist.train, PLAIN, (range(i, i + 1) for i in range(5)))
    used = [iterations for iterations, _ in itertools.islice(supply, 2)]
    assert used == [range(1), range(1, 2)]
    assert third_made.wait(timeout=30), "prepared before it is requested"
    assert made == [0, 1, 2], "only one batch ahead"
    supply.close()
