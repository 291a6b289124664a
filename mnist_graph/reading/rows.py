"""The rows of a page, from its foreground."""

from typing import NamedTuple

import cv2
import numpy as np

MAX_COMPONENTS = 5000
"""A mask with more connected components is noise or a pattern and has no rows; a full page of
handwriting has about 2,000."""
MAX_ROWS = 200
"""More rows are noise, too; a page of small print has about 80."""
MIN_AREA = 6
"""Least area of a component in working pixels."""
BROKEN = 1 / 3
"""A gap in a stroke is narrower than this share of the stroke's width."""
FRAMED = 0.35
"""A component with another one in its box that has this share of its height, at least, is the
frame of a form."""
ADJACENT = 0.5
"""A row continues in a frame that overlaps it vertically by more than this, in digit heights, and
is horizontally closer than this. With ADJACENT and LOWER, 42 of 50 forms of validation digits
become one strip with all digits, at least 0.35 as high as it; without, 34."""
HEIGHTS = (0.45, 2.2)
"""Least and greatest height of what makes a row, in typical digit heights."""
LONE = 0.6
"""Least height of a component that is alone in its row, in the same unit. On 1,700 drawn pages,
digits alone in a row have 0.82 or more, and remains of ruled lines that would be read as digits
0.54 or less."""
MAX_ASPECT = 8.0
"""A wider component is a line; a row of touching digits can be this many times as wide as high."""
FINE = 0.4
"""Strokes are broader than this share of the typical stroke; print may be finer."""
TRACE, PALE = 0.2, 0.7
"""The remains of ruled lines have less than the first share of the ink that is typical of writing
of their length, and less than the second share of its contrast. On 600 drawn pages, digits have
0.22 or more of the ink, and remains 0.23 or less."""
INKED = 4.0
"""The strokes of a digit are at most this many times as long as it is high."""
HALF, WHOLE = 0.8, 1.3
"""Greatest height of half of a broken digit, and of both halves, in typical digit heights."""
SHARED, TORN = 0.4, 0.12
"""One half is above the other over this share of its width, and ends where that begins, but for
this share of a typical digit's height."""
CROSSING = 0.25
"""Rows of writing share less than this of their height."""
LOWER = 0.6
"""This share of a row, by its width, is lower than its typical digit."""
MAX_STEP = 0.55
"""Neighbours in a row are offset by less than this, in typical digit heights."""
MAX_LOOK_AHEAD = 2.0
"""How far a row's slope is extrapolated, in typical digit heights."""
MAX_ROW_SLOPE, MAX_PAGE_SLOPE = 0.15, 0.25
"""Greatest slope of a row relative to the page, and of a page."""


class Components(NamedTuple):
    """Connected parts of a mask. n counts them, without the background."""

    labels: np.ndarray
    """int32 [h, w]: 0 on the background, else the component's index plus 1."""
    boxes: np.ndarray
    """int [n, 4]: left, top, right, bottom in working pixels."""
    areas: np.ndarray
    """int [n]: pixels."""
    inks: np.ndarray
    """float [n]: the sum of the contrast of those pixels."""


class Row(NamedTuple):
    """Components next to each other, from left to right."""

    members: list[int]
    """Indices of its components."""
    boxes: np.ndarray
    """int [members, 4]: left, top, right, bottom in working pixels."""
    height: float
    """Of a typical digit, in working pixels."""
    extent: tuple[float, float]
    """Where it begins and ends, in working pixels. Digits that touch the frame of a form are part
    of that component and not among the boxes."""


def find_components(mask: np.ndarray, contrast: np.ndarray, stroke: float) -> Components:
    """Label the connected parts of `mask`, uint8 [h, w], across gaps of a third of a stroke's
    width, `stroke`. `contrast`, float32 [h, w], is the share of the paper's light that is missing.
    """
    reach = int(stroke * BROKEN / 2)
    side = 2 * reach + 1
    joined = cv2.dilate(mask, np.ones((side, side), np.uint8)) if reach else mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    left, top, width, height, _ = stats[1:].T
    high, wide = mask.shape
    right, bottom = left + width, top + height
    boxes = np.stack(
        [
            left + reach * (left > 0),
            top + reach * (top > 0),
            right - reach * (right < wide),
            bottom - reach * (bottom < high),
        ],
        axis=1,
    )
    labels *= mask
    count = len(stats)
    areas = np.bincount(labels.ravel(), minlength=count)
    inks = np.bincount(labels.ravel(), weights=contrast.ravel(), minlength=count)
    return Components(labels, boxes, areas[1:], inks[1:])


def find_rows(components: Components, stroke: float) -> list[Row]:
    """Group components into rows from the top, which may slope and wander.

    `stroke` is the typical stroke width in working pixels. Empty if there are none, or too many.
    """
    boxes, areas = components.boxes, components.areas
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    is_pen = areas > FINE * stroke * np.maximum(width, height)
    kept = np.flatnonzero(is_pen & (areas >= MIN_AREA) & (width < MAX_ASPECT * height))
    if not 0 < len(kept) <= MAX_COMPONENTS:
        return []
    are_frames = _are_frames(boxes[kept])
    frames, kept = boxes[kept[are_frames]], kept[~are_frames]
    typical = typical_height(boxes[kept], areas[kept], stroke)
    low, high = HEIGHTS
    kept = kept[(height[kept] > low * typical) & (height[kept] < high * typical)]
    kept = kept[~_are_traces(components.inks[kept], areas[kept], np.maximum(width, height)[kept])]
    rows = []
    digits, parts = _join_halves(boxes[kept], typical)
    for row in _chain(digits, typical):
        members = kept[[part for digit in row for part in parts[digit]]]
        line = _row_height(digits[row])
        if len(members) == 1 and line < LONE * typical:
            continue
        extent = _find_extent(boxes[members], frames, line)
        rows.append(Row(members.tolist(), boxes[members], line, extent))
    rows = _without_crossing(rows)
    whole = [row for row in rows if not _is_cut_off(row.boxes, components.labels.shape)]
    return (whole or rows) if len(rows) <= MAX_ROWS else []


def _without_crossing(rows: list[Row]) -> list[Row]:
    """Return the rows, from the top, without those that reach into the one before or after them and
    are of less width: the teeth of a comb.
    """
    widths = [int((row.boxes[:, 2] - row.boxes[:, 0]).sum()) for row in rows]
    crossing = set()
    for upper in range(len(rows) - 1):
        less, more = sorted((upper, upper + 1), key=widths.__getitem__)
        if _reaches_into(rows[less], rows[more]):
            crossing.add(less)
    return [row for number, row in enumerate(rows) if number not in crossing]


def _reaches_into(row: Row, other: Row) -> bool:
    """Return whether most of a row's boxes share height with the other row where they are."""
    x, other_x = ((each.boxes[:, 0] + each.boxes[:, 2]) / 2 for each in (row, other))
    left, right = other.extent
    in_reach = (x > left - other.height) & (x < right + other.height)
    order = np.argsort(other_x)
    top, bottom = (np.interp(x, other_x[order], other.boxes[order, edge]) for edge in (1, 3))
    high = row.boxes[:, 3] - row.boxes[:, 1]
    shared = np.minimum(bottom, row.boxes[:, 3]) - np.maximum(top, row.boxes[:, 1])
    return bool(np.mean(in_reach & (shared > CROSSING * high)) > 0.5)


def _are_frames(boxes: np.ndarray) -> np.ndarray:
    """Return which of the boxes, int [n, 4], have one of the others in them: bool [n]."""
    height = boxes[:, 3] - boxes[:, 1]
    return np.array(
        [
            bool(
                (
                    (boxes[:, :2] >= box[:2]).all(axis=1)
                    & (boxes[:, 2:] <= box[2:]).all(axis=1)
                    & (height > FRAMED * (box[3] - box[1]))
                ).sum()
                > 1  # itself
            )
            for box in boxes
        ]
    )


def _is_cut_off(boxes: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return whether the edge of a picture of this shape cuts all of the boxes, [n, 4]: they are
    of a table, or of the next row.
    """
    return bool(
        (((boxes[:, :2] <= 1) | (boxes[:, 2:] >= np.array(shape[::-1]) - 1)).any(axis=1)).all()
    )


def _are_traces(inks: np.ndarray, areas: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return which components, [n] each, are remains of ruled lines: finer and paler than writing.
    `lengths` are the longer sides of their boxes.
    """
    if not len(inks):
        return np.zeros(0, bool)
    strengths, depths = inks / lengths, inks / areas
    strength, depth = (_weighted_quantile(each, inks, 0.5) for each in (strengths, depths))
    return (strengths < TRACE * strength) & (depths < PALE * depth)


def typical_height(boxes: np.ndarray, areas: np.ndarray, stroke: float) -> float:
    """Return the height at which half of the ink is in lower components.

    A blot counts for no more than a digit of its height, and nothing wide counts.
    """
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    upright = width < 2 * height
    if upright.any():
        height, areas = height[upright], areas[upright]
    return _weighted_quantile(height, np.minimum(areas, INKED * stroke * height), 0.5)


def _row_height(boxes: np.ndarray) -> float:
    """Return the height of a typical digit in a row of `boxes`, int [n, 4], where broken digits are
    lower. A box counts as much as it is wide: the sides of a form's boxes are high, but narrow.
    """
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return _weighted_quantile(height, width, LOWER)


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the value below which this share of the weights lies."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, share * total[-1])]])


def _find_extent(boxes: np.ndarray, frames: np.ndarray, height: float) -> tuple[float, float]:
    """Return where a row of `boxes`, int [n, 4], begins and ends with the `frames`, int [m, 4],
    that it stands in or next to. `height` is that of its digits.
    """
    left, right = float(boxes[:, 0].min()), float(boxes[:, 2].max())
    top, bottom = np.median(boxes[:, 1]), np.median(boxes[:, 3])
    shared = np.minimum(frames[:, 3], bottom) - np.maximum(frames[:, 1], top)
    for frame in frames[shared > ADJACENT * height]:
        if frame[0] < right + ADJACENT * height and frame[2] > left - ADJACENT * height:
            left, right = min(left, float(frame[0])), max(right, float(frame[2]))
    return left, right


def _join_halves(boxes: np.ndarray, height: float) -> tuple[np.ndarray, list[list[int]]]:
    """Return the boxes of what may be digits, [m, 4], and which of the `boxes`, int [n, 4], each
    consists of: two if one is the upper half of a broken digit, and the other the lower.
    """
    left, top, right, bottom = boxes.T
    free = bottom - top < HALF * height
    parts = []
    for upper in np.argsort(top).tolist():
        if not free[upper]:
            continue
        width = np.minimum(right - left, right[upper] - left[upper])
        over = np.minimum(right, right[upper]) - np.maximum(left, left[upper])
        is_lower = free & (over > SHARED * width) & (bottom - top[upper] < WHOLE * height)
        is_lower &= abs(top - bottom[upper]) < TORN * height
        is_lower[upper] = False
        if np.count_nonzero(is_lower) == 1:
            parts.append([upper, int(is_lower.argmax())])
            free[parts[-1]] = False
    single = np.setdiff1d(np.arange(len(boxes)), np.array(parts, int).ravel())
    parts += [[index] for index in single.tolist()]
    return np.array([union(boxes[each]) for each in parts]).reshape(-1, 4), parts


def union(boxes: np.ndarray) -> np.ndarray:
    """Return the smallest box, int [4], that contains all of the boxes, int [n, 4]."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _chain(boxes: np.ndarray, height: float) -> list[list[int]]:
    """Return the indices of `boxes` row by row from the top, each row from left to right.

    Each box goes to the row that it continues best, with the slope of the page removed.
    """
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    y = y - _page_slope(x, y, height) * x
    rows: list[list[int]] = []
    ends = np.empty((len(x), 4))  # of each row: how it goes on
    for index in np.argsort(x).tolist():
        end, level, slope, middle = ends[: len(rows)].T
        ahead = np.minimum(x[index] - end, MAX_LOOK_AHEAD * height)
        offset = np.abs(y[index] - (level + slope * (end + ahead - middle)))
        best = int(offset.argmin()) if len(rows) else -1
        if best < 0 or offset[best] >= MAX_STEP * height:
            best = len(rows)
            rows.append([])
        rows[best].append(index)
        ends[best] = _end(x[rows[best][-4:]], y[rows[best][-4:]])
    rows.sort(key=lambda row: float(np.mean(y[row])))
    return rows


def _end(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float, float]:
    """Return where a row's last centres end, their mean height, slope and middle."""
    middle, level = float(x.mean()), float(y.mean())
    slope = 0.0
    if len(x) >= 3:
        spread = float(np.square(x - middle).sum())
        slope = float(((x - middle) * (y - level)).sum()) / max(spread, 1e-9)
    return float(x[-1]), level, float(np.clip(slope, -MAX_ROW_SLOPE, MAX_ROW_SLOPE)), middle


def _page_slope(x: np.ndarray, y: np.ndarray, height: float) -> float:
    """Return how far rows fall per pixel to the right: the median over neighbours."""
    slopes = []
    for one in range(0, len(x), max(1, len(x) // 500)):
        across, down = x - x[one], y - y[one]
        right = (across > 0.3 * height) & (across < 4 * height)
        right &= abs(down) < 0.25 * across + 0.2 * height
        if right.any():
            nearest = np.argmin(np.where(right, across, np.inf))
            slopes.append(down[nearest] / across[nearest])
    limit = MAX_PAGE_SLOPE
    return float(np.clip(np.median(slopes), -limit, limit)) if len(slopes) >= 3 else 0.0
