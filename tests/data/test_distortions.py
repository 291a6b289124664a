import dataclasses

import numpy as np
import pytest

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.data.distortions import augment
from mnist_graph.errors import UsageError

OFF = Augmentation(rotation=0, shear=0, scale=0, shift=0, elastic=0, thickness=0)
STRONG = Augmentation(rotation=25, shear=20, scale=0.3, shift=9, elastic=0.8, thickness=0)
STRENGTHS = {"default": Augmentation(), "strong": STRONG}


def distort(images, strength, seed=0):
    return augment(images, np.random.default_rng(seed), strength)


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist.train.pixels[:1000]


def test_augment_depends_only_on_images_and_generator(digits):
    once = distort(digits, Augmentation())
    np.testing.assert_array_equal(distort(digits, Augmentation()), once)
    assert np.any(distort(digits, Augmentation(), seed=1) != once, axis=(1, 2)).all()


def test_augment_does_not_change_its_input(digits):
    before = digits.copy()
    distort(digits, Augmentation(thickness=1))
    np.testing.assert_array_equal(digits, before)


def test_zero_strengths_change_nothing(digits):
    np.testing.assert_array_equal(distort(digits, OFF), digits)


@pytest.mark.parametrize("box", [20, 28], ids=["with-margin", "full-frame"])
@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_no_ink_leaves_the_frame(strength, box):
    """Dots in the corners of the ink's bounding box would be cut off first."""
    low, high = (28 - box) // 2, (28 + box) // 2
    dots = np.zeros((300, 28, 28), np.uint8)
    for rows in (slice(low, low + 4), slice(high - 4, high)):
        for columns in (slice(low, low + 4), slice(high - 4, high)):
            dots[:, rows, columns] = 255
    assert {count_dots(image) for image in distort(dots, strength)} == {4}


def count_dots(image):
    """Return the number of connected regions of ink."""
    ink = set(zip(*np.nonzero(image > 32), strict=True))
    count = 0
    while ink:
        count += 1
        edge = [ink.pop()]
        while edge:
            y, x = edge.pop()
            neighbours = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & ink
            ink -= neighbours
            edge.extend(neighbours)
    return count


def amount_of_ink(images):
    return images.sum(axis=(1, 2), dtype=float)


@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=STRENGTHS)
def test_amount_of_ink_changes_only_with_scale(digits, strength):
    distorted = distort(digits, dataclasses.replace(strength, thickness=0))
    ratio = amount_of_ink(distorted) / amount_of_ink(digits)
    growth = (1 + strength.scale) ** 2
    assert np.quantile(ratio, 0.01) > 0.85 / growth
    assert np.quantile(ratio, 0.99) < 1.15 * growth


def test_shift_keeps_all_ink(digits):
    shifted = distort(digits, dataclasses.replace(OFF, shift=28))
    np.testing.assert_allclose(amount_of_ink(shifted), amount_of_ink(digits), rtol=0.02)
    assert shifted[:, 0].any() or shifted[:, -1].any(), "some digits reach the edge"


def test_rotation_is_about_the_centre():
    bar = np.zeros((1, 29, 29), np.uint8)
    bar[0, 4:25, 14] = 255
    angles = []
    for seed in range(200):
        y, x = np.nonzero(distort(bar, dataclasses.replace(OFF, rotation=20), seed)[0] > 100)
        angles.append(np.degrees(np.arctan(np.polyfit(y - 14, x - 14, 1)[0])))
        assert abs(x.mean() - 14) < 0.6
    assert max(map(abs, angles)) == pytest.approx(20, abs=2)
    assert min(angles) < -15
    assert max(angles) > 15


def test_thickness_is_the_share_of_changed_images(digits):
    changed = distort(digits, dataclasses.replace(OFF, thickness=0.4))
    ratio = amount_of_ink(changed) / amount_of_ink(digits)
    assert np.mean(ratio != 1) == pytest.approx(0.4, abs=0.06)
    assert ratio.min() < 0.9
    assert ratio.max() > 1.1


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 32), (2, 7, 5), (1, 1, 1), (4, 64, 64)])
def test_images_of_any_size_are_distorted(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    distorted = distort(images, Augmentation(thickness=1))
    assert distorted.shape == shape
    assert distorted.dtype == np.uint8


def test_empty_images_stay_empty():
    assert not distort(np.zeros((5, 28, 28), np.uint8), Augmentation()).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [("rotation", -1), ("shear", 61), ("thickness", 1.1), ("elastic", float("nan"))],
)
def test_strength_out_of_range_is_refused(name, value):
    with pytest.raises(UsageError, match=f"^{name} must be from 0 to "):
        Augmentation(**{name: value})


def test_blur_is_the_share_of_blurred_images(digits):
    images = digits[:400]
    blurred = distort(images, dataclasses.replace(OFF, blur=0.25))
    untouched = (blurred == images).all(axis=(1, 2))
    assert 0.7 < untouched.mean() < 0.8
    before, after = images[~untouched], blurred[~untouched]
    np.testing.assert_array_equal(before.max(axis=(1, 2)), after.max(axis=(1, 2)))
    assert (sharpness(after) < sharpness(before)).mean() > 0.99


def sharpness(images):
    """Return the largest difference between neighbouring pixels of each image."""
    return abs(np.diff(images.astype(float), axis=2)).max(axis=(1, 2))
