"""Pages of real digits, drawn for tests, and what the reader finds on them."""

import io
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from mnist_graph.reading.digit import make_digit
from mnist_graph.reading.prepare import prepare
from mnist_graph.reading.reader import Reader

HEIGHT = 60
"""The height of a digit in pixels."""
ROWS = [[3, 1, 4], [1, 5, 9, 2], [6, 5]]
"""The labels on a page, row by row."""
MIN_OVERLAP = 0.3
"""The least intersection over union of a box found with the true one."""


class Written(NamedTuple):
    """A digit written on a page."""

    row: int
    column: int
    box: tuple[float, float, float, float]
    """Left, top, right and bottom of the ink, in pixels of the picture."""
    label: int


def scaled_ink(image, height=HEIGHT):
    """Return an MNIST image cropped to its ink and scaled to `height`: float32 in [0, 1]."""
    rows, columns = np.nonzero(image > 64)
    cropped = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width = max(1, round(cropped.shape[1] * height / len(cropped)))
    large = cv2.resize(
        cropped.astype(np.float32) / 255, (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(large, 0, 1)


def write_digits(digits, rows=ROWS, spacing=40, line_height=110, slope=0.0, height=HEIGHT):
    """Write digits of the labels in `rows` on a page.

    Returns the share of ink at each pixel, float32 [h, w], and a list of Written.
    """
    ink = np.zeros((120 + line_height * len(rows), 560), np.float32)
    written = []
    for row, labels in enumerate(rows):
        x = 50
        for column, label in enumerate(labels):
            digit = scaled_ink(digits[label][row + column], height)
            y = round(50 + row * line_height + slope * x)
            place = ink[y : y + len(digit), x : x + digit.shape[1]]
            np.maximum(place, digit, out=place)
            box = (x, y, x + digit.shape[1], y + len(digit))
            written.append(Written(row, column, box, label))
            x += digit.shape[1] + spacing
    return ink, written


def paint(ink, paper=235.0, pen=40.0):
    """Return a grey picture of `ink` with a pen of this grey, on paper of one grey or one per
    pixel.
    """
    paper = np.broadcast_to(np.asarray(paper, np.float32), ink.shape)
    return Image.fromarray(np.clip(paper * (1 - ink) + pen * ink, 0, 255).astype(np.uint8))


def add_noise(picture, spread=6, quality=60):
    """Return the picture with noise of this standard deviation, compressed as JPEG."""
    noise = np.random.default_rng(0).normal(0, spread, (picture.height, picture.width))
    noisy = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


def rotate(picture, degrees):
    """Return the picture rotated counterclockwise in its frame, filled up with paper."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=235)


class BlobReader(Reader):
    """A reader without a network: predicts a 0 in the middle of each blob of ink that is half as
    high as a digit, with a probability of 0.91.
    """

    def __init__(self):
        pass

    def predict_strips(self, strips):
        return [self.predict(strip) for strip in strips]

    def predict(self, strip):
        columns = empty_columns(strip)
        _, _, stats, _ = cv2.connectedComponentsWithStats(np.uint8(strip > 110))
        for left, _, width, height, _ in stats[1:]:
            if height >= 10 and width < 60:
                column = columns[(left + width // 2) // 4]
                column[:] = 0.01
                column[0] = 0.9
        return columns


def empty_columns(strip):
    """Return the probabilities of a strip in which no digit is."""
    columns = np.zeros((-(-strip.shape[1] // 4), 11), np.float32)
    columns[:, 10] = 1
    return columns


def find_digits(picture):
    """Read the rows of a picture with BlobReader."""
    return BlobReader().read(picture)


def find_pieces(picture):
    """Return what a network of 28x28 images would be given, as digits that are all 0."""
    zero = np.eye(10, dtype=np.float32)[0]
    return [
        make_digit(row, column, piece.box, zero)
        for row, prepared in enumerate(prepare(picture).rows)
        for column, piece in enumerate(prepared.pieces)
    ]


def row_lengths(digits):
    """Return the number of digits in each row."""
    return np.unique([digit.row for digit in digits], return_counts=True)[1].tolist()


def match_digits(written, found):
    """Return pairs (written, found) of the digits whose boxes overlap."""
    pairs, left = [], list(found)
    for true in written:
        best = max(left, key=lambda digit: _overlap(true.box, digit.box), default=None)
        if best is not None and _overlap(true.box, best.box) >= MIN_OVERLAP:
            pairs.append((true, best))
            left = [digit for digit in left if digit is not best]
    return pairs


def assert_found(picture, written, tolerance=8):
    """Assert that exactly the digits written are found, each in its row, column and box, by the
    way of both kinds of networks. Boxes may be `tolerance` pixels off.
    """
    for find in (find_digits, find_pieces):
        _assert_same(written, find(picture), tolerance)


def assert_pieces(picture, written):
    """Assert the same of `find_pieces` alone: BlobReader does not know print from writing."""
    _assert_same(written, find_pieces(picture), 8)


def _assert_same(written, found, tolerance):
    pairs = match_digits(written, found)
    assert len(pairs) == len(written) == len(found)
    for true, digit in pairs:
        assert (digit.row, digit.column) == (true.row, true.column)
        assert max(abs(np.subtract(digit.box, true.box))) <= tolerance


def _overlap(one, other):
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
