"""Forms: takes the printed boxes and combs away in which digits are written.

A comb is a line with short ones standing on it, or two with short ones between, which part it.
"""

import itertools

import cv2
import numpy as np

from mnist_graph.handwriting.ruling import level, level_back, slope_of, take_away

SHORTEST, LONGEST = 3.5, 8.0
"""A side of a box is this many times as long as a stroke is broad, at least, and a box that many
times as wide or as high,"""
SEVERAL, FEW = 5.0, 3
"""or as this, where there are three and more of a size"""
FINE = 0.08
"""whose lines are no broader than this share of their own sides,"""
THIN = 1.4
"""and its sides are less broad than so many strokes."""
BROKEN = 3
"""A printed line may be broken for so many pixels."""
MEETING = 4
"""Each end of a side is so near to another that goes across it, in pixels."""
ALIKE = 0.85
"""Boxes of one size are as wide and as high as each other, and the teeth of a comb as high,
but for this;"""
TOOTH, TEETH = 2.0, 4
"""each is so many times as long as a stroke is broad, and there are so many of them, at least,"""
NARROW = 0.15
"""stand that share of their own length apart at least, and most of them"""
NEAR = 3
"""have nothing so many pixels beside them, as the stems of digits do,"""
EVEN = 0.1
"""and all are as far from one to the next, but for this share of the distance;"""
STRAY = 3
"""between two of them stand so many strokes of digits at most that look like one."""
EXACT = 0.05
"""Where nothing is written, teeth are as long and as far apart as each other but for this, or
they are ones;"""
CLOSED = 0.9
"""and lines are along this share of a box's outline, or it is a zero."""
TILTED = np.deg2rad(4)
"""So much a form may be turned by."""
OBLONG = 1.3
"""No zero is so many times as wide as high."""


def remove_frames(contrast: np.ndarray, mask: np.ndarray, stroke: float) -> np.ndarray:
    """`mask`, uint8 [h, w], without the boxes in which something is written, and those of their
    size. They may share their sides. Strokes are `stroke` pixels broad; `contrast`, float32
    [h, w], tells ink from the line that it was written on.
    """
    least, broad = max(12, round(SHORTEST * stroke)), round(THIN * stroke) + 3
    slope = slope_of(mask)
    across = _straight(mask, slope, least, broad)
    teeth = _upright(mask, -slope, max(8, round(TOOTH * stroke)), broad)
    mask = _without_combs(contrast, mask, across, teeth)
    down = _upright(mask, slope_of(mask.T), least, broad)
    down = _between(down, across, 1)
    across = _between(across, down, 0)
    if not (across.any() and down.any()):
        return mask
    near = np.ones((3, 3), np.uint8)
    lines = cv2.dilate(across | down, near)
    _, boxes, stats, _ = cv2.connectedComponentsWithStats(lines)
    chosen = _written_in(mask, lines, boxes, stats, stroke, least)[boxes].astype(np.uint8)
    across, down = (cv2.dilate(lines & chosen, near) & mask for lines in (across, down))
    return take_away(contrast, mask, mask, across, down)


def _upright(mask: np.ndarray, slope: float, least: int, broad: int) -> np.ndarray:
    """`_straight`, of what runs from the top to the bottom, to the side at this slope."""
    return np.ascontiguousarray(_straight(np.ascontiguousarray(mask.T), slope, least, broad).T)


def _straight(mask: np.ndarray, slope: float, least: int, broad: int) -> np.ndarray:
    """Where straight lines of this length at `least` run from left to right, at about this
    slope, and less than so `broad`: uint8 [h, w].
    """
    joined = level(mask, slope, cv2.INTER_NEAREST)
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((1, BROKEN), np.uint8))
    joined = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    runs &= ~cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((broad, 1), np.uint8))
    runs = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    return level_back(runs, slope, mask.shape) & mask


def _between(lines: np.ndarray, others: np.ndarray, axis: int) -> np.ndarray:
    """Those of the lines that begin and end at one of the others: a stroke that touches a box,
    or stands on a ruled line, ends somewhere else. Lines across (`axis` 0), or down (1).
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines)
    reached = cv2.dilate(others, np.ones((2 * MEETING + 1, 2 * MEETING + 1), np.uint8))
    kept = np.zeros(len(stats), np.uint8)
    for label, place in enumerate(stats.tolist()):
        left, top, width, height = place[:4]
        inside = slice(top, top + height), slice(left, left + width)
        meets = reached[inside] & (labels[inside] == label)
        meets = meets.any(axis=axis)
        kept[label] = label > 0 and meets[0] and meets[-1]
    return kept[labels]


def _written_in(
    mask: np.ndarray,
    lines: np.ndarray,
    boxes: np.ndarray,
    stats: np.ndarray,
    stroke: float,
    least: int,
) -> np.ndarray:
    """bool [boxes]: which of them something is written in, or are of the size of one."""
    _, parts = cv2.connectedComponents(mask)
    bare = mask & ~lines
    filled, several = np.zeros((2, len(stats)), bool)
    for number, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        inside = slice(top, top + height), slice(left, left + width)
        # The lines that a digit is made of hold nothing that is not connected with them.
        own = np.unique(parts[inside][boxes[inside] == number])
        apart = np.count_nonzero(~np.isin(parts[inside], own)) > least * stroke / 2
        filled[number] = apart and max(width, height) > LONGEST * stroke
        touched = np.count_nonzero(bare[inside]) > least * stroke / 2
        box = (boxes[inside] == number) & (mask[inside] > 0)
        closed = _is_closed(box)
        is_fine = np.count_nonzero(box) < FINE * max(width, height) * 2 * (width + height)
        is_large = max(width, height) > SEVERAL * stroke
        several[number] = (touched or closed) and is_fine and is_large
        filled[number] |= closed and is_fine and width > OBLONG * height
    some = filled | several
    alike = _of_a_size(stats, some)
    certain = filled[some] | (np.count_nonzero(alike[some], axis=0) >= FEW)
    return alike[:, certain].any(axis=1)


def _is_closed(box: np.ndarray) -> bool:
    """Whether lines, bool [h, w] and cut to them, go around all of it."""
    rim = 2 * NEAR + round(max(box.shape) * np.tan(TILTED))
    sides = (box[:rim].any(0), box[-rim:].any(0), box[:, :rim].any(1), box[:, -rim:].any(1))
    return min(side.mean() for side in sides) > CLOSED


def _without_combs(
    contrast: np.ndarray, mask: np.ndarray, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """`mask` without lines on which short ones stand, all alike and evenly, with ink between."""
    _, lines = cv2.connectedComponents(across)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(down)
    met = [_lines_met(lines, labels, tooth, stats[tooth]) for tooth in range(len(stats))]
    standing: dict[int, list[int]] = {}
    for tooth, ends in enumerate(met):
        for line in ends:
            standing.setdefault(line, []).append(tooth)
    bare = mask & ~cv2.dilate(across | down, np.ones((3, 3), np.uint8))
    chosen = {tooth for teeth in standing.values() for tooth in _comb(teeth, stats, bare)}
    if not chosen:
        return mask
    rails = {line for tooth in chosen for line in met[tooth]}
    near = np.ones((3, 3), np.uint8)
    rail, teeth = (
        cv2.dilate(np.isin(labelled, list(some)).astype(np.uint8), near) & mask
        for labelled, some in ((lines, rails), (labels, chosen))
    )
    return take_away(contrast, mask, mask, rail, teeth)


def _lines_met(lines: np.ndarray, labels: np.ndarray, number: int, place: np.ndarray) -> set[int]:
    """The numbers in `lines` of those that an upright one ends at, which is this `number` in
    `labels` and has this place."""
    left, top, width, height, _ = place.tolist()
    if number == 0:
        return set()
    met: set[int] = set()
    for row in (top, top + height - 1):
        columns = left + np.flatnonzero(labels[row, left : left + width] == number)
        about = lines[
            max(0, row - MEETING) : row + MEETING + 1,
            max(0, columns.min() - MEETING) : columns.max() + MEETING + 1,
        ]
        met.update(np.unique(about[about > 0]).tolist())
    return met


def _comb(teeth: list[int], stats: np.ndarray, bare: np.ndarray) -> list[int]:
    """Those of the lines that stand on one, with these places, that are the teeth of a comb;
    `bare` is the ink that is not of any line.
    """
    teeth = sorted(teeth, key=lambda tooth: stats[tooth, cv2.CC_STAT_LEFT])
    left, top, width, height, _ = stats[teeth].T
    best = np.zeros(len(teeth), bool)
    for first, reach in itertools.product(range(len(teeth)), range(1, STRAY + 2)):
        second = first + reach
        pitch = left[second] - left[first] if second < len(teeth) else 0
        if pitch < NARROW * height[first]:
            continue
        alike = np.minimum(height, height[first]) > ALIKE * np.maximum(height, height[first])
        steps = (left - left[first]) / pitch
        on = alike & (np.abs(steps - np.rint(steps)) < EVEN)
        if np.ptp(steps[on]) < 1.5 * np.count_nonzero(on) and on.sum() > best.sum():
            best = on
    chosen = np.flatnonzero(best).tolist()
    free = [
        np.count_nonzero(
            bare[
                max(0, top[one] - NEAR) : top[one] + height[one] + NEAR,
                max(0, left[one] - NEAR) : left[one] + width[one] + NEAR,
            ]
        )
        <= NEAR
        for one in chosen
    ]
    written = [
        bare[top[one] : top[one] + height[one], left[one] + width[one] : left[other]].any()
        for one, other in itertools.pairwise(chosen)
    ]
    if sum(free) < max(TEETH, len(free) / 2):
        return []
    if np.mean(written) < 0.5 and not _is_exact(left[best], height[best]):
        return []
    return [teeth[index] for index in chosen]


def _is_exact(left: np.ndarray, height: np.ndarray) -> bool:
    """Whether teeth at `left`, from left to right, are printed, by their places and heights."""
    pitch = np.diff(left)
    steps = pitch / pitch.min()
    uneven = np.abs(steps - np.rint(steps)).max() * pitch.min()
    return bool(
        uneven <= max(2, EXACT * pitch.min()) and np.ptp(height) <= max(2, EXACT * height.max())
    )


def _of_a_size(stats: np.ndarray, some: np.ndarray) -> np.ndarray:
    """bool [boxes, some]: which are as wide and as high as which of these."""
    sizes = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].astype(float)
    ratio = sizes[:, np.newaxis] / sizes[np.newaxis, some]
    return ((ratio > ALIKE) & (ratio < 1 / ALIKE)).all(axis=2)
