"""Single digits, for a network of 28x28 images: components and what belongs to them."""

from typing import NamedTuple

import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.page import Page
from mnist_graph.reading.rows import Components

MAX_ASPECT = 2.5
"""No digit is wider than this many times its height."""
FULL_INK = 80
"""The percentile of a digit's contrast that counts as full ink."""


class Piece(NamedTuple):
    """What may be a digit."""

    box: Box
    """In pixels of the picture."""
    ink: np.ndarray
    """float32 [h, w] in [0, 1]: its ink and nothing else, in working pixels."""


def cut_out(page: Page, components: Components, members: list[int]) -> Piece | None:
    """Cut the piece that consists of these components out of the page; None if it is too wide for
    a digit."""
    left, top = components.boxes[members, :2].min(axis=0).tolist()
    right, bottom = components.boxes[members, 2:].max(axis=0).tolist()
    box = Box(left, top, right, bottom)
    if box.width > MAX_ASPECT * box.height:
        return None
    mine = np.isin(components.labels[box.inside], np.array(members) + 1)
    ink = np.where(mine, page.contrast(box), 0)
    full = max(float(np.percentile(ink[mine], FULL_INK)), 1e-3)
    return Piece(page.to_picture(box), np.clip(ink / full, 0, 1))
