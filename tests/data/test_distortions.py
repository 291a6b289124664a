import dataclasses

import numpy as np
import pytest

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.data.distortions import augment
from mnist_graph.errors import UsageError
from mnist_graph.graph.recipes import recipes

NONE = Augmentation(rotation=0, shear=0, scale=0, shift=0, elastic=0, thickness=0)
STRONG = Augmentation(rotation=25, shear=20, scale=0.3, shift=9, elastic=0.8, thickness=0)
STRENGTHS = {"default": Augmentation(), "strong": STRONG}


def distort(images, strength, seed=0):
    return augment(images, np.random.default_rng(seed), strength)


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist.train.pixels[:1000]


def test_the_same_generator_gives_the_same_images_and_another_others(digits):
    once = distort(digits, Augmentation())
    np.testing.assert_array_equal(distort(digits, Augmentation()), once)
    assert np.any(distort(digits, Augmentation(), seed=1) != once, axis=(1, 2)).all()


def test_the_images_given_stay_as_they_are(digits):
    before = digits.copy()
    distort(digits, Augmentation(thickness=1))
    np.testing.assert_array_equal(digits, before)


def test_no_strength_is_no_change(digits):
    np.testing.assert_array_equal(distort(digits, NONE), digits)


@pytest.mark.parametrize("box", [20, 28], ids=["as MNIST's", "filling the frame"])
@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_no_ink_leaves_the_frame(strength, box):
    """A dot in each corner of the ink's box is the first to go where something is cut off."""
    low, high = (28 - box) // 2, (28 + box) // 2
    dots = np.zeros((300, 28, 28), np.uint8)
    for rows in (slice(low, low + 4), slice(high - 4, high)):
        for columns in (slice(low, low + 4), slice(high - 4, high)):
            dots[:, rows, columns] = 255
    assert {count_dots(image) for image in distort(dots, strength)} == {4}


def count_dots(image):
    """The connected regions of what is inked."""
    inked = set(zip(*np.nonzero(image > 32), strict=True))
    count = 0
    while inked:
        count += 1
        edge = [inked.pop()]
        while edge:
            y, x = edge.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & inked
            inked -= near
            edge.extend(near)
    return count


@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_the_ink_of_real_digits_is_only_as_much_more_or_less_as_they_grow(digits, strength):
    distorted = distort(digits, dataclasses.replace(strength, thickness=0))
    share = distorted.sum(axis=(1, 2), dtype=float) / digits.sum(axis=(1, 2), dtype=float)
    growth = (1 + strength.scale) ** 2
    assert np.quantile(share, 0.01) > 0.85 / growth
    assert np.quantile(share, 0.99) < 1.15 * growth


def test_a_shift_alone_keeps_every_bit_of_ink(digits):
    shifted = distort(digits, dataclasses.replace(NONE, shift=28))
    before, after = (a.sum(axis=(1, 2), dtype=float) for a in (digits, shifted))
    np.testing.assert_allclose(after, before, rtol=0.02)
    assert shifted[:, 0].any() or shifted[:, -1].any(), "some went as far as the edge"


def test_a_turn_turns_about_the_centre():
    bar = np.zeros((1, 29, 29), np.uint8)
    bar[0, 4:25, 14] = 255
    angles = []
    for seed in range(200):
        y, x = np.nonzero(distort(bar, dataclasses.replace(NONE, rotation=20), seed)[0] > 100)
        angles.append(np.degrees(np.arctan(np.polyfit(y - 14, x - 14, 1)[0])))
        assert abs(x.mean() - 14) < 0.6
    assert max(map(abs, angles)) == pytest.approx(20, abs=2)
    assert min(angles) < -15
    assert max(angles) > 15


def test_thickness_changes_the_share_of_images_it_says(digits):
    changed = distort(digits, dataclasses.replace(NONE, thickness=0.4))
    ink = changed.sum(axis=(1, 2), dtype=float) / digits.sum(axis=(1, 2), dtype=float)
    assert np.mean(ink != 1) == pytest.approx(0.4, abs=0.06)
    assert ink.min() < 0.9
    assert ink.max() > 1.1


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 32), (2, 7, 5), (1, 1, 1), (4, 64, 64)])
def test_every_frame_will_do(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    distorted = distort(images, Augmentation(thickness=1))
    assert distorted.shape == shape
    assert distorted.dtype == np.uint8


def test_empty_images_stay_empty():
    assert not distort(np.zeros((5, 28, 28), np.uint8), Augmentation()).any()


@pytest.mark.parametrize(
    "bad", [{"rotation": -1}, {"shear": 61}, {"thickness": 1.1}, {"elastic": float("nan")}]
)
def test_a_strength_that_cannot_be_is_refused(bad):
    with pytest.raises(UsageError, match=next(iter(bad))):
        Augmentation(**bad)


def test_a_recipe_with_augmentation_survives_its_file():
    recipe = recipes["cnn-best"]
    assert type(recipe).from_json(recipe.to_json()) == recipe


def test_blur_makes_some_images_coarse_and_leaves_the_others(mnist):
    images = mnist.train.pixels[:400]
    strength = dataclasses.replace(NONE, blur=0.25)
    blurred = distort(images, strength)
    untouched = (blurred == images).all(axis=(1, 2))
    assert 0.7 < untouched.mean() < 0.8
    before, after = images[~untouched], blurred[~untouched]
    np.testing.assert_array_equal(before.max(axis=(1, 2)), after.max(axis=(1, 2)))
    steps = [abs(np.diff(part.astype(float), axis=2)).max(axis=(1, 2)) for part in (before, after)]
    assert (steps[1] < steps[0]).mean() > 0.99
