"""Train a recipe, or resume an interrupted run."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_graph.data.arguments import require, whole_number, wrong_type
from mnist_graph.data.batches import require_digits, require_fitting, require_full_batch
from mnist_graph.data.datasets import DataSets
from mnist_graph.data.originals import find_originals
from mnist_graph.errors import UsageError
from mnist_graph.graph.build import Graph, build_graph
from mnist_graph.graph.devices import check_device
from mnist_graph.graph.multistep import MultiStep, add_multistep
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.sessions import Device, choose_device
from mnist_graph.graph.share import Share
from mnist_graph.runs.find import create_run, discard_unless_begun, load_run
from mnist_graph.runs.run import RUNS_DIR, Run
from mnist_graph.runs.start import describe_start, find_start, fit_recipe
from mnist_graph.training.hooks import Hook
from mnist_graph.training.intervals import LOG_EVERY, SAVE_EVERY, check_intervals
from mnist_graph.training.loop import Training
from mnist_graph.training.panel_data import SavePanelData
from mnist_graph.training.saving import SaveCheckpoints, WriteHistory
from mnist_graph.training.start import load_weights
from mnist_graph.training.team import Team
from mnist_graph.training.tensorboard import WriteEventFiles

ALONE = Team()
"""A process that trains by itself."""


def train(
    recipe: Recipe,
    data: DataSets,
    run_dir: str | Path | None = None,
    *,
    runs_dir: str | Path = RUNS_DIR,
    device: str = "auto",
    log_every: int = LOG_EVERY,
    save_every: float = SAVE_EVERY,
    hooks: Sequence[Hook] = (),
    team: Team = ALONE,
    start_from: str | Path | None = None,
) -> Run:
    """Train `recipe` on data.train, test it on data.test, and return the finished run.

    The run is saved in `run_dir` (default: a new directory in runs_dir/<model>/). Every
    `log_every` iterations, and at the last one, the batch just trained on is evaluated at
    keep_prob 1 and the hooks are told. The order of the batches follows from recipe.seed. Every
    `save_every` seconds, and at the end, a checkpoint is saved for `resume`; if that fails,
    training continues with an MnistGraphWarning. `team` leads the other processes that train the
    same network, if there are any (see mnist_graph/cluster/).

    The first weights are those of the finished run `start_from`, a run directory or the name of a
    model (see `runs.start.find_start`), with a fresh optimizer; for another number of classes, the
    output layer is new. By default they are random. A network in the package has no batch
    normalization any more, and neither has a run that starts from it.

    Raises UsageError if recipe, data and `start_from` do not fit together or an interval is out of
    range, and MnistGraphError if the device is not available, the run cannot be saved, or the loss
    becomes NaN or infinite. A training that fails before its first evaluation leaves no directory.
    """
    log_every, save_every = check_intervals(log_every, save_every)
    require("recipe", recipe, Recipe, 'a Recipe such as recipes["mlp"]')
    hooks = _checked_hooks(hooks)
    # Fail before creating the run directory.
    start = weights = None
    if start_from is not None:
        _require_data_sets(data)
        other = find_start(start_from, runs_dir)
        start, recipe = describe_start(other), fit_recipe(recipe, other)
        weights = load_weights(other, recipe, data, device)
    prepared = prepare(recipe, data, device, team)
    run = create_run(
        recipe,
        data.image_shape,
        data.classes,
        data.sha256,
        str(prepared.device),
        runs_dir,
        run_dir,
        data.class_names,
        start,
    )
    with run.locked():
        try:
            return _train_run(run, data, prepared, log_every, save_every, hooks, team, weights)
        except BaseException:  # Ctrl-C too
            discard_unless_begun(run)
            raise


def resume(
    run_dir: str | Path,
    data: DataSets,
    *,
    iterations: int | None = None,
    device: str = "auto",
    log_every: int = LOG_EVERY,
    save_every: float = SAVE_EVERY,
    hooks: Sequence[Hook] = (),
    team: Team = ALONE,
) -> Run:
    """Continue the unfinished run in `run_dir` as if it had not been interrupted; return it
    finished.

    `iterations` can be more than the run had; a schedule that depends on their number, such as
    one-cycle, then continues at the same iteration of the longer schedule. A finished run that
    is not made longer is returned as it is.

    Raises MnistGraphError as `train` does, and UsageError if the data is not what the run was
    trained on or `iterations` is below what the run has.
    """
    log_every, save_every = check_intervals(log_every, save_every)
    hooks = _checked_hooks(hooks)
    check_device(device)
    if iterations is not None:
        iterations = whole_number("iterations", iterations)
    run = load_run(run_dir)
    if not run.needs_training(iterations):
        return run
    with run.locked():
        run = load_run(run_dir)  # again: another process may have trained it meanwhile
        if not run.needs_training(iterations):
            return run
        _require_data_sets(data)
        run.require_data(data.sha256)
        recipe = run.recipe if iterations is None else run.recipe.override(iterations=iterations)
        prepared = prepare(recipe, data, device, team)
        if recipe != run.recipe:
            run = run.lengthen(recipe.iterations)
        return _train_run(run, data, prepared, log_every, save_every, hooks, team)


def _require_data_sets(data: DataSets) -> None:
    require("data", data, DataSets, "what read_data_sets() returns")


def _checked_hooks(hooks: Sequence[Hook]) -> tuple[Hook, ...]:
    """Return the hooks as a tuple. Raises UsageError if one of them is not a Hook."""
    try:
        checked = tuple(hooks)
    except TypeError:
        raise wrong_type("hooks", "a list of Hooks", hooks) from None
    for hook in checked:
        require("each of hooks", hook, Hook, "a Hook")
    return checked


class Prepared(NamedTuple):
    """What a process needs to train a recipe, apart from the data."""

    device: Device
    graph: Graph
    multistep: MultiStep
    share: Share | None


def prepare(recipe: Recipe, data: DataSets, device: str, team: Team) -> Prepared:
    """Choose the device and build the graph. Raises UsageError if recipe and data do not fit."""
    _require_data_sets(data)
    if data.is_fake:
        raise UsageError("fake data has nothing to learn: call read_data_sets() without fake_data")
    if data.validation.num_examples != data.count_validation(recipe.validation_size):
        raise UsageError(
            f"{recipe.model} uses {recipe.validation_size} validation images, but the data has "
            f"{data.validation.num_examples}: call "
            f"read_data_sets(validation_size={recipe.validation_size})"
        )
    require_full_batch(recipe, data.train.num_examples)
    if recipe.mix:
        find_originals(data)
    if recipe.reads_strips:
        require_digits(data)
    require_fitting(data, recipe)
    chosen, recipe = choose_device(recipe, device)
    share = team.assign(recipe)
    graph = build_graph(recipe, data.image_shape, data.classes)
    return Prepared(chosen, graph, add_multistep(graph, recipe, share), share)


def _train_run(
    run: Run,
    data: DataSets,
    prepared: Prepared,
    log_every: int,
    save_every: float,
    hooks: Sequence[Hook],
    team: Team,
    weights: dict[str, np.ndarray] | None = None,
) -> Run:
    all_hooks = (
        WriteHistory(),
        *hooks,
        # Slow hooks last.
        SaveCheckpoints(save_every),
        SavePanelData(),
        WriteEventFiles(),
    )
    return Training(run, data, *prepared, log_every, all_hooks, team, weights).finish()
