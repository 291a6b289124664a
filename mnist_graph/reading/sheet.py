"""A sheet of paper on a table: where it ends."""

import cv2
import numpy as np

SIDE = 320
"""The sheet is looked for in a picture scaled to this many pixels along its longer side."""
MARGIN = 0.008
"""What is left off inside the sheet's edge, as a share of the picture's longer side."""

STEP = 0.35
"""A sheet that is this much lighter than the table is told as well as one that is more so."""

NEAR, FAR = 2, 6
"""The distances, in pixels, between which the sheet's edge is examined on either side."""
RIM = 6
"""A corner is so many pixels from the picture's edge, or it is where the edge cuts the sheet;"""
BLUNTEST = 130.0
"""and of this many degrees at most: the edge of a shadow bends less."""
LONG = 0.5
"""A side this long, as a share of the longest, is a shadow's edge and not the sheet's"""
SHARP = 0.65
"""where less than this share of the step lies within two pixels: measured, on drawn pages,
sheets have 0.9 and more there, shadows 0.6 and less."""
BROAD = 5
"""A table is dark over so many pixels;"""
FRAMED = 0.3
"""and along this share of the picture's edges at least."""


def find_sheet(work: np.ndarray, dark: np.ndarray) -> np.ndarray | None:
    """The sheet on `work`, uint8 [h, w]: uint8 [h, w], 1 on the sheet, short of its edge; None
    where the picture shows no more than the sheet. `dark`, uint8 [h', w'], is what seems to be
    ink: a table does, where the light is uneven.

    A sheet is lighter than what it lies on, convex, has a sharp edge and shows a corner. It
    is the largest region of which this is true: the lit part of a sheet that lies half in
    the shadow is smaller, and what a soft shadow leaves has no sharp edge.
    """
    height, width = work.shape
    factor = SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if min(size) < 40:
        return None
    best = _framed_sheet(cv2.resize(dark, size, interpolation=cv2.INTER_AREA))
    if best is None:
        best = _light_sheet(cv2.resize(work, size, interpolation=cv2.INTER_AREA))
    if best is None:
        return None
    sheet = np.zeros(work.shape, np.uint8)
    cv2.fillConvexPoly(sheet, np.rint((best + 0.5) / factor).astype(np.int32), 1)
    edge = int(MARGIN * max(height, width)) * 2 + 3
    return cv2.erode(sheet, np.ones((edge, edge), np.uint8), borderValue=1)


def _framed_sheet(dark: np.ndarray) -> np.ndarray | None:
    """The outline of what a frame of dark parts along the picture's edges leaves free."""
    # A table is seen in its grain, but broad; the lines of the paper are not.
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
    if not 0.12 * dark.size < area < 0.97 * dark.size or cv2.contourArea(outline) < 0.93 * area:
        return None
    return hull if _has_corner(hull, dark.shape) else None


def _light_sheet(small: np.ndarray) -> np.ndarray | None:
    """The outline of a region that is lighter than all around it."""
    # Writing is filled in: it is narrower than this, and a sheet's edge stays where it is.
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
    """The outline [points, 1, 2] and area of the sheet, if it is what is above `level`."""
    light = (small > level).astype(np.uint8)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None, 0
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not 0.12 * small.size < area < 0.97 * small.size:
        return None, 0
    straight = (cv2.contourArea(outline) / area - 0.94) / 0.05
    if straight < 0.3:
        return None, 0
    inside = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    ring = _ring(inside, NEAR, FAR)
    outside = _ring(1 - inside, NEAR, FAR)
    if not (ring.any() and outside.any()):  # pragma: no cover - too thin for either
        return None, 0
    # Just within the edge it is lighter than just beyond it, nearly all the way round.
    beyond = cv2.dilate(np.where(outside > 0, small, 0), np.ones((13, 13), np.uint8))
    close = (ring > 0) & (beyond > 0)
    if not close.any() or not _has_corner(hull, small.shape) or _has_soft_side(hull, small):
        return None, 0
    step = float(np.percentile(small[close] / beyond[close].astype(float), 15)) - 1
    return (hull, area * min(step, STEP) * min(straight, 1)) if step > 0.12 else (None, 0)


def _has_soft_side(hull: np.ndarray, small: np.ndarray) -> bool:
    """Whether along one of the outline's longer sides the light falls little by little."""
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
    """What of `region` lies from `near` to `far` pixels inside its edge."""
    depth = cv2.distanceTransform(region, cv2.DIST_L2, 3)
    return ((depth > near) & (depth <= far)).astype(np.uint8)


def _has_corner(hull: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether the outline has three to six corners, and one that is clearly one lies inside
    the picture."""
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
