"""Random distortions of photographs, in NumPy, the same for all channels of an image.

Photographs fill their frames, so what moves in from outside repeats the pixels at the edge. Without
rotation, shear and scale no pixel is interpolated: an image is moved by whole pixels and mirrored.
"""

import numpy as np
from numpy.typing import NDArray

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.data.distortions import RandomRows, affine_matrices
from mnist_graph.data.scaling import FULL_INK


def augment_photos(
    images: NDArray[np.uint8],
    rng: np.random.Generator,
    strength: Augmentation,
    part: tuple[int, slice] | None = None,
) -> NDArray[np.uint8]:
    """Distort each photograph of a batch at random: uint8 [n, height, width], or
    [n, height, width, channels], to a new array of the same shape.

    `part` and `rng` are as in `distortions.augment`.
    """
    rows = RandomRows(rng, *(part or (len(images), slice(None))))
    frames = images.reshape(*images.shape[:3], -1)
    if strength.rotation or strength.shear or strength.scale:
        moved = _warp(frames, rows, strength)
    else:
        moved = _shift(frames, rows, strength)
    if strength.brightness or strength.contrast:
        moved = _light(moved, rows, strength)
    return moved.reshape(images.shape)


def _draw_moves(
    rng: RandomRows, strength: Augmentation
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw the shifts down and to the right in pixels, [2, n], and who is mirrored, [n]."""
    most = round(strength.shift)
    shift = rng.rows(lambda n: rng.whole.integers(-most, most + 1, (2, n)), axis=1)
    return shift, rng.rows(rng.whole.random) < strength.flip


def _shift(frames: NDArray[np.uint8], rng: RandomRows, strength: Augmentation) -> NDArray[np.uint8]:
    """Move and mirror [n, height, width, channels]."""
    count, height, width, _ = frames.shape
    (down, right), flips = _draw_moves(rng, strength)
    y = np.clip(np.arange(height) - down[:, np.newaxis], 0, height - 1)
    x = np.clip(np.arange(width) - right[:, np.newaxis], 0, width - 1)
    x[flips] = x[flips, ::-1]
    number = np.arange(count)[:, np.newaxis, np.newaxis]
    return frames[number, y[:, :, np.newaxis], x[:, np.newaxis, :]]


def _warp(frames: NDArray[np.uint8], rng: RandomRows, strength: Augmentation) -> NDArray[np.uint8]:
    """Rotate, slant, scale, move and mirror [n, height, width, channels], bilinearly."""
    count, height, width, _ = frames.shape
    shift, flips = _draw_moves(rng, strength)
    draw = rng.rows(lambda n: rng.whole.uniform(-1.0, 1.0, (4, n)), axis=1)
    inverse = np.linalg.inv(affine_matrices(draw, strength))
    inverse[flips, :, 1] *= -1
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    # Source position = centre + inverse @ (output - centre - shift).
    output = grid.reshape(1, 2, -1) - (centre + shift.T)[:, :, np.newaxis]
    sources = inverse @ output + centre[:, np.newaxis]
    y, x = (
        np.clip(sources[:, axis], 0, size - 1).astype(np.float32)
        for axis, size in enumerate((height, width))
    )
    top, left = y.astype(np.int32), x.astype(np.int32)
    below, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, right = (y - top)[..., np.newaxis], (x - left)[..., np.newaxis]
    number = np.arange(count)[:, np.newaxis]
    values = frames.astype(np.float32)
    upper = values[number, top, left] * (1 - right) + values[number, top, beside] * right
    lower = values[number, below, left] * (1 - right) + values[number, below, beside] * right
    mixed = upper * (1 - down) + lower * down
    return np.rint(mixed).astype(np.uint8).reshape(frames.shape)


def _light(frames: NDArray[np.uint8], rng: RandomRows, strength: Augmentation) -> NDArray[np.uint8]:
    """Change brightness and contrast of [n, height, width, channels]."""
    draw = rng.rows(lambda n: rng.whole.uniform(-1.0, 1.0, (2, n)), axis=1).astype(np.float32)
    brighter, stronger = draw[:, :, np.newaxis, np.newaxis, np.newaxis]
    values = frames.astype(np.float32)
    mean = values.mean(axis=(1, 2), keepdims=True)
    values -= mean
    values *= 1 + strength.contrast * stronger
    values += mean + FULL_INK * strength.brightness * brighter
    return np.rint(np.clip(values, 0, FULL_INK, out=values), out=values).astype(np.uint8)
