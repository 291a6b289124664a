"""Ruled and squared paper: takes its lines away and leaves what is written across them."""

import cv2
import numpy as np

ANGLES = np.deg2rad(np.arange(-8, 8.01, 0.5))
"""How far a page's lines may be turned from the picture's sides."""
RUN = 1 / 10
"""A line is nearly straight for this share of the page, or it is writing,"""
FAINTEST = 5.0
"""and stands out there by so many standard deviations of what is beside it."""
CAP = 0.15
"""Contrast counts up to here, or the strokes of a few digits would outweigh a line."""
CERTAIN = 8.0
"""The mean of a line's contrast is so many standard errors from 0: measured, on drawn pages,
lines come to 16 and more, digits in a row to 8;"""
STEADY = 0.7
"""and its median is at least this share of it: that of lines is 0.8 of it and more, that of
digits in a row 0, or 0.5 where they are sevens, as between them is nothing."""
EXTENT = 0.6
"""From end to end it crosses this share of the page,"""
COVERED = 0.45
"""and in so much of the page it is seen like that."""
MANY = 5
"""So many lines show how the lines of a page run,"""
ASIDE = 4.0
"""and none is so many pixels off."""
UNEVEN = 0.1
"""The distances of a page's lines are equal but for this share."""
DARKER = 1.6
"""What has so many times a line's contrast is ink upon it."""


def remove_ruling(contrast: np.ndarray, mask: np.ndarray, faint: np.ndarray) -> np.ndarray:
    """`mask`, uint8 [h, w], without the lines of the paper.

    They are looked for in `faint`, the mask of all that might be more than paper. `contrast`,
    float32 [h, w], tells ink from the line that it was written on.
    """
    capped = np.minimum(contrast, CAP)
    across = _lines(capped, faint)
    down = np.ascontiguousarray(_lines(np.ascontiguousarray(capped.T), faint.T).T)
    return take_away(contrast, mask, faint, across, down)


def take_away(
    contrast: np.ndarray,
    mask: np.ndarray,
    faint: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
) -> np.ndarray:
    """`mask` without what these lines, uint8 [h, w], have of it, but for ink that crosses them
    or stands out from them.
    """
    kept = mask.copy()
    for lines, others, upright in ((across, down, True), (down, across, False)):
        bare = contrast[(lines & faint & ~others) > 0]
        if not len(bare):
            continue
        # What runs through a line for clearly more than its own width crosses it.
        length = round(1.5 * _thickness(lines & faint, upright)) + 2
        kernel = np.ones((length, 1) if upright else (1, length), np.uint8)
        crossing = cv2.morphologyEx(mask & ~others, cv2.MORPH_OPEN, kernel)
        usual = float(np.median(bare)) * (1 + (lines & others))
        darker = (contrast > DARKER * usual).astype(np.uint8)
        kept &= ~(lines & ~(crossing | darker))
    return kept & 1


def level(image: np.ndarray, slope: float, method: int = cv2.INTER_LINEAR) -> np.ndarray:
    """`image` [h, w] with what runs from left to right at that slope made level, in a frame that
    holds all of it."""
    height, width = image.shape
    size = (width, int(height + abs(slope) * width) + 1)
    return cv2.warpAffine(
        image, _shear(slope, width), size, flags=method, borderMode=cv2.BORDER_REPLICATE
    )


def level_back(image: np.ndarray, slope: float, shape: tuple[int, int]) -> np.ndarray:
    """The inverse, of a mask: in a frame of `shape`."""
    height, width = shape
    back = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, _shear(slope, width), (width, height), flags=back)


def _shear(slope: float, width: int) -> np.ndarray:
    return np.float32([[1, 0, 0], [-slope, 1, max(0.0, slope) * width]])


def _lines(contrast: np.ndarray, faint: np.ndarray) -> np.ndarray:
    """Where the lines are that cross the page from left to right: uint8 [h, w]."""
    height, width = faint.shape
    slope = slope_of(faint)
    sheared = level(contrast, slope)
    beside = max(4, height // 150)
    runs = _long_runs(sheared, beside)
    curves = [_fit(x, y) for x, y in runs]
    if len(curves) >= MANY:
        curves = _alike(curves, runs, width)
        curves += _between(curves, width)
    thickness = [len(y) / len(np.unique(x)) for x, y in runs]
    drawn = np.zeros(sheared.shape, np.uint8)
    for curve in curves:
        if _is_drawn(sheared, curve, beside):
            _draw(drawn, curve, round(float(np.median(thickness))) + 1)
    return level_back(drawn, slope, faint.shape)


def _long_runs(level: np.ndarray, beside: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pixels (x, y) of each of what goes across most of the page and is darker than what
    is `beside` pixels above and below.
    """
    width = level.shape[1]
    run = max(12, int(RUN * width))
    along = cv2.blur(level, (run, 1))
    padded = cv2.copyMakeBorder(along, beside, beside, 0, 0, cv2.BORDER_REPLICATE)
    ridge = along - np.maximum(padded[: -2 * beside], padded[2 * beside :])
    # Of what is calm: on finely squared paper most is lines and what is beside them.
    calm = float(np.percentile(np.abs(ridge[along > 0]), 10)) if along.any() else 0.0
    spread = calm / 0.126  # as it is of a normal distribution
    runs = (ridge > max(FAINTEST * spread, 0.01)).astype(np.uint8)
    joined = cv2.dilate(runs, np.ones((3, run), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for label, (left, top, wide, high, _) in enumerate(stats.tolist()):
        if label == 0 or wide < EXTENT * width or high > 0.08 * wide:
            continue
        there = slice(top, top + high), slice(left, left + wide)
        y, x = np.nonzero(runs[there] & (labels[there] == label))
        if len(np.unique(x)) > COVERED * width:
            found.append((x + left, y + top))
    return found


def _fit(x: np.ndarray, y: np.ndarray) -> np.polynomial.Polynomial:
    """The parabola on which most of these pixels lie; those of digits that touch it do not."""
    curve = np.polynomial.Polynomial.fit(x, y, 1)
    for degree in (1, 2, 2):
        off = np.abs(y - curve(x))
        near = off <= max(1.5, float(np.percentile(off, 80)))
        curve = np.polynomial.Polynomial.fit(x[near], y[near], degree)
    return curve


def _alike(
    curves: list[np.polynomial.Polynomial],
    pixels: list[tuple[np.ndarray, np.ndarray]],
    width: int,
) -> list[np.polynomial.Polynomial]:
    """The curves, each a line's with pixels (x, y); one that a stem has drawn aside, so that
    it runs unlike the others of the page, is put where they would have it.
    """
    left, middle, right = _ways(curves, width).T
    rise, sag = right - left, middle - (left + right) / 2
    usual_sag = float(np.median(sag))
    # As seen from aside, parallel lines rise evenly more and more.
    one, other = np.triu_indices(len(curves), 1)
    apart = middle[other] - middle[one]
    more = float(np.median((rise[other] - rise[one]) / np.where(apart == 0, np.inf, apart)))
    usual_rise = more * middle + float(np.median(rise - more * middle))
    off = abs(rise - usual_rise) + abs(sag - usual_sag)
    alike = list(curves)
    for index in np.flatnonzero(off > ASIDE).tolist():
        x, y = pixels[index]
        shape = _through(np.array([0, usual_rise[index] / 2 + usual_sag, usual_rise[index]]), width)
        alike[index] = shape + float(np.median(y - shape(x)))
    return alike


def _between(curves: list[np.polynomial.Polynomial], width: int) -> list[np.polynomial.Polynomial]:
    """Where lines are missing that those of even distance leave room for."""
    ways = _ways(curves, width)
    ways = ways[np.argsort(ways[:, 1])]
    gaps = np.diff(ways[:, 1])
    pitches = gaps / np.median(gaps)
    missing = []
    for index, pitch in enumerate(pitches.tolist()):
        steps = round(pitch)
        if 2 <= steps <= MANY and abs(pitch - steps) < UNEVEN * steps:
            above, below = ways[index : index + 2]
            shares = np.arange(1, steps) / steps
            missing += [_through(above + share * (below - above), width) for share in shares]
    return missing


def _ways(curves: list[np.polynomial.Polynomial], width: int) -> np.ndarray:
    """How far down each is at the left, in the middle and at the right: [lines, 3]."""
    return np.array([curve(np.array([0, width / 2, width])) for curve in curves])


def _through(way: np.ndarray, width: int) -> np.polynomial.Polynomial:
    """The parabola that goes this way."""
    return np.polynomial.Polynomial.fit([0, width / 2, width], way, 2)


def _is_drawn(contrast: np.ndarray, curve: np.polynomial.Polynomial, beside: int) -> bool:
    """Whether there is a line also between the digits that stand on `curve`: digits below
    each other make none.
    """
    height, width = contrast.shape
    x = np.arange(width)
    rows = np.rint(curve(x)).astype(int)
    inside = (rows >= beside) & (rows < height - beside)
    x, rows = x[inside], rows[inside]
    on = np.mean([contrast[rows + step, x] for step in (-1, 0, 1)], axis=0)
    above, below = contrast[rows - beside, x], contrast[rows + beside, x]
    bare = np.maximum(on, np.maximum(above, below)) < 0.9 * CAP
    if np.count_nonzero(bare) < 0.2 * width:
        return True
    more = (on - (above + below) / 2)[bare]
    mean = more.mean()
    certain = mean > CERTAIN * more.std() / len(more) ** 0.5
    return bool(certain and np.median(more) > STEADY * mean)


def _draw(drawn: np.ndarray, curve: np.polynomial.Polynomial, thickness: int) -> None:
    """Draws a line all the way across."""
    across = np.arange(drawn.shape[1])
    points = np.stack([across, np.rint(curve(across))], axis=1).astype(np.int32)
    cv2.polylines(drawn, [points], False, 1, max(3, thickness))


def slope_of(faint: np.ndarray) -> float:
    """The slope along which the pixels of `faint` gather in the fewest rows."""
    y, x = np.nonzero(faint)
    step = max(1, len(y) // 50_000)
    y, x = y[::step].astype(np.float32), x[::step].astype(np.float32)

    def gathering(slope: float) -> float:
        rows = (y - slope * x).astype(np.int32)
        return float(np.square(np.bincount(rows - rows.min()).astype(np.float64)).sum())

    return float(max(np.tan(ANGLES), key=gathering)) if len(y) else 0.0


def _thickness(lines: np.ndarray, upright: bool) -> float:
    """The typical width of lines, in pixels."""
    edges = np.count_nonzero(np.diff(lines.astype(np.int8), axis=0 if upright else 1) == 1)
    return np.count_nonzero(lines) / max(1, edges)
