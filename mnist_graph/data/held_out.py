"""Training images held out to score runs of which many are compared, so that the test set stays
unused until one of them has been chosen.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mnist_graph.errors import MnistGraphError, UsageError

if TYPE_CHECKING:
    from mnist_graph.data.datasets import DataSet, DataSets

HELD_OUT = "held_out"
"""The key that marks such data, next to the names of the files in `DataSets.sha256`: a run of it
has no test accuracy. Its value names the images, such as "train[55000:60000]"."""
COUNT, MOST_SHARE = 5000, 0.2
"""How many images are held out where no recipe holds any out, and the largest share they may be."""


def choose_held_out(validation_sizes: Iterable[int], count: int) -> range:
    """Return which of `count` training images score runs with these validation sizes: those that
    all of them hold out for validation, which are the first ones; or, if one of them trains on all
    images, the last 5,000 (of small data, the last fifth).

    Raises UsageError if no image would be left to train on.
    """
    sizes = list(validation_sizes)
    kept = min(COUNT, int(MOST_SHARE * count))
    held_out = range(min(sizes)) if min(sizes) else range(count - kept, count)
    left = min(held_out.start or count, count) - max(sizes)
    if left < 1 or not held_out:
        raise UsageError(
            f"of {count:,} training images, none is left beside {max(sizes):,} for validation; "
            "choose a smaller validation_size"
        )
    return held_out


def hold_out(everything: "DataSets", held_out: range, validation_size: int) -> "DataSets":
    """Return data to train on without the images in `held_out`, and to test on them instead of
    the test images, which are left alone.

    `everything` was read with validation_size=0; `held_out` is what `choose_held_out` returned.
    """
    from mnist_graph.data.datasets import DataSet  # NumPy: runs.run needs the mark alone

    train, end = everything.train, held_out.start or everything.train.num_examples
    validation_size = everything.count_validation(validation_size)

    def part(start: int, stop: int) -> "DataSet":
        return DataSet(train.pixels[start:stop], train.sparse_labels[start:stop], train.classes)

    return everything._replace(
        train=part(validation_size, end),
        validation=part(0, validation_size),
        test=part(held_out.start, held_out.stop),
        sha256=mark_held_out(everything.sha256, held_out),
    )


def mark_held_out(sha256: dict[str, str], held_out: range) -> dict[str, str]:
    """Return what identifies the data of which the images in `held_out` score a run."""
    return {**sha256, HELD_OUT: f"train[{held_out.start}:{held_out.stop}]"}


def find_held_out(sha256: dict[str, str]) -> range | None:
    """Return which training images the data with this `sha256` is tested on; None if these are the
    test images. Raises MnistGraphError if the mark is damaged.
    """
    if HELD_OUT not in sha256:
        return None
    found = re.fullmatch(r"train\[(\d{1,9}):(\d{1,9})\]", str(sha256[HELD_OUT]))
    if found is None:
        raise MnistGraphError(f"{HELD_OUT} is {sha256[HELD_OUT]!r:.80}, not like train[0:5000]")
    return range(int(found[1]), int(found[2]))
