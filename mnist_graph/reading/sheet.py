"""A sheet of paper on a table: where it ends."""

import cv2
import numpy as np

SIDE = 320
"""The sheet is looked for in a picture scaled to this many pixels along its longer side."""
MARGIN = 0.008
"""The rim of the sheet that is left out, as a share of the picture's longer side."""

LEAST_STEP, STEP = 0.12, 0.35
"""A sheet is lighter than the table by more than the first share; one that is by the second share
is as distinct as any,"""
ROUND, HALF = 15, 50
"""along all of its edge but the first percentage; a sheet framed by dark parts, along all but the
second, as a shadow may hide the rest. On 300 drawn pages, 82 framed sheets were lighter by 0.3 or
more along half of the edge, and 20 false ones, on pages without a table, by 0.01 at most."""
NEAR, FAR = 2, 6
"""The sheet's edge is compared at these distances from it on either side, in pixels."""
RIM = 6
"""A corner is more than this many pixels from the picture's edge; a nearer one may be where the
picture cuts the sheet off."""
BLUNTEST = 130.0
"""The largest angle of a corner, in degrees. The edge of a shadow bends less."""
LONG = 0.5
"""Sides of at least this share of the longest side are checked for sharpness."""
SHARP = 0.65
"""At a sharp side, at least this share of the step in light lies within NEAR pixels. On drawn pages
it is 0.9 or more at the sides of sheets and 0.6 or less at shadows."""
BROAD = 5
"""The dark parts of a table are at least this broad, in pixels."""
FRAMED = 0.3
"""A table is dark along at least this share of the picture's edges."""
LEAST, GREATEST = 0.12, 0.97
"""Least and greatest area of a sheet, as shares of the picture."""


def find_sheet(work: np.ndarray, dark: np.ndarray) -> np.ndarray | None:
    """Find the sheet of paper in a picture.

    A sheet is lighter than the table, convex, has a sharp edge and at least one corner. The largest
    such region is the sheet: of a sheet that is half in the shadow, the lit part is smaller, and
    the edge of a soft shadow is not sharp.

    Args:
        work: uint8 [h, w], the picture.
        dark: uint8 [h', w'], 1 on what is darker than its surroundings (`dark_parts`). In uneven
            light that includes a table.

    Returns:
        uint8 [h, w], 1 on the sheet without its rim; None if the picture shows only the sheet.
    """
    height, width = work.shape
    factor = SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if min(size) < 40:
        return None
    small = cv2.resize(work, size, interpolation=cv2.INTER_AREA)
    best = _framed_sheet(cv2.resize(dark, size, interpolation=cv2.INTER_AREA), small)
    if best is None:
        best = _light_sheet(small)
    if best is None:
        return None
    sheet = np.zeros(work.shape, np.uint8)
    cv2.fillConvexPoly(sheet, np.rint((best + 0.5) / factor).astype(np.int32), 1)
    edge = int(MARGIN * max(height, width)) * 2 + 3
    return cv2.erode(sheet, np.ones((edge, edge), np.uint8), borderValue=1)


def _framed_sheet(dark: np.ndarray, small: np.ndarray) -> np.ndarray | None:
    """Return the outline of the sheet inside a frame of dark parts along the picture's edges."""
    # The grain of a table is broad; the lines on paper are not.
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((BROAD, BROAD), np.uint8))
    _, labels = cv2.connectedComponents(dark)
    rim = np.concatenate(
        [labels[:2].ravel(), labels[-2:].ravel(), labels[:, :2].ravel(), labels[:, -2:].ravel()]
    )
    along = np.count_nonzero(rim) / len(rim)
    if along < FRAMED:
        return None
    frame = (np.isin(labels, np.unique(rim)) & (labels > 0)).astype(np.uint8)
    side = max(5, min(dark.shape) // 12) | 1
    padded = cv2.copyMakeBorder(frame, side, side, side, side, cv2.BORDER_REPLICATE)
    frame = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    free = 1 - frame[side:-side, side:-side]
    free = cv2.morphologyEx(free, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    outlines, _ = cv2.findContours(free, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:  # pragma: no cover - all of the picture is dark
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not LEAST < area / dark.size < GREATEST or cv2.contourArea(outline) < 0.93 * area:
        return None
    is_sheet = _has_corner(hull, dark.shape) and _step(hull, small, HALF) > LEAST_STEP
    return hull if is_sheet else None


def _light_sheet(small: np.ndarray) -> np.ndarray | None:
    """Return the outline of the region that is lighter than its surroundings."""
    # Closing removes writing, which is narrower than this, and leaves the sheet's edge in place.
    side = max(5, min(small.shape) // 10)
    padded = cv2.copyMakeBorder(
        cv2.medianBlur(small, 3), side, side, side, side, cv2.BORDER_REPLICATE
    )
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    small = np.ascontiguousarray(closed[side:-side, side:-side])
    best, highest = None, 0.0
    for level in np.percentile(small, np.arange(4, 90, 3)):
        hull, score = _sheet_above(small, float(level))
        if score > highest:
            best, highest = hull, score
    return best


def _sheet_above(small: np.ndarray, level: float) -> tuple[np.ndarray | None, float]:
    """Return the outline [points, 1, 2] and the score of the region above `level`; None and 0 if
    it is not a sheet. The score is its area, weighted by how distinct and how convex it is.
    """
    light = (small > level).astype(np.uint8)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None, 0
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not LEAST < area / small.size < GREATEST:
        return None, 0
    straight = (cv2.contourArea(outline) / area - 0.94) / 0.05
    if straight < 0.3:
        return None, 0
    if not _has_corner(hull, small.shape) or _has_soft_side(hull, small):
        return None, 0
    step = _step(hull, small, ROUND)
    return (hull, area * min(step, STEP) * min(straight, 1)) if step > LEAST_STEP else (None, 0)


def _step(hull: np.ndarray, small: np.ndarray, percentile: int) -> float:
    """Return by which share a region is lighter just inside its edge than just outside, but for
    this percentage of the edge; 0 if it has no edge in the picture.
    """
    inside = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    ring, outside = _ring(inside, NEAR, FAR), _ring(1 - inside, NEAR, FAR)
    beyond = cv2.dilate(np.where(outside > 0, small, 0), np.ones((13, 13), np.uint8))
    close = (ring > 0) & (beyond > 0)
    if not close.any():
        return 0.0
    return float(np.percentile(small[close] / beyond[close].astype(float), percentile)) - 1


def _has_soft_side(hull: np.ndarray, small: np.ndarray) -> bool:
    """Return whether the light falls off gradually along one of the outline's longer sides."""
    outline = np.vstack([hull, hull[:1]])[:, 0].astype(float)
    way = np.append(0, np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1)))
    at = np.arange(0.0, way[-1])
    points = np.stack([np.interp(at, way, outline[:, axis]) for axis in (0, 1)], axis=1)
    along = np.roll(points, -3, axis=0) - np.roll(points, 3, axis=0)
    outwards = along[:, ::-1] * (1, -1) / np.linalg.norm(along, axis=1, keepdims=True)
    outwards *= np.sign(np.sum(outwards * (points - points.mean(axis=0))))
    padded = np.pad(small.astype(float), FAR + 1, constant_values=np.nan)

    def light(beyond: int) -> np.ndarray:
        x, y = np.rint(points + beyond * outwards).astype(int).T + FAR + 1
        return padded[y, x]

    near, far = (light(-depth) - light(depth) for depth in (NEAR, FAR))
    corners = cv2.approxPolyDP(hull, 0.02 * cv2.arcLength(hull, True), True)
    starts = np.sort(
        [way[np.flatnonzero((hull == corner).all(axis=(1, 2)))[0]] for corner in corners]
    )
    side = np.searchsorted(starts, at, side="right") % len(starts)
    seen = ~np.isnan(near + far)
    lengths = np.bincount(side[seen], minlength=len(starts))
    return any(
        float(np.median(near[mine])) < SHARP * float(np.median(far[mine]))
        for mine in (
            seen & (side == number) for number in np.flatnonzero(lengths > LONG * lengths.max())
        )
    )


def _ring(region: np.ndarray, near: int, far: int) -> np.ndarray:
    """Return the part of `region` that is `near` to `far` pixels inside its edge."""
    depth = cv2.distanceTransform(region, cv2.DIST_L2, 3)
    return ((depth > near) & (depth <= far)).astype(np.uint8)


def _has_corner(hull: np.ndarray, shape: tuple[int, int]) -> bool:
    """Return whether the outline has three to six corners, one of them distinct and inside the
    picture.
    """
    outline = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)
    corners = outline[:, 0].astype(float)
    if not 3 <= len(corners) <= 6:  # pragma: no cover - a round thing on a table
        return False
    size = np.array(shape[::-1])
    inside = np.all((corners > RIM) & (corners < size - 1 - RIM), axis=1)
    to_next, to_last = np.roll(corners, -1, 0) - corners, np.roll(corners, 1, 0) - corners
    lengths = np.linalg.norm(to_next, axis=1) * np.linalg.norm(to_last, axis=1)
    cosine = (to_next * to_last).sum(axis=1) / np.maximum(lengths, 1e-9)
    return bool(np.any(inside & (cosine > np.cos(np.deg2rad(BLUNTEST)))))
