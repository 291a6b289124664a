"""Photographs keep their pixels: they are moved, mirrored, turned and lit as a whole."""

import dataclasses

import numpy as np
import pytest
from photos import crops

from mnist_graph.data.augmentation import PHOTO, Augmentation
from mnist_graph.data.photo_distortions import augment_photos
from mnist_graph.errors import UsageError

OFF = dataclasses.replace(PHOTO, shift=0, flip=0)


@pytest.fixture(scope="module")
def images():
    return crops("china", 40)


def distort(images, seed=0, part=None, **strength):
    rng = np.random.default_rng(seed)
    return augment_photos(images, rng, dataclasses.replace(OFF, **strength), part)


def test_zero_strengths_change_nothing(images):
    np.testing.assert_array_equal(distort(images), images)


def test_the_input_stays_as_it_is(images):
    before = images.copy()
    distort(images, shift=4, flip=1, rotation=10, brightness=0.5, contrast=0.5)
    np.testing.assert_array_equal(images, before)


def test_flip_mirrors_left_to_right(images):
    np.testing.assert_array_equal(distort(images, flip=1), images[:, :, ::-1])
    flipped = distort(images, flip=0.5)
    is_same = (flipped == images).all(axis=(1, 2, 3))
    is_mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (is_same ^ is_mirrored).all()
    assert 0.25 < is_same.mean() < 0.75


def test_shift_moves_whole_pixels_and_repeats_the_edge(images):
    shifted = distort(images, shift=4)
    seen = set()
    for image, moved in zip(images, shifted, strict=True):
        padded = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="edge")
        found = [
            (down, right)
            for down in range(-4, 5)
            for right in range(-4, 5)
            if np.array_equal(moved, padded[4 - down : 36 - down, 4 - right : 36 - right])
        ]
        assert found
        seen.update(found)
    assert {-4, 4} <= {shift for pair in seen for shift in pair}


def test_shift_below_the_centre_is_a_random_crop(images):
    """What the recipe cifar10 relies on: the centre of a shifted image is all of the image."""
    for image, moved in zip(images, distort(images, shift=4), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (24, 24, 3))[:, :, 0]
        assert (windows == moved[4:-4, 4:-4]).all(axis=(2, 3, 4)).any()


def test_rotation_of_a_constant_changes_nothing():
    plain = np.full((5, 20, 30, 3), (200, 100, 50), np.uint8)
    np.testing.assert_array_equal(distort(plain, rotation=30, scale=0.3, shear=10), plain)


def test_rotation_moves_the_same_pixels_in_all_channels(images):
    grey = images[..., :1].repeat(3, axis=3)
    turned = distort(grey, rotation=20, shift=3, flip=0.5)
    assert (turned[..., 0] == turned[..., 1]).all()
    assert (turned[..., 0] == turned[..., 2]).all()
    assert (turned != grey).any(axis=(1, 2, 3)).all()


def test_a_small_rotation_with_a_flip_is_near_the_mirror_image(images):
    turned = distort(images, rotation=0.01, flip=1).astype(int)
    assert abs(turned - images[:, :, ::-1]).max() <= 2


def test_brightness_adds_and_contrast_multiplies(images):
    brighter = distort(images, brightness=0.1).astype(int) - images
    inner = (images > 30) & (images < 225)  # others may be cut off
    steps = [np.unique(each[within]) for each, within in zip(brighter, inner, strict=True)]
    assert all(np.ptp(each) <= 1 for each in steps if each.size)  # rounding
    assert len({each[0] for each in steps if each.size}) > 10
    means = images.mean(axis=(1, 2))
    stronger = distort(images, contrast=0.3)
    spread = stronger.std(axis=(1, 2)) / images.std(axis=(1, 2))
    assert spread.min() > 0.65
    assert spread.max() < 1.35
    assert spread.std() > 0.05
    assert abs(stronger.mean(axis=(1, 2)) - means).max() < 15  # less what is cut off at 255


def test_grey_photographs_are_distorted_as_each_channel_is(images):
    strength = {"shift": 3, "flip": 0.5, "rotation": 5, "contrast": 0.2}
    colour = distort(images[..., :1].repeat(3, axis=3), **strength)
    np.testing.assert_array_equal(distort(images[..., 0], **strength), colour[..., 0])


@pytest.mark.parametrize("strength", [{"shift": 3}, {"rotation": 9, "brightness": 0.2}])
def test_a_part_is_distorted_as_in_the_whole_batch(images, strength):
    whole, rows = distort(images, **strength), slice(7, 19)
    part = distort(images[rows], part=(len(images), rows), **strength)
    np.testing.assert_array_equal(part, whole[rows])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"photo": True}, "elastic is for ink on an empty background .photo=false., and must be 0"),
        ({"flip": 0.5}, "flip is for photographs .photo=true., and must be 0 with photo=false"),
        ({"photo": 1}, "photo must be true or false, not 1"),
    ],
)
def test_distortions_of_ink_and_of_photographs_are_not_mixed(values, said):
    with pytest.raises(UsageError, match=said):
        Augmentation(**values)
