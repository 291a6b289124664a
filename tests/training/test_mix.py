"""--mix: MNIST's digits in batches of one's own."""

import numpy as np
import pytest
from helpers import StopAt, assert_refused, same_variables, some_mnist, write_data

from mnist_graph import read_data_sets, recipes, resume, train
from mnist_graph.data.batches import make_batch, training_batches
from mnist_graph.data.datasets import DataSet
from mnist_graph.data.originals import find_originals
from mnist_graph.errors import UsageError
from mnist_graph.training.hooks import Stop

PLAIN = recipes["mlp"].override(hidden=(20,), iterations=8, batch_size=10, validation_size=0)
OWN = ("--model", "mlp", "--data-dir", "few", "--validation-size", 0)


@pytest.fixture
def few(tmp_path, mnist):
    """300 digits, none of them of MNIST: upside down."""
    folder = write_data(tmp_path / "few", *some_mnist(mnist, rows=slice(None, None, -1)))
    return read_data_sets(folder, validation_size=0)


def rows_of(dataset):
    return {image.tobytes(): label for image, label in zip(*halves(dataset), strict=True)}


def halves(dataset):
    return dataset.pixels, dataset.sparse_labels


@pytest.mark.parametrize(("mix", "size", "count"), [(0.5, 10, 5), (0.26, 10, 3), (0.96, 25, 24)])
def test_each_batch_has_exactly_the_rounded_share(few, mix, size, count):
    recipe = PLAIN.override(mix=mix, batch_size=size)
    assert recipe.mixed_in == count
    originals = find_originals(few)
    assert originals.num_examples == 60_000
    own, theirs = rows_of(few.train), rows_of(originals)
    for iteration in range(30):
        pixels, labels = make_batch(few.train, recipe, iteration, originals)
        assert (len(pixels), labels.dtype) == (size, np.int32)
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            where = own if number < size - count else theirs
            assert where[image.tobytes()] == label


def test_every_own_image_comes_once_in_an_epoch_and_the_others_vary(few):
    recipe, originals = PLAIN.override(mix=0.5), find_originals(few)
    batches = [make_batch(few.train, recipe, i, originals)[0] for i in range(60)]
    own = {image.tobytes() for pixels in batches for image in pixels[:5]}
    assert own == set(rows_of(few.train))
    assert len({image.tobytes() for pixels in batches for image in pixels[5:]}) > 295


@pytest.mark.parametrize("model", ["mlp", "cnn-fast"])
def test_mixed_batches_follow_from_seed_and_iteration_alone(few, model):
    recipe = recipes[model].override(batch_size=10, mix=0.3)
    ((_, whole),) = training_batches(few, recipe, False, [range(6)])
    later = dict(training_batches(few, recipe, False, [range(2, 3), range(3, 6)]))
    pairs = zip(whole, zip(*later.values(), strict=True), strict=True)
    for part, pieces in pairs:
        np.testing.assert_array_equal(np.concatenate(pieces), part[20:])
    ((_, others),) = training_batches(few, recipe.override(seed=1), False, [range(6)])
    assert (others[0] != whole[0]).any()


@pytest.mark.parametrize("model", ["mlp", "cnn-fast"])
def test_shares_of_a_mixed_batch_add_up_to_it(few, model):
    recipe = recipes[model].override(batch_size=10, mix=0.5)
    ((_, whole),) = training_batches(few, recipe, False, [range(2)])
    rows = (slice(0, 3), slice(3, 7), slice(7, 10))
    parts = [next(training_batches(few, recipe, False, [range(2)], each))[1] for each in rows]
    for number in (0, 1):
        split = [part[number].reshape(2, -1, *part[number].shape[1:]) for part in parts]
        joined = np.concatenate(split, axis=1)
        np.testing.assert_array_equal(joined.reshape(whole[number].shape), whole[number])


def test_resume_of_a_mixed_run_is_the_uninterrupted_run(few, tmp_path):
    recipe = PLAIN.override(mix=0.4)
    whole = train(recipe, few, tmp_path / "whole")
    with pytest.raises(Stop):
        train(recipe, few, tmp_path / "stopped", hooks=[StopAt(3)])
    resumed = resume(tmp_path / "stopped", few)
    assert same_variables(resumed.directory, whole.directory)
    assert resumed.recipe.mix == 0.4
    assert not same_variables(train(PLAIN, few, tmp_path / "own").directory, whole.directory)


def test_other_originals_can_be_given(few, mnist):
    nines = mnist.train.sparse_labels == 9
    given = DataSet(mnist.train.pixels[nines], mnist.train.sparse_labels[nines], 10)
    recipe = PLAIN.override(mix=0.5)
    ((_, (_, labels)),) = training_batches(few._replace(originals=given), recipe, False, [range(4)])
    assert set(labels.reshape(4, 10)[:, 5:].ravel()) == {9}


def test_without_a_mix_there_are_no_originals(few):
    recipe = PLAIN
    ((_, (pixels, _)),) = training_batches(few, recipe, False, [range(1)])
    np.testing.assert_array_equal(pixels, make_batch(few.train, recipe, 0)[0])


WRONG = [
    (("--mix", 1), "mix must be at least 0 and below 1, not 1.0"),
    (("--mix", -0.1), "mix must be at least 0 and below 1, not -0.1"),
    (("--mix", "nan"), "mix must be at least 0 and below 1, not nan"),
    (("--mix", "half"), "argument --mix: invalid float value: 'half'"),
    (("--mix", 0.01, "--batch-size", 10), "a share that leaves a batch of 10 an image of either"),
    (("--mix", 0.99, "--batch-size", 10), "a share that leaves a batch of 10 an image of either"),
    (("--mix", 0.5, "--batch-size", 700), "batch_size is 700, less 350 that are mixed in, but"),
    (("--mix", 0.5, "--set", "mix=0.4"), "mix is given twice"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_an_invalid_mix_is_refused(few, command, tmp_path, words, said):
    assert_refused(command(*OWN, *words), 2, said)
    assert not (tmp_path / "runs").exists()


def test_mix_needs_images_like_mnists(command, tmp_path, mnist):
    write_data(tmp_path / "three", *some_mnist(mnist, classes=3))
    write_data(tmp_path / "low", *some_mnist(mnist, rows=slice(27)))
    mixed = ("--model", "mlp", "--mix", 0.5, "--validation-size", 0)
    said = "mix adds digits of 10 classes in 28x28, but the data has"
    assert_refused(command(*mixed, "--data-dir", "three"), 2, f"{said} 3 classes in 28x28")
    assert_refused(command(*mixed, "--data-dir", "low"), 2, f"{said} 10 classes in 27x28")
    assert_refused(command(*mixed), 2, "mix adds MNIST's digits to data of your own")
    assert_refused(command("--model", "reader", "--mix", 0.5), 2, "reader has no mix to set")
    swept = ("--model", "mlp", "--sweep", "mix=0.1,0.5")
    assert_refused(command(*swept), 2, "mix adds MNIST's digits to data of your own")
    assert not (tmp_path / "runs").exists()


def test_mnist_itself_is_not_mixed_into_mnist(mnist):
    with pytest.raises(UsageError, match="data of your own"):
        find_originals(mnist)
