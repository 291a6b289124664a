"""The finished run that another run starts from. Needs no TensorFlow."""

import os
from pathlib import Path

from mnist_graph.data.arguments import checked_path
from mnist_graph.data.datasets import BUNDLED_SHA256
from mnist_graph.data.shapes import ImageShape, describe_shape
from mnist_graph.errors import MnistGraphError, UsageError
from mnist_graph.graph.recipe import Recipe, unknown
from mnist_graph.graph.recipes import recipes
from mnist_graph.runs.checkpoints import MODEL
from mnist_graph.runs.files import file_sha256
from mnist_graph.runs.find import find_run, load_run
from mnist_graph.runs.run import RUNS_DIR, Run, Start
from mnist_graph.runs.shipped import WEIGHTS, find_shipped, folded_recipe, is_shipped

NETWORK = (
    *("network", "hidden", "channels", "filter_sizes"),
    *("activation", "batch_normalization"),
)
"""The hyperparameters that make a network the same: weights are of use to no other."""


def find_start(name: str | Path, runs_dir: str | Path = RUNS_DIR) -> Run:
    """Return the finished run that `name` means: a run directory; or, for the name of a recipe, its
    newest finished run on MNIST in `runs_dir`, else the network in the package.

    Raises UsageError if it is neither, and MnistGraphError if there is no such run or it is
    unfinished.
    """
    path = checked_path("start_from", name)
    is_model = str(name) in recipes and not os.path.isfile(path / "recipe.json")
    if not is_model:
        if not os.path.isdir(path):
            raise UsageError(unknown("run directory and no model", str(name), recipes))
        run = load_run(path)
        if run.result is None:
            raise MnistGraphError(f"{path} is not finished; continue it with --resume")
        return run
    recipe = recipes[str(name)]
    found = find_run(runs_dir, recipe, BUNDLED_SHA256) or find_shipped(recipe, BUNDLED_SHA256)
    if found is None:
        raise MnistGraphError(
            f"{runs_dir} has no finished run of {name} on MNIST; train it first, or name a run "
            "directory"
        )
    return found


def name_start(run: Run) -> str:
    """Return what `run` is called as a start: its directory, or its name in the package."""
    return f"{run.recipe.model} in the package" if is_shipped(run) else str(run.directory)


def describe_start(run: Run) -> Start:
    """Return what the recipe.json of a run says that starts from `run`. Raises MnistGraphError if
    its weights are unreadable.
    """
    if is_shipped(run):
        return Start(name_start(run), file_sha256(run.directory / WEIGHTS))
    checkpoint = run.checkpoint()
    if checkpoint is None:
        raise MnistGraphError(f"{run.directory} has no checkpoint; train it again")
    file = checkpoint.folder / f"{MODEL}.data-00000-of-00001"
    return Start(name_start(run), file_sha256(file))


def fit_recipe(recipe: Recipe, start: Run) -> Recipe:
    """Return `recipe` as it can start from the run `start`: without batch normalization if `start`
    is a network in the package, which has it folded into its weights.
    """
    return folded_recipe(recipe) if is_shipped(start) else recipe


def has_same_classes(start: Run, classes: int, class_names: tuple[str, ...]) -> bool:
    """Return whether the run `start` has these classes, by number and name."""
    return (start.classes, start.class_names) == (classes, class_names)


def require_same_network(recipe: Recipe, image_shape: ImageShape, start: Run) -> None:
    """Raise UsageError unless `recipe` makes the network of the run `start` out of images of this
    shape.
    """
    one, other = recipe.to_json(), fit_recipe(start.recipe, start).to_json()
    if differing := [name for name in NETWORK if one[name] != other[name]]:
        said = "; ".join(f"{name} is {other[name]}, not {one[name]}" for name in differing)
        raise UsageError(
            f"{start.directory} has another network: {said}; without --model and flags that change "
            "the network, it is the same"
        )
    if start.image_shape != image_shape:
        theirs, ours = describe_shape(start.image_shape), describe_shape(image_shape)
        raise UsageError(
            f"{start.directory} was trained on images of {theirs}, and these have {ours}; bring "
            "them to that form"
        )
