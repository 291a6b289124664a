"""The values of --sweep, and their grid."""

import numpy as np
import pytest

from mnist_graph import recipes
from mnist_graph.errors import UsageError
from mnist_graph.experiments.knobs import as_text, make_grid, parse_knobs

MLP, CNN_FAST = recipes["mlp"], recipes["cnn-fast"]


def test_texts_become_values_of_the_hyperparameters_types():
    texts = ["learning_rate=1e-4,3e-4", "batch_size=64", "hidden=512x256,128", "keep_prob=none,1"]
    assert parse_knobs(MLP, texts) == {
        "learning_rate": [1e-4, 3e-4],
        "batch_size": [64],
        "hidden": [(512, 256), (128,)],
        "keep_prob": [None, 1.0],
    }
    assert parse_knobs(CNN_FAST, ["augmentation.rotation=0,7"]) == {"augmentation.rotation": [0, 7]}


def test_values_become_the_texts_that_they_came_from():
    texts = ["0.0001", "64", "512x256", "none", "true", "relu"]
    values = [1e-4, 64, (512, 256), None, True, "relu"]
    assert [as_text(value) for value in values] == texts
    assert float(as_text(0.123456789)) == 0.123456789


def test_the_grid_has_every_combination_with_one_seed_before_the_next():
    grid = make_grid(MLP.override(seed=7), {"learning_rate": [0.1, 0.2], "batch_size": [1, 2]}, 2)
    assert [trial.number for trial in grid] == [*range(1, 9)]
    tried = [(t.recipe.learning_rate, t.recipe.batch_size, t.recipe.seed) for t in grid]
    once = [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]
    assert tried == [(*each, 7) for each in once] + [(*each, 8) for each in once]
    assert all(t.values["learning_rate"] == t.recipe.learning_rate for t in grid)


def test_distortions_are_swept_together():
    knobs = {"augmentation.rotation": [0.0, 9.0], "augmentation.shift": [2.0]}
    found = [trial.recipe.augmentation for trial in make_grid(CNN_FAST, knobs)]
    assert [(each.rotation, each.shift) for each in found] == [(0.0, 2.0), (9.0, 2.0)]
    assert {each.elastic for each in found} == {CNN_FAST.augmentation.elastic}


def test_arrays_are_values_too():
    rates = np.array([0.1, 0.2], np.float64)
    grid = make_grid(MLP, {"learning_rate": rates, "hidden": [np.array([8, 4]), [4]]})
    assert [type(trial.values["learning_rate"]) for trial in grid] == [float] * 4
    assert [trial.recipe.hidden for trial in grid[:2]] == [(8, 4), (4,)]


@pytest.mark.parametrize(
    ("knobs", "seeds", "said"),
    [
        ({}, 1, "nothing to sweep"),
        ({"learning_rat": [1]}, 1, "no hyperparameter 'learning_rat'; did you mean learning_rate?"),
        ({"learning_rate": []}, 1, "must have a list of values"),
        ({"optimizer": "adam"}, 1, "must have a list of values"),
        ({"learning_rate": 0.1}, 1, "must have a list of values"),
        ({"learning_rate": [0.1, 1e-1]}, 1, "learning_rate has the value 0.1 twice"),
        ({"hidden": [(1,), [1]]}, 1, "hidden has the value 1 twice"),
        ({"learning_rate": [-1]}, 1, "learning_rate must be"),
        ({"label_smoothing": [0, 0.1], "channels": [(1, 2)]}, 1, "mlp has no channels to set"),
        ({"seed": range(1000), "batch_size": range(1, 1001)}, 1, "a sweep of 1,000,000 runs"),
        ({"seed": [1, 2]}, 2, "seed is swept already"),
        ({"seed": [1, 2]}, 0, "seeds must be at least 1"),
        ({"augmentation.rotation": [3]}, 1, "no effect without augmentation"),
        ([("seed", 1)], 1, "knobs must be values by name"),
    ],
)
def test_a_grid_that_cannot_be_trained_is_refused(knobs, seeds, said):
    with pytest.raises(UsageError, match=said):
        make_grid(MLP, knobs, seeds)
