"""Random distortions of digit images, in NumPy, that lose no ink.

Every image gets its own random affine map (rotation, slant, scale, shift) and its own smooth
elastic displacement; the two are added into a single map from output pixels to source
positions, and the image is sampled once, bilinearly. Some strokes are then made thicker or
thinner, by going some of the way to the most or the least ink around each pixel, and some
images made coarse.

No ink leaves the frame: the elastic field fades to zero at the frame's border, so the border
is moved by the affine map alone; and that is kept such that the box around the ink stays
inside the frame (the shift is limited to the free margin, and a box that would be larger than
the frame is scaled down to it). What the image of the border encloses is sampled, hence all
of the ink is.

Sources: P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis", ICDAR 2003 (affine and elastic distortions;
their Gaussian of 4 pixels corresponds to the seven-pixel cubic B-spline used here on 28x28);
D. Ciresan, U. Meier and J. Schmidhuber, "Multi-column Deep Neural Networks for Image
Classification", CVPR 2012 (the same, drawn anew in every epoch).
"""

import functools

import numpy as np
from numpy.typing import NDArray

from mnist_graph.recipe import Augmentation

THINNEST = 0.9
"""Of the way to the least of a pixel and the four beside it: all of it would leave nothing of
a fine stroke."""

_CELLS = 4  # B-spline intervals across the frame, in each direction


@functools.lru_cache(maxsize=16)
def _basis(size: int) -> NDArray[np.float32]:
    """Functions [2 + _CELLS + 3, size] along one axis: 1, the distance from the centre of
    the frame, and cubic B-splines that fade to zero at both ends."""
    pixel = np.arange(size)
    distance = np.abs((pixel + 0.5) / size * _CELLS - (np.arange(_CELLS + 3) - 1)[:, None])
    spline = np.where(
        distance < 1,
        2 / 3 - distance**2 + distance**3 / 2,
        np.clip(2 - distance, 0, None) ** 3 / 6,
    )
    # Coefficients of variance one then give displacements of variance one.
    spline /= np.sqrt(np.square(spline).sum(axis=0))
    spline *= np.minimum(np.minimum(pixel, pixel[::-1]) / max(size / 7, 1.0), 1.0)
    basis = np.vstack([np.ones(size), pixel - (size - 1) / 2, spline]).astype(np.float32)
    basis.flags.writeable = False
    return basis


def _ink_sides(ink: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Lower and upper edge [n, 2] of the ink in ink profiles [n, size], from the centre.

    A pixel is one wide.  A profile without any ink counts as full.
    """
    size = ink.shape[1]
    first = np.argmax(ink, axis=1)
    last = size - np.argmax(ink[:, ::-1], axis=1)
    return np.stack([first, last], axis=1).astype(np.float32) - np.float32(size / 2)


def _affine(
    images: NDArray[np.uint8], rng: np.random.Generator, strength: Augmentation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Random matrices [n, 2, 2] and shifts [n, 2] (y, x) from source to output, both
    about the centre of the frame, that keep the ink box of every image in the frame."""
    count, *frame = images.shape
    draw = rng.uniform(-1.0, 1.0, (6, count))
    turn = np.deg2rad(strength.rotation) * draw[0]
    slant = np.tan(np.deg2rad(strength.shear) * draw[1])
    scale_y, scale_x = np.exp(np.log1p(strength.scale) * draw[2:4])
    cos, sin = np.cos(turn), np.sin(turn)
    # rotation @ [[1, 0], [slant, 1]] @ diagonal(scale_y, scale_x)
    matrix = np.stack(
        [(cos - sin * slant) * scale_y, -sin * scale_x,
         (sin + cos * slant) * scale_y, cos * scale_x],
        axis=1,
    ).reshape(count, 2, 2)  # fmt: skip
    side_y = _ink_sides(images.max(axis=2) > 0)
    side_x = _ink_sides(images.max(axis=1) > 0)
    # Corners [n, 2 coordinates, 2 sides in y, 2 sides in x] of the moved ink box.
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


def _warp(
    images: NDArray[np.uint8], rng: np.random.Generator, strength: Augmentation
) -> NDArray[np.uint8]:
    """The affine and elastic part of `augment`."""
    count, height, width = images.shape
    basis_y, basis_x = _basis(height), _basis(width)
    matrix, shift = _affine(images, rng, strength)
    inverse = np.linalg.inv(matrix)
    # Source position = centre + inverse @ (output - centre - shift) + elastic field; the
    # source is padded by one pixel of background, hence one more.
    centre = np.array([(height + 1) / 2, (width + 1) / 2], np.float32)
    field = rng.standard_normal((2, count, len(basis_y) - 2, len(basis_x) - 2), np.float32)
    weights = np.zeros((2, count, len(basis_y), len(basis_x)), np.float32)
    weights[:, :, 0, 0] = (centre - np.einsum("nij,nj->ni", inverse, shift)).T
    weights[:, :, 1, 0] = inverse[:, :, 0].T
    weights[:, :, 0, 1] = inverse[:, :, 1].T
    np.multiply(field, np.float32(strength.elastic), out=weights[:, :, 2:, 2:])
    # Many small products rather than a large one: BLAS then starts no threads of its own,
    # which would be in the way of a training step that runs at the same time.
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

    def line(offset: int) -> NDArray[np.float32]:
        left = source[offset:].take(index).astype(np.float32)
        right = source[offset + 1 :].take(index).astype(np.float32)
        right -= left
        right *= x
        right += left
        return right

    value = line(0)
    below = line(width + 2)
    below -= value
    below *= y
    value += below
    value += np.float32(0.5)
    return value.astype(np.uint8).reshape(images.shape)


def _thicken(images: NDArray[np.uint8], rng: np.random.Generator, probability: float) -> None:
    """Makes the strokes of some images thicker or thinner, in place."""
    draw = rng.random((2, len(images)), np.float32)
    thicker = np.flatnonzero(draw[0] < probability / 2)
    thinner = np.flatnonzero((draw[0] >= probability / 2) & (draw[0] < probability))
    before = images[thicker]
    after = _beside(_beside(before, np.maximum, 1), np.maximum, 2)
    images[thicker] = _between(before, after, draw[1, thicker])
    before = images[thinner]
    after = np.minimum(_beside(before, np.minimum, 1), _beside(before, np.minimum, 2))
    images[thinner] = _as_bright(_between(before, after, THINNEST * draw[1, thinner]), before)


def _beside(images: NDArray[np.uint8], extreme: np.ufunc, axis: int) -> NDArray[np.uint8]:
    """The `extreme` of each pixel and the two beside it along `axis`."""
    result = images.copy()
    before, after = np.moveaxis(images, axis, 0), np.moveaxis(result, axis, 0)
    extreme(after[1:], before[:-1], out=after[1:])
    extreme(after[:-1], before[1:], out=after[:-1])
    return result


def _between(
    before: NDArray[np.uint8], after: NDArray[np.uint8], share: NDArray[np.float32]
) -> NDArray[np.uint16]:
    """Each image that share [n] of the way from `before` to `after`."""
    share = (share * 256).astype(np.uint16)[:, np.newaxis, np.newaxis]
    return (before * (256 - share) + after * share + 128) >> 8


def _as_bright(images: NDArray[np.generic], before: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The images with the brightest pixel of each as bright as it was, as `normalise` leaves it."""
    highest = before.max(axis=(1, 2), keepdims=True)
    return np.rint(images * (highest / np.maximum(images.max(axis=(1, 2), keepdims=True), 1)))


def _blur(images: NDArray[np.uint8], rng: np.random.Generator, probability: float) -> None:
    """Makes some images coarse, in place: one to three times [1 2 1] / 4 along both axes."""
    times = np.where(rng.random(len(images)) < probability, rng.integers(1, 4, len(images)), 0)
    for least in (1, 2, 3):
        chosen = np.flatnonzero(times >= least)
        before = np.pad(images[chosen].astype(np.uint16), ((0, 0), (1, 1), (1, 1)))
        rows = before[:, :-2] + 2 * before[:, 1:-1] + before[:, 2:]
        after = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
        images[chosen] = _as_bright(after, images[chosen])


def augment(
    images: NDArray[np.uint8], rng: np.random.Generator, strength: Augmentation
) -> NDArray[np.uint8]:
    """Each image of a batch distorted at random: uint8 [n, height, width], ink bright on a
    ground of 0, -> the same shape.

    A function of its arguments alone (it advances `rng`); the images given stay as they are.
    """
    result = _warp(images, rng, strength)
    _thicken(result, rng, strength.thickness)
    if strength.blur:
        _blur(result, rng, strength.blur)
    return result
