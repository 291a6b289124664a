"""Strips: rows of digits made from MNIST, pen strokes and allographs."""

import numpy as np
import pytest

from mnist_graph.data.datasets import DataSet, DataSets, read_data_sets
from mnist_graph.data.strips.allographs import ALLOGRAPHS
from mnist_graph.data.strips.form import pad_strips, to_strip
from mnist_graph.data.strips.hands import Digits, pen_strokes, pick_hand, training_writers
from mnist_graph.data.strips.maker import StripMaker, make_test_strips, training_strips
from mnist_graph.data.strips.paper import Lines
from mnist_graph.data.strips.pen import Pen, draw_image, draw_strokes, smooth
from mnist_graph.data.strips.writing import write_row

PEN = Pen(height=40.0, width=1.0, slant=0.0, thickness=4.0, wobble=0.0)


@pytest.fixture(scope="module")
def mnist() -> DataSets:
    return read_data_sets(validation_size=0)


@pytest.fixture(scope="module")
def maker(mnist: DataSets) -> StripMaker:
    return training_strips(mnist, seed=3)


def test_a_batch_is_a_function_of_seed_and_iteration(maker: StripMaker, mnist: DataSets) -> None:
    first, again = maker.batch(7, 4), training_strips(mnist, seed=3).batch(7, 4)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.labels, again.labels)
    other = training_strips(mnist, seed=4).batch(7, 4)
    assert first.pixels.shape != other.pixels.shape or (first.pixels != other.pixels).any()
    later = maker.batch(8, 4)
    assert first.pixels.shape != later.pixels.shape or (first.pixels != later.pixels).any()


def test_batches_have_the_form_that_the_network_reads(maker: StripMaker) -> None:
    counts: list[int] = []
    digits = set()
    for iteration in range(12):
        pixels, labels = maker.batch(iteration, 16)
        assert pixels.dtype == np.uint8
        assert pixels.shape[:2] == (16, 32)
        assert pixels.shape[2] % 32 == 0
        assert labels.dtype == np.int32
        assert len(labels) == 16
        for row in labels:
            count = int((row >= 0).sum())
            assert (row[count:] == -1).all()
            # CTC needs a column of 4 pixels for each digit, and one between equal ones.
            assert 2 * count <= pixels.shape[2] / 4
            counts.append(count)
            digits.update(row[:count].tolist())
    assert digits == set(range(10))
    assert min(counts) == 0
    assert max(counts) >= 8


def test_digits_are_legible(maker: StripMaker) -> None:
    # Whatever pen, paper and camera are: more ink with digits than without.
    dark = []
    for number in range(60):
        pixels, digits = maker.strip((0, number), 150)
        if digits:
            dark.append((pixels > 128).mean())
    assert 0.02 < np.mean(dark) < 0.4


def test_rows_end_where_the_strip_does(mnist: DataSets, monkeypatch: pytest.MonkeyPatch) -> None:
    for lines in ("draw", "draw_cells"):
        monkeypatch.setattr(Lines, lines, lambda *_: None)
    digits, longest = Digits(mnist.train), 0
    for seed in range(150):
        row = write_row(digits, 300, np.random.default_rng(seed))
        longest = max(longest, np.flatnonzero(row.ink.any(axis=0)).max(initial=0))
    assert 250 < longest < 300


def test_places_of_a_form_are_equally_wide_and_enough_for_its_digits(
    mnist: DataSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges: list[float] = []
    monkeypatch.setattr(Lines, "draw_cells", lambda _, drawn: edges.extend(drawn))
    digits, forms = Digits(mnist.train), 0
    for seed in range(150):
        edges.clear()
        row = write_row(digits, 600, np.random.default_rng(seed))
        if len(edges) < 4 or not row.digits:
            continue
        forms += 1
        assert len(edges) > len(row.digits)
        np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0])
    assert forms > 5


def test_test_strips_are_always_the_same_and_of_the_given_digits(mnist: DataSets) -> None:
    strips, again = make_test_strips(mnist.test, 12), make_test_strips(mnist.test, 12)
    np.testing.assert_array_equal(strips.pixels, again.pixels)
    np.testing.assert_array_equal(strips.labels, again.labels)
    assert (strips.labels >= 0).any()
    # Images without ink leave nothing but marks: no digit comes from another source.
    images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)
    hand = pick_hand(Digits(DataSet(images, labels, 10)), PEN, np.random.default_rng(0), True)
    assert not any(hand.draw(k % 10, np.random.default_rng(k)).ink.any() for k in range(100))


def test_a_row_is_written_by_one_person(mnist: DataSets) -> None:
    writers = training_writers(mnist.sha256, 60_000)
    assert writers is not None
    assert len(writers) == 60_000
    assert len(np.unique(writers)) == 539
    digits = Digits(mnist.train, writers)
    assert len(digits.by_writer) == 539
    rng = np.random.default_rng(0)
    writer = int(rng.integers(539))
    theirs = np.flatnonzero(writers == np.unique(writers)[writer])
    labels = mnist.train.sparse_labels[theirs]
    digit = int(labels[0])
    image = digits.image(digit, writer, rng)
    assert any((image == mnist.train.pixels[k]).all() for k in theirs[labels == digit])


def test_other_data_has_no_writers() -> None:
    assert training_writers({"train-images-idx3-ubyte": "0"}, 10) is None


def test_pen_strokes_are_those_of_the_files() -> None:
    forms = pen_strokes()
    assert sum(map(len, forms)) == 10_992
    assert forms[8][0][0] == (0.47, 0.0)
    assert len(forms[8][0]) == 8


@pytest.mark.parametrize("digit", range(10))
def test_allographs_fill_their_square(digit: int) -> None:
    for strokes in ALLOGRAPHS[digit]:
        points = np.concatenate([np.array(stroke) for stroke in strokes])
        assert -0.05 <= points[:, 1].min() <= 0.25
        assert 0.9 <= points[:, 1].max() <= 1.2
        glyph = draw_strokes(strokes, PEN, np.random.default_rng(0))
        assert 34 <= np.ptp(np.nonzero(glyph.ink)[0]) <= 60


def test_a_curve_goes_through_its_points() -> None:
    points = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, 4.0)])
    curve = smooth(points)
    for point in points:
        assert np.abs(curve - point).sum(axis=1).min() < 1e-9


def test_thicker_pens_leave_more_ink(mnist: DataSets) -> None:
    thin, thick = (
        draw_image(mnist.train.pixels[0], PEN._replace(thickness=t)).ink for t in (2.0, 7.0)
    )
    assert (thick > 128).sum() > 1.4 * (thin > 128).sum()


def test_any_picture_of_a_row_becomes_a_strip() -> None:
    grey = np.full((50, 120), 200, np.uint8)
    grey[10:40, 20:26] = 80
    strip = to_strip(grey)
    assert strip.shape == (32, 77)
    assert strip.dtype == np.uint8
    assert strip.max() == 255
    assert np.median(strip) == 0
    empty = to_strip(np.full((8, 8), 17, np.uint8))
    assert empty.shape == (32, 32)
    assert not empty.any()
    assert pad_strips([strip, empty]).shape == (2, 32, 96)
