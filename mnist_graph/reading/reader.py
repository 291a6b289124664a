"""A trained network that reads rows of handwriting."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from mnist_graph.data.arguments import require
from mnist_graph.data.strips.form import HEIGHT, WIDTH_STEP, pad_strips
from mnist_graph.reading.boxes import Box
from mnist_graph.reading.decode import Decoded, decode
from mnist_graph.reading.digit import Digit, make_digit
from mnist_graph.reading.picture import Picture
from mnist_graph.reading.prepare import Prepared, prepare
from mnist_graph.reading.strips import Strip

BATCH_PIXELS = 32 * HEIGHT * 384
"""Greatest size of a batch, in pixels: 32 strips of a dozen digits. Bounds the memory."""


class Reader:
    def __init__(self, network):
        self.network = network

    def read(self, picture: Picture) -> list[Digit]:
        return self.read_prepared(prepare(picture))

    def read_prepared(self, prepared: Prepared) -> list[Digit]:
        require("prepared", prepared, Prepared, "what prepare returns")
        strips = [strip for row in prepared.rows for strip in row.strips]
        columns = iter(self._predict([strip.pixels for strip in strips]))
        digits, number = [], 0
        for row in prepared.rows:
            found = [
                digit
                for strip in row.strips
                for digit in locate(strip, decode(next(columns)), prepared.size)
            ]
            if found:
                digits += [
                    make_digit(number, column, box, p)
                    for column, (box, p) in enumerate(found)
                ]
                number += 1
        return digits

    def _predict(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        columns: list[np.ndarray] = [np.zeros((0, 11), np.float32)] * len(strips)
        for batch in batches([strip.shape[1] for strip in strips]):
            predicted = self.network.predict_columns(pad_strips([strips[i] for i in batch]))
            for index, values in zip(batch, predicted, strict=True):
                columns[index] = values
        return columns


def batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Divide strips of these widths into batches of similar width: lists of indices."""
    batch: list[int] = []
    for index in np.argsort(widths, kind="stable").tolist():
        padded = -(-widths[index] // WIDTH_STEP) * WIDTH_STEP
        if batch and (len(batch) + 1) * padded * HEIGHT > BATCH_PIXELS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


INK = 96
"""Of 255: what is darker in a strip counts as ink of a digit."""


def locate(strip: Strip, decoded: Decoded, size: tuple[int, int]) -> list[tuple[Box, np.ndarray]]:
    """Return each digit's box in the picture and its probabilities."""
    ink = strip.pixels > INK
    dark = strip.pixels.sum(axis=0, dtype=np.int64)
    centres = np.minimum(decoded.columns * 4 + 2, len(dark) - 1).tolist()
    bounds = [0]
    for one, other in zip(centres, centres[1:]):
        if other - one < 2:
            bounds.append(other)
            continue
        between = np.arange(one + 1, other)
        away = abs(between - (one + other) / 2)
        bounds.append(int(between[np.argmin(dark[between] + 20 * away)]))
    bounds.append(len(dark))
    found = []
    for centre, left, right, p in zip(centres, bounds, bounds[1:], decoded.probabilities):
        found.append((strip.to_picture(_ink_box(ink, centre, left, right), size), p))
    return found


def _ink_box(ink: np.ndarray, centre: int, left: int, right: int) -> Box:
    """Return the box of the ink around column `centre` between two columns, or all between."""
    part = ink[:, left:right].astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    if len(stats) < 2:
        return Box(left, 0, right, HEIGHT)
    tall = stats[1:, cv2.CC_STAT_HEIGHT]
    start, width = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_WIDTH]
    main = int(stats[1:, cv2.CC_STAT_AREA].argmax())
    near = (start < start[main] + width[main]) & (start + width > start[main])
    near &= tall > 2
    near[main] = True
    boxes = stats[1:][near]
    return Box(
        left + int(boxes[:, 0].min()),
        int(boxes[:, 1].min()),
        left + int((boxes[:, 0] + boxes[:, 2]).max()),
        int((boxes[:, 1] + boxes[:, 3]).max()),
    )
