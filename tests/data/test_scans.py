"""Digits as they come out of pictures: of all pens, still the same digit, in MNIST's form."""

import dataclasses

import numpy as np
import pytest

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.data.distortions import augment
from mnist_graph.data.scans import scan
from mnist_graph.runs.find import load_run
from mnist_graph.runs.predictor import Predictor
from mnist_graph.runs.shipped import SHIPPED, shipped_scan

OFF = Augmentation(rotation=0, shear=0, scale=0, shift=0, elastic=0, thickness=0)


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist.validation.pixels[:400]


def scans_of(images, seed=0):
    rngs = (np.random.default_rng((seed, number)) for number in range(len(images)))
    return np.stack([scan(image, rng) for image, rng in zip(images, rngs, strict=True)])


def test_a_scan_depends_only_on_the_image_and_the_generator(digits):
    before = digits.copy()
    once = scans_of(digits)
    np.testing.assert_array_equal(scans_of(digits), once)
    np.testing.assert_array_equal(digits, before)
    assert (scans_of(digits, seed=1) != once).any(axis=(1, 2)).mean() > 0.99


def test_scans_have_the_form_of_mnist(digits):
    scanned = scans_of(digits).astype(float)
    assert scanned.shape == digits.shape
    assert (scanned.max(axis=(1, 2)) > 200).all()
    places = np.arange(28)
    for axis in (1, 2):
        mass = scanned.sum(axis=3 - axis)
        off_centre = abs(mass @ places / mass.sum(axis=1) - 14)
        assert np.quantile(off_centre, 0.95) < 0.6  # no ink leaves the frame, even so
        extent = [np.ptp(np.flatnonzero(each)) + 1 for each in mass]
        assert max(extent) <= 20


def test_strokes_are_thin_and_broad(digits):
    ink = scans_of(digits[:1].repeat(200, axis=0)).sum(axis=(1, 2), dtype=float)
    thin, broad = np.quantile(ink, (0.1, 0.9))
    assert broad > 2 * thin


@pytest.mark.parametrize("image", [np.zeros((28, 28), np.uint8), np.eye(28, dtype=np.uint8)])
def test_an_image_of_which_nothing_is_seen_is_left_as_it_is(image):
    for seed in range(50):
        np.testing.assert_array_equal(scan(image, np.random.default_rng(seed)), image)


def test_digits_can_still_be_read(mnist, digits):
    best, scan = load_run(SHIPPED / "cnn-best"), shipped_scan()
    images, labels = scans_of(digits), mnist.validation.sparse_labels[:400]
    for run, least in ((best, 0.93), (scan, 0.96)):
        with Predictor(run) as opened:
            assert (opened.predict(images).argmax(axis=1) == labels).mean() > least


def test_scan_is_the_share_of_scanned_images(digits):
    strength = dataclasses.replace(OFF, scan=0.3)
    changed = augment(digits, np.random.default_rng(0), strength) != digits
    assert changed.any(axis=(1, 2)).mean() == pytest.approx(0.3, abs=0.07)


def test_a_part_of_a_batch_is_scanned_as_in_the_whole(digits):
    strength = Augmentation(scan=0.8)
    images, part = digits[:32], slice(20, 29)
    whole = augment(images, np.random.default_rng(7), strength)
    alone = augment(images[part], np.random.default_rng(7), strength, (32, part))
    np.testing.assert_array_equal(alone, whole[part])
