"""What all trainings of a sweep or a search have in common: data, held-out images, device."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mnist_graph.data.arguments import checked_path
from mnist_graph.data.batches import require_full_batch
from mnist_graph.data.datasets import read_data_sets
from mnist_graph.data.held_out import choose_held_out, mark_held_out
from mnist_graph.data.originals import find_originals
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.experiments.workers import End
from mnist_graph.graph.devices import check_device
from mnist_graph.graph.network import NETWORKS
from mnist_graph.graph.recipe import Recipe
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Result

DIVERGED = "the loss is "
"""How the training loop's error begins if the loss becomes NaN or infinite. It would do so again,
so such a training is not repeated."""


class Setting(NamedTuple):
    """The data and the device of all trainings."""

    data: dict[str, Any]
    """What `read_data_sets` takes to read the data, in JSON's values."""
    device: str
    held_out: range
    """The training images that score each run."""
    sha256: dict[str, str]
    """What identifies the data, as in the run directories."""

    def describe(self, recipe: Recipe, **tried: Any) -> dict[str, Any]:
        """Return what the folder of a sweep or search of `recipe` is found by, in JSON's values."""
        return {"recipe": recipe.to_json(), **tried, "sha256": self.sha256}

    def describe_images(self) -> str:
        """Return which images score the runs, in words."""
        which = "last" if self.held_out.start else "first"
        return f"the {which} {len(self.held_out):,} training images, which are held out"


def choose_setting(
    recipes: Sequence[Recipe],
    data_dir: str | Path | None,
    device: str,
    pictures: Mapping[str, Any] | None = None,
) -> Setting:
    """Read the data and choose what is held out of it. Raises UsageError if one of `recipes` does
    not fit, before anything is trained, and MnistGraphError if the data cannot be read.
    """
    check_device(device)
    for recipe in recipes:
        network = NETWORKS[recipe.network]
        if network.reads_strips:
            raise UsageError(
                f"{recipe.model} reads rows of digits; only recipes of single digits "
                "can be swept, tuned and compared on held-out images"
            )
        if not network.build.__module__.startswith("mnist_graph."):
            raise UsageError(
                f"the network {recipe.network} is not part of the package; the "
                "processes that train do not know it"
            )
    directory = None if data_dir is None else checked_path("data_dir", data_dir)
    given = describe_reading(directory, pictures)
    data = read_data_sets(**given, validation_size=0)
    sizes = [data.count_validation(recipe.validation_size) for recipe in recipes]
    held_out = choose_held_out(sizes, data.train.num_examples)
    for recipe, size in zip(recipes, sizes, strict=True):
        count = (held_out.start or data.train.num_examples) - size
        require_full_batch(recipe, count)
        if recipe.mix:
            find_originals(data)
    return Setting(given, device, held_out, mark_held_out(data.sha256, held_out))


def describe_reading(
    data_dir: str | Path | None, pictures: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what `read_data_sets` takes for this folder and these settings of its pictures, for a
    process in any folder, in JSON's values.
    """
    places = {"train_dir": data_dir, "cache_dir": (pictures or {}).get("cache_dir")}
    absolute = {name: None if at is None else os.path.abspath(at) for name, at in places.items()}
    return {**(pictures or {}), **absolute}


def read_result(directory: Path, recipe: Recipe) -> Result | None:
    """Return the outcome of the run in `directory`; None if it is unfinished or not begun. Raises
    MnistGraphError if it is damaged or of another recipe.
    """
    if not (directory / "recipe.json").exists():
        return None
    run = load_run(directory)
    if differences := recipe.differences(run.recipe):
        raise MnistGraphError(f"in {directory} {'; '.join(differences)}; delete it to train anew")
    return run.result


def has_diverged(end: End) -> bool:
    """Whether a training ended because its loss became NaN or infinite."""
    return end.error is not None and end.error.startswith(DIVERGED)


def job_directory(folder: Path, number: int) -> Path:
    """Return the run directory of training `number`."""
    return folder / "runs" / str(number)
