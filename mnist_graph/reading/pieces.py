"""From ink to what may be digits: connected pieces, put together where they belong together."""

import heapq
from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.reading.boxes import Box
from mnist_graph.reading.paper import Ink, stroke_width


class Piece(NamedTuple):
    """Ink that belongs together."""

    labels: tuple[int, ...]
    """Its connected components."""
    box: Box
    area: int

    def join(self, other: "Piece") -> "Piece":
        return Piece(self.labels + other.labels, self.box.union(other.box), self.area + other.area)


class Pieces(NamedTuple):
    """Everything on a page that may be a digit, or several that touch."""

    pieces: list[Piece]
    components: np.ndarray
    """int32 [h, w]: the number of the connected component, 0 on the paper."""
    height: float
    """Of a typical digit, in working pixels."""
    stroke: float
    """The typical width of a stroke, in working pixels."""


MOST = 2500
"""On a page with more pieces than this nothing is written: it is noise, or a pattern."""
FAR = 0.5
"""Nothing is farther than this share of a digit's height from what it is part of."""
BAR = 1.5
"""What is lower than a digit and so many times as wide as high may be the bar of one."""
SPECK = 0.2
"""Nothing smaller than this share of a digit's height is part of one."""
FINE = 0.4
"""A stroke is broader than this share of what is usual on the page."""
INKED = 4.0
"""The strokes of a digit are so many times as long as it is high."""
CUT = 0.5
"""What the picture's edge cuts for more than this share of its own side is no whole digit;"""
ASTRAY = (1.0, 0.5)
"""and farther than so many digits' heights to the side and up or down from all that is whole,
it is no digit at all."""


def find_pieces(ink: Ink) -> Pieces:
    """What is written, without specks and what comes in from the picture's edge."""
    stroke = stroke_width(ink.mask)
    components, pieces = _components(ink.mask)
    pieces = [piece for piece in pieces if not _is_frame(piece.box, ink.mask.shape)]
    if len(pieces) <= MOST:
        pieces = _without_cut_off(pieces, components, stroke)
        height = _typical_height(_mended(pieces, components, stroke), stroke)
    else:
        height = _typical_height(pieces, stroke)
    pieces = [p for p in pieces if max(p.box.width, p.box.height) > SPECK * height]
    pieces = [p for p in pieces if p.area > 0.8 * stroke * stroke or p.box.height > 0.5 * height]
    # What is left of a line is finer than any pen.
    pieces = [p for p in pieces if p.area > FINE * stroke * max(p.box.width, p.box.height)]
    if len(pieces) > MOST:
        pieces = []
    return Pieces(_assemble(pieces, components, height), components, height, stroke)


def _components(mask: np.ndarray) -> tuple[np.ndarray, list[Piece]]:
    _, components, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = max(6, np.percentile(stats[1:, cv2.CC_STAT_AREA], 99) / 200) if len(stats) > 1 else 0
    pieces = []
    for label, (left, top, width, height, area) in enumerate(stats[1:].tolist(), start=1):
        if area >= least:
            pieces.append(Piece((label,), Box(left, top, left + width, top + height), area))
    return components, pieces


def _is_frame(box: Box, shape: tuple[int, int]) -> bool:
    """Whether `box` runs along an edge of the picture, as a table does, or a scanner's lid."""
    height, width = shape
    sides = (box.left <= 1, box.top <= 1, box.right >= width - 1, box.bottom >= height - 1)
    along = (box.height / height, box.width / width) * 2
    return any(side and share > 0.6 for side, share in zip(sides, along, strict=True)) and (
        sum(sides) < 4 or box.width * box.height < height * width
    )


def _without_cut_off(pieces: list[Piece], components: np.ndarray, stroke: float) -> list[Piece]:
    """The pieces but for what comes in from the picture's edge and lies astray: the grain of a
    table, the next line of the paper. Where the edge cuts everything, all of it stays.
    """
    reach = 2 + round(stroke / 2)
    cut = [_is_cut_off(piece, components, reach) for piece in pieces]
    whole = [piece for piece, is_cut in zip(pieces, cut, strict=True) if not is_cut]
    if len(whole) in (0, len(pieces)):
        return pieces
    height = _typical_height(whole, stroke)
    if height < SPECK * _typical_height(pieces, stroke):
        return pieces
    boxes = np.array([piece.box for piece in whole if piece.box.height > 0.5 * height])
    far = (ASTRAY[0] * height, ASTRAY[1] * height)
    return [
        piece
        for piece, is_cut in zip(pieces, cut, strict=True)
        if not is_cut or _near(piece.box, boxes, *far)
    ]


def _is_cut_off(piece: Piece, components: np.ndarray, reach: int) -> bool:
    """Whether an edge of the picture, which is seen so many pixels from it, cuts it for much of
    its side there.
    """
    box, (height, width) = piece.box, components.shape
    down, across = slice(box.top, box.bottom), slice(box.left, box.right)
    edges = (
        (box.top < reach, components[:reach, across].max(axis=0), box.width),
        (box.bottom > height - reach, components[-reach:, across].max(axis=0), box.width),
        (box.left < reach, components[down, :reach].max(axis=1), box.height),
        (box.right > width - reach, components[down, -reach:].max(axis=1), box.height),
    )
    return any(
        there and np.count_nonzero(np.isin(edge, piece.labels)) > CUT * side
        for there, edge, side in edges
    )


def _mended(pieces: list[Piece], components: np.ndarray, stroke: float) -> list[Piece]:
    """The pieces, with those put together that lie one on the other and all but touch."""
    mended: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.box.top):
        for index, other in enumerate(mended):
            across, down = piece.box.gap(other.box)
            over = -across > 0.5 * min(piece.box.width, other.box.width)
            if over and 0 <= down < stroke and _ink_gap(piece, other, components) < stroke:
                mended[index] = other.join(piece)
                break
        else:
            mended.append(piece)
    return mended


def _typical_height(pieces: list[Piece], stroke: float) -> float:
    """The height at which half of the ink is in lower pieces, of those that a digit could be;
    a blot counts for no more than a digit of its height.
    """
    upright = [p for p in pieces if p.box.width < 2 * p.box.height] or pieces
    if not upright:
        return 1.0
    heights = np.array([piece.box.height for piece in upright], float)
    order = np.argsort(heights)
    areas = np.array([upright[index].area for index in order], float)
    weight = np.cumsum(np.minimum(areas, INKED * stroke * heights[order]))
    return float(heights[order[np.searchsorted(weight, weight[-1] / 2)]])


def _assemble(pieces: list[Piece], components: np.ndarray, height: float) -> list[Piece]:
    """Puts the parts of broken digits together: the smallest first, each to what it is nearest."""
    parts: list[Piece | None] = list(pieces)
    boxes = np.array([piece.box for piece in pieces]).reshape(-1, 4)
    queue = [(piece.box.height, index) for index, piece in enumerate(pieces)]
    heapq.heapify(queue)
    whole: list[Piece] = []
    while queue:
        _, index = heapq.heappop(queue)
        piece = parts[index]
        if piece is None:
            continue
        parts[index] = None
        partners = [
            (_distance(piece, parts[near], components, height), near)
            for near in _near(piece.box, boxes, FAR * height, FAR * height)
            if parts[near] is not None
        ]
        distance, partner = min(partners, default=(np.inf, -1))
        if distance < 1:
            joined = piece.join(parts[partner])
            parts[partner], boxes[partner] = joined, joined.box
            heapq.heappush(queue, (joined.box.height, partner))
        else:
            whole.append(piece)
    return whole


def neighbours(found: Pieces, far: float) -> list[tuple[int, int]]:
    """The indices of each two pieces whose ink is less than `far` working pixels apart, the
    nearest first."""
    pieces = found.pieces
    boxes = np.array([piece.box for piece in pieces]).reshape(-1, 4)
    pairs = [
        (_ink_gap(piece, pieces[other], found.components), one, other)
        for one, piece in enumerate(pieces)
        for other in _near(piece.box, boxes, far, far)
        if one < other
    ]
    return [(one, other) for gap, one, other in sorted(pairs) if gap < far]


def _near(box: Box, boxes: np.ndarray, far_across: float, far_down: float) -> list[int]:
    """The indices of those of `boxes`, int [n, 4], that are not farther than that."""
    across = np.maximum(boxes[:, 0], box.left) - np.minimum(boxes[:, 2], box.right)
    down = np.maximum(boxes[:, 1], box.top) - np.minimum(boxes[:, 3], box.bottom)
    return np.flatnonzero((across <= far_across) & (down <= far_down)).tolist()


def _distance(piece: Piece, other: Piece, components: np.ndarray, height: float) -> float:
    """How far the smaller `piece` is from being part of the same digit as `other`: below 1
    where it is.
    """
    a, b, joined = piece.box, other.box, piece.box.union(other.box)
    across, down = a.gap(b)
    bar = a.height < 0.65 * height and a.width > BAR * a.height
    widest = (1.8 if bar else 1.3) * max(height, joined.height)
    if joined.height > 1.5 * height or joined.width > widest:
        return np.inf
    if max(across, down) > (FAR if bar else 0.35) * height:
        return np.inf
    overlap = -across / max(1, min(a.width, b.width))
    if across < 0 and (overlap > 0.5 or down < 0) and joined.height < 1.4 * height:
        reach = FAR if bar else 0.35  # one above the other
    elif max(a.width, a.height) < 0.6 * height and joined.width < 1.15 * height:
        reach = 0.2
    else:
        reach = 0.05 if a.height < 0.8 * height and joined.width < height else 0.0
    if not reach:
        return np.inf
    return _ink_gap(piece, other, components) / (reach * height)


def _ink_gap(piece: Piece, other: Piece, components: np.ndarray) -> float:
    """The least distance between the ink of two pieces, in pixels."""
    crop = components[piece.box.union(other.box).inside]
    mine, others = np.isin(crop, piece.labels), np.isin(crop, other.labels)
    distance = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 3)
    return float(distance[mine].min())
