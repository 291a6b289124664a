"""A folder with one subfolder of pictures for each class.

Where the folder has no train/ and test/, a hash of each picture's content decides what it is for.
So adding pictures moves none from training to test, and copies of a picture are all on one side.
Images come in the order of these hashes too: the data are the same whatever the files are called.
"""

import hashlib
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from mnist_graph.data.formats.cache import (
    PIXELS,
    UNDECIDED,
    Decoded,
    Rows,
    find_key,
    keep_pixels,
    load,
    save,
)
from mnist_graph.data.formats.decoding import Probe, decode, map_in_parallel, probe
from mnist_graph.data.formats.examples import (
    Examples,
    Form,
    Part,
    Progress,
    require_small,
    smallest_labels,
)
from mnist_graph.data.formats.listing import TEST, TRAIN, VALIDATION, Listing, PictureFile
from mnist_graph.data.shapes import COLOURS, ImageShape, is_colour
from mnist_graph.errors import MnistGraphError, MnistGraphWarning

SHARES = {TEST: (0.0, 0.15), VALIDATION: (0.15, 0.25)}
"""Which hashes, as fractions of the largest, are held back for what: 15 % for the test, 10 % for
validation, of each class about."""
ORDER = (VALIDATION, TRAIN, TEST)
"""Of the images in memory; those for validation are the first of the training images."""
MOST_FAULTS = 0.01
"""The largest share of pictures that can be left out because they cannot be read."""
NAMED = 5
"""How many of them are named."""
GREY_WITHIN = 8
"""Pixels whose channels differ by no more, of 255, have no colour: JPEG rounds as much."""


def read_pictures(
    root: Path, listing: Listing, form: Form, cache: Path | None, progress: Progress | None
) -> Examples:
    """Read the pictures that are listed, brought to `form`; from the folder `cache` if they have
    been saved there before.

    Pictures that cannot be read are left out, with an MnistGraphWarning. Raises MnistGraphError if
    these are more than 1 %, if a class has no training or no class has test pictures, if they are
    too large, and if the cache cannot be written.
    """

    def decode_in(folder: Path | None) -> Decoded:
        return _decode(root, listing, form, folder, progress)

    if cache is None:
        decoded = decode_in(None)
    else:
        folder = cache / find_key(root, listing, form)
        try:
            decoded = load(folder) or save(folder, decode_in)
        except OSError as error:
            raise MnistGraphError(f"cannot write to {cache}: {error.strerror or error}") from error
    about = decoded.about
    if left_out := about["left_out"]:
        message = _describe_faults(root, left_out, len(listing.files))
        warnings.warn(f"{message}; they are left out", MnistGraphWarning, stacklevel=2)
    validation, train, test = (about["counts"][part] for part in ORDER)
    whole, rest = slice(validation + train), slice(validation + train, validation + train + test)
    of_train, of_test = (
        Part(decoded.pixels[rows], decoded.labels[rows], str(root), str(root))
        for rows in (whole, rest)
    )
    names = listing.class_names
    are_numbers = names == tuple(map(str, range(len(names))))
    digest = {"pictures": about["digest"]}
    return Examples(of_train, of_test, digest, () if are_numbers else names, validation)


def _decode(
    root: Path, listing: Listing, form: Form, folder: Path | None, progress: Progress | None
) -> Decoded:
    """Decode the pictures into the empty `folder`, or into memory if `folder` is None."""
    probes, faulty = _probe_all(root, listing, progress)
    shape = _choose_shape(root, form, list(probes.values()))
    purposes = {file: _purpose(file, each.digest, listing) for file, each in probes.items()}
    order = sorted(
        probes, key=lambda each: (ORDER.index(purposes[each]), probes[each].digest, each.label)
    )
    with Rows(folder, UNDECIDED, len(order), shape) as rows:
        kept, has_colour = _decode_all(root, order, rows, progress)
    pixels = rows.read()
    faulty += set(order) - set(kept)
    _require_few(root, faulty, len(listing.files))
    if form.colour is None and is_colour(shape) and not has_colour:
        pixels = _drop_colour(folder, pixels)
    keep_pixels(folder)
    _check_purposes(root, listing, [(purposes[file], file.label) for file in kept])
    known = [str(pixels.shape[1:]), *listing.class_names]
    known += [f"{purposes[file]} {file.label} {probes[file].digest.hex()}" for file in kept]
    counts = Counter(purposes[file] for file in kept)
    about = {
        "counts": {part: counts[part] for part in ORDER},
        "left_out": sorted(file.path for file in faulty),
        "digest": hashlib.sha256("\n".join(known).encode("utf-8", "surrogatepass")).hexdigest(),
    }
    labels = np.array([file.label for file in kept])
    return Decoded(pixels, smallest_labels(labels, len(listing.class_names)), about)


def _probe_all(
    root: Path, listing: Listing, progress: Progress | None
) -> tuple[dict[PictureFile, Probe], list[PictureFile]]:
    """Return what each picture is, and those that cannot be read."""
    probes, faulty = {}, []
    paths = [root / file.path for file in listing.files]
    found = map_in_parallel(probe, paths, _part_of(progress, 0))
    for file, each in zip(listing.files, found, strict=True):
        if isinstance(each, MnistGraphError):
            faulty.append(file)
        else:
            probes[file] = each
    _require_few(root, faulty, len(listing.files))
    return probes, faulty


def _decode_all(
    root: Path, order: list[PictureFile], rows: Rows, progress: Progress | None
) -> tuple[list[PictureFile], bool]:
    """Decode the pictures to `rows`; return those that could be, and whether one of them has
    colour.
    """
    kept: list[PictureFile] = []
    has_colour = False
    decoding = partial(decode, shape=rows.whole[1:])
    paths = [root / file.path for file in order]
    images = map_in_parallel(decoding, paths, _part_of(progress, 1))
    for file, image in zip(order, images, strict=True):
        if not isinstance(image, MnistGraphError):
            rows.add(image)
            kept.append(file)
            has_colour = has_colour or _has_colour(image)
    return kept, has_colour


def _part_of(progress: Progress | None, number: int) -> Progress | None:
    """Return what tells `progress` of part `number` of two, 0 or 1: each picture is read twice."""
    if progress is None:
        return None
    return lambda done, total: progress((number * total + done) // 2, total)


def _require_few(root: Path, faulty: list[PictureFile], count: int) -> None:
    if len(faulty) > MOST_FAULTS * count:
        paths = sorted(file.path for file in faulty)
        raise MnistGraphError(
            f"{_describe_faults(root, paths, count)}; that is more than "
            f"{MOST_FAULTS:.0%}: remove or replace them"
        )


def _describe_faults(root: Path, faulty: Sequence[str], count: int) -> str:
    names = ", ".join(faulty[:NAMED]) + (", ..." if len(faulty) > NAMED else "")
    return f"{len(faulty):,} of {count:,} pictures in {root} cannot be read ({names})"


def _choose_shape(root: Path, form: Form, probes: Sequence[Probe]) -> ImageShape:
    """Return the shape that all pictures are brought to."""
    sizes = Counter(each.size for each in probes)
    # The smaller one if two are as common.
    size = form.size or max(sizes, key=lambda each: (sizes[each], -each[0] * each[1], each))
    require_small(*size, str(root), "; choose a smaller one, such as --image-size 64x64")
    in_colour = form.colour
    if in_colour is None:
        in_colour = any(each.may_have_colour for each in probes)
    return (*size, COLOURS) if in_colour else size


def _purpose(file: PictureFile, digest: bytes, listing: Listing) -> str:
    """Return what a picture is for: training, validation or test."""
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    for part in sorted(listing.held_back):
        low, high = SHARES[part]
        if file.part == TRAIN and low <= fraction < high:
            return part
    return file.part


def _has_colour(image: np.ndarray) -> bool:
    return image.ndim == 3 and bool((image.max(axis=2) - image.min(axis=2)).max() > GREY_WITHIN)


def _drop_colour(folder: Path | None, pixels: np.ndarray) -> np.ndarray:
    """Return images whose channels are all the same with one channel."""
    with Rows(folder, PIXELS, len(pixels), pixels.shape[1:3]) as rows:
        for image in pixels:
            rows.add(image[..., 0])
    return rows.read()


def _check_purposes(root: Path, listing: Listing, kept: list[tuple[str, int]]) -> None:
    """Raise MnistGraphError unless there are pictures to train on of every class, and to test."""
    trained = {label for part, label in kept if part == TRAIN}
    for label, name in enumerate(listing.class_names):
        if label not in trained:
            raise MnistGraphError(
                f"{root}: of class {name}, no picture is left to train on; add some, or divide "
                "them yourself into train/ and test/"
            )
    if not any(part == TEST for part, _ in kept):
        raise MnistGraphError(
            f"{root}: no picture is left to test on; add some, or divide them yourself into train/ "
            "and test/"
        )
