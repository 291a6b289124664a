"""Random distortions of digit images, in NumPy, that keep all of the ink inside the frame.

Each image gets its own random affine map (rotation, shear, scale, shift) and its own smooth
elastic displacement. The two are added into one map from output pixels to source positions,
and the image is sampled once, bilinearly. Then the strokes of some images are made thicker or
thinner, by moving each pixel part of the way to the maximum or minimum around it, and some
images are blurred.

No ink leaves the frame. The elastic field fades to zero at the border, so only the affine map
moves the border; and the affine map keeps the bounding box of the ink inside the frame: the
shift is limited to the free margin, and a box larger than the frame is scaled down to it.

It stays in NumPy: OpenCV's `remap` is faster but rounds positions to 1/32 of a pixel, which would
change the results of every augmented recipe, and its morphology would save about 1 % of the time.

Sources: P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis", ICDAR 2003 (affine and elastic distortions;
their Gaussian of 4 pixels corresponds to the seven-pixel cubic B-spline used here on 28x28);
D. Ciresan, U. Meier and J. Schmidhuber, "Multi-column Deep Neural Networks for Image
Classification", CVPR 2012 (the same, drawn anew in every epoch).
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_graph.data.augmentation import Augmentation

MAX_THINNING = 0.9
"""How far thinning may move a pixel to the minimum of it and its four neighbours, from 0 to 1;
at 1, nothing would be left of a fine stroke."""

_CELLS = 4  # B-spline intervals across the frame, in each direction


class RandomRows(NamedTuple):
    """Random numbers for some rows of a batch: those that the rows get in the whole batch."""

    whole: np.random.Generator
    size: int
    """The number of images in the whole batch."""
    part: slice

    def rows(self, draw: Callable[[int], NDArray[Any]], axis: int = 0) -> NDArray[Any]:
        """Draw for all images by `draw(size)`; return the numbers of these rows, along `axis`."""
        return draw(self.size)[(slice(None),) * axis + (self.part,)]


@functools.lru_cache(maxsize=16)
def _basis(size: int) -> NDArray[np.float32]:
    """Basis functions [2 + _CELLS + 3, size] along one axis: 1, the distance from the centre
    of the frame, and cubic B-splines that fade to zero at both ends.
    """
    pixel = np.arange(size)
    distance = np.abs((pixel + 0.5) / size * _CELLS - (np.arange(_CELLS + 3) - 1)[:, None])
    spline = np.where(
        distance < 1,
        2 / 3 - distance**2 + distance**3 / 2,
        np.clip(2 - distance, 0, None) ** 3 / 6,
    )
    # So that coefficients of variance 1 give displacements of variance 1.
    spline /= np.sqrt(np.square(spline).sum(axis=0))
    spline *= np.minimum(np.minimum(pixel, pixel[::-1]) / max(size / 7, 1.0), 1.0)
    basis = np.vstack([np.ones(size), pixel - (size - 1) / 2, spline]).astype(np.float32)
    basis.flags.writeable = False
    return basis


def _ink_sides(ink: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the lower and upper edge of the ink in profiles [n, size]: [n, 2], in pixels
    from the centre. A profile without ink counts as full.
    """
    size = ink.shape[1]
    first = np.argmax(ink, axis=1)
    last = size - np.argmax(ink[:, ::-1], axis=1)
    return np.stack([first, last], axis=1).astype(np.float32) - np.float32(size / 2)


def affine_matrices(draw: NDArray[np.float64], strength: Augmentation) -> NDArray[np.float64]:
    """Return matrices [n, 2, 2] of (y, x) that rotate, slant and scale, for numbers from -1 to 1
    [4, n] that were drawn for each image.
    """
    turn = np.deg2rad(strength.rotation) * draw[0]
    slant = np.tan(np.deg2rad(strength.shear) * draw[1])
    scale_y, scale_x = np.exp(np.log1p(strength.scale) * draw[2:4])
    cos, sin = np.cos(turn), np.sin(turn)
    # rotation @ [[1, 0], [slant, 1]] @ diagonal(scale_y, scale_x)
    stacked = np.stack(
        [(cos - sin * slant) * scale_y, -sin * scale_x,
         (sin + cos * slant) * scale_y, cos * scale_x],
        axis=1,
    )  # fmt: skip
    return stacked.reshape(-1, 2, 2)


def _affine(
    images: NDArray[np.uint8], rng: RandomRows, strength: Augmentation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw matrices [n, 2, 2] and shifts [n, 2] (y, x) that map source to output positions
    about the centre of the frame and keep every image's ink inside it.
    """
    _, *frame = images.shape
    draw = rng.rows(lambda n: rng.whole.uniform(-1.0, 1.0, (6, n)), axis=1)
    matrix = affine_matrices(draw[:4], strength)
    side_y = _ink_sides(images.max(axis=2) > 0)
    side_x = _ink_sides(images.max(axis=1) > 0)
    # Corners of the mapped ink box: [n, 2 coordinates, 2 sides in y, 2 sides in x].
    corners = (
        matrix[:, :, 0, None, None] * side_y[:, None, :, None]
        + matrix[:, :, 1, None, None] * side_x[:, None, None, :]
    )
    low, high = corners.min(axis=(2, 3)), corners.max(axis=(2, 3))
    size = np.array(frame, np.float64)
    fit = np.minimum(1.0, (size / (high - low)).min(axis=1))[:, None]
    matrix *= fit[:, :, None]
    shift = np.clip(strength.shift * draw[4:].T, -size / 2 - low * fit, size / 2 - high * fit)
    return matrix.astype(np.float32), shift.astype(np.float32)


def _warp(images: NDArray[np.uint8], rng: RandomRows, strength: Augmentation) -> NDArray[np.uint8]:
    """Apply the affine and elastic distortions."""
    count, height, width = images.shape
    basis_y, basis_x = _basis(height), _basis(width)
    matrix, shift = _affine(images, rng, strength)
    inverse = np.linalg.inv(matrix)
    # Source position = centre + inverse @ (output - centre - shift) + elastic field. The
    # source has one pixel of padding, hence + 1.
    centre = np.array([(height + 1) / 2, (width + 1) / 2], np.float32)
    size_y, size_x = len(basis_y) - 2, len(basis_x) - 2
    field = rng.rows(
        lambda n: rng.whole.standard_normal((2, n, size_y, size_x), np.float32), axis=1
    )
    weights = np.zeros((2, count, len(basis_y), len(basis_x)), np.float32)
    weights[:, :, 0, 0] = (centre - np.einsum("nij,nj->ni", inverse, shift)).T
    weights[:, :, 1, 0] = inverse[:, :, 0].T
    weights[:, :, 0, 1] = inverse[:, :, 1].T
    np.multiply(field, np.float32(strength.elastic), out=weights[:, :, 2:, 2:])
    # Many small products rather than one large one: BLAS then starts no threads of its own,
    # which would compete with the training step that runs at the same time.
    y, x = (basis_y.T @ (weights @ basis_x)).reshape(2, images.size)

    padded = np.zeros((count, height + 2, width + 2), np.uint8)
    padded[:, 1:-1, 1:-1] = images
    for position, size in ((y, height), (x, width)):
        np.clip(position, 0, np.nextafter(np.float32(size + 1), np.float32(0)), out=position)
    row, column = y.astype(np.int32), x.astype(np.int32)
    y -= row
    x -= column
    row *= width + 2
    row += column
    first = np.arange(count)[:, None] * ((height + 2) * (width + 2))
    index = (row.reshape(count, height * width) + first).reshape(-1)
    source = padded.reshape(-1)

    def interpolate_row(offset: int) -> NDArray[np.float32]:
        left = source[offset:].take(index).astype(np.float32)
        right = source[offset + 1 :].take(index).astype(np.float32)
        right -= left
        right *= x
        right += left
        return right

    value = interpolate_row(0)
    below = interpolate_row(width + 2)
    below -= value
    below *= y
    value += below
    value += np.float32(0.5)
    return value.astype(np.uint8).reshape(images.shape)


def _thicken(images: NDArray[np.uint8], rng: RandomRows, probability: float) -> None:
    """Make the strokes of some images thicker or thinner, in place."""
    draw = rng.rows(lambda n: rng.whole.random((2, n), np.float32), axis=1)
    thicker = np.flatnonzero(draw[0] < probability / 2)
    thinner = np.flatnonzero((draw[0] >= probability / 2) & (draw[0] < probability))
    before = images[thicker]
    after = _spread(_spread(before, np.maximum, 1), np.maximum, 2)
    images[thicker] = _interpolate(before, after, draw[1, thicker])
    before = images[thinner]
    after = np.minimum(_spread(before, np.minimum, 1), _spread(before, np.minimum, 2))
    images[thinner] = _rescale(_interpolate(before, after, MAX_THINNING * draw[1, thinner]), before)


def _spread(images: NDArray[np.uint8], extreme: np.ufunc, axis: int) -> NDArray[np.uint8]:
    """Return the `extreme` of each pixel and its two neighbours along `axis`."""
    result = images.copy()
    before, after = np.moveaxis(images, axis, 0), np.moveaxis(result, axis, 0)
    extreme(after[1:], before[:-1], out=after[1:])
    extreme(after[:-1], before[1:], out=after[:-1])
    return result


def _interpolate(
    before: NDArray[np.uint8], after: NDArray[np.uint8], share: NDArray[np.float32]
) -> NDArray[np.generic]:
    """Move each image its share [n] of the way from `before` to `after`."""
    parts = (share * 256).astype(np.uint16)[:, np.newaxis, np.newaxis]  # of 256
    return np.asarray((before * (256 - parts) + after * parts + 128) >> 8)


def _rescale(images: NDArray[np.generic], before: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale each image so that its brightest pixel is as bright as in `before`."""
    highest = before.max(axis=(1, 2), keepdims=True)
    return np.rint(images * (highest / np.maximum(images.max(axis=(1, 2), keepdims=True), 1)))


def _blur(images: NDArray[np.uint8], rng: RandomRows, probability: float) -> None:
    """Blur some images, in place: one to three passes of [1 2 1] / 4 along both axes."""
    is_blurred = rng.rows(rng.whole.random) < probability
    times = np.where(is_blurred, rng.rows(lambda n: rng.whole.integers(1, 4, n)), 0)
    for number in (1, 2, 3):
        chosen = np.flatnonzero(times >= number)
        before = np.pad(images[chosen].astype(np.uint16), ((0, 0), (1, 1), (1, 1)))
        rows = before[:, :-2] + 2 * before[:, 1:-1] + before[:, 2:]
        after = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
        images[chosen] = _rescale(after, images[chosen])


def _scan(images: NDArray[np.uint8], rng: RandomRows, probability: float) -> None:
    """Replace some images with what comes out of pictures of them, in place."""
    from mnist_graph.data.scans import scan  # OpenCV, which MNIST does not need

    is_scanned = rng.rows(rng.whole.random) < probability
    seeds = rng.rows(lambda n: rng.whole.integers(2**63, size=n))
    for number in np.flatnonzero(is_scanned):
        images[number] = scan(images[number], np.random.default_rng(seeds[number]))


def augment(
    images: NDArray[np.uint8],
    rng: np.random.Generator,
    strength: Augmentation,
    part: tuple[int, slice] | None = None,
) -> NDArray[np.uint8]:
    """Distort each image of a batch at random: uint8 [n, height, width], bright ink on a
    background of 0, to a new array of the same shape.

    `part`, the size of the batch and a slice of it, says that the images are only these rows;
    they are distorted as they are in the whole batch. A pure function, except that it advances
    `rng`.
    """
    rows = RandomRows(rng, *(part or (len(images), slice(None))))
    result = _warp(images, rows, strength)
    _thicken(result, rows, strength.thickness)
    if strength.blur:
        _blur(result, rows, strength.blur)
    if strength.scan:
        _scan(result, rows, strength.scan)
    return result
