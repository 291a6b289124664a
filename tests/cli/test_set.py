"""`--set NAME=VALUE` sets any hyperparameter."""

import dataclasses

import pytest
from helpers import TEST_IMAGE, assert_refused, some_mnist, write_data

from mnist_graph import Augmentation, recipes
from mnist_graph.data.augmentation import PHOTO
from mnist_graph.graph.recipe import HYPERPARAMETERS
from mnist_graph.runs.find import load_run

VALUES = {
    "network": ("conv3", "conv3"),
    "iterations": ("2", 2),
    "batch_size": ("7", 7),
    "optimizer": ("adam", "adam"),
    "learning_rate": ("1e-3", 0.001),
    "schedule": ("one-cycle", "one-cycle"),
    "warmup": ("0.3", 0.3),
    "warmup_iterations": ("1", 1),
    "beta1": ("0.8", 0.8),
    "beta2": ("0.95", 0.95),
    "loss": ("sum", "sum"),
    "keep_prob": ("0.75", 0.75),
    "dropout": ("each", "each"),
    "hidden": ("6,5", (6, 5)),
    "channels": ("2,3,4", (2, 3, 4)),
    "filter_sizes": ("5,3,2", (5, 3, 2)),
    "batch_normalization": ("true", True),
    "activation": ("tanh", "tanh"),
    "weights": ("he", "he"),
    "bias": ("-0.5", -0.5),
    "weight_decay": ("0.01", 0.01),
    "label_smoothing": ("0.1", 0.1),
    "moving_decay": ("0.99", 0.99),
    "average_weights": ("True", True),
    "augmentation": ("default", Augmentation(rotation=5.0)),
    "augmentation.rotation": ("5", None),
    "mix": ("0.5", 0.5),
    "temperature": ("2", 2.0),
    "validation_size": ("100", 100),
    "precision": ("float32", "float32"),
    "seed": (f"{2**70}", 2**70),
}
"""A text for each hyperparameter, and the value that it means."""
EXPONENTIAL = {"schedule": "exponential", "learning_rate_floor": 1e-5, "decay_iterations": 50.0}


def settings(texts):
    return [word for name, text in texts.items() for word in ("--set", f"{name}={text}")]


@pytest.fixture
def train(command, tmp_path, mnist):
    """A function that trains on a few digits and returns the recipe that the run recorded."""
    write_data(tmp_path / "data", *some_mnist(mnist))

    def train_on_few(model, *words):
        outcome = command("--model", model, "--data-dir", "data", "--quiet", *words)
        assert outcome.code == 0, outcome.err
        return load_run(tmp_path / "runs" / model / "1").recipe

    return train_on_few


def test_set_sets_every_hyperparameter(train):
    recipe = train("conv3", *settings({name: text for name, (text, _) in VALUES.items()}))
    values = {name: value for name, (_, value) in VALUES.items() if "." not in name}
    assert recipe == recipes["conv3"].override(**values)
    assert {*values, *EXPONENTIAL, "model"} == set(HYPERPARAMETERS)


def test_set_sets_the_exponential_schedule(train):
    texts = {"iterations": 1, "validation_size": 9, **EXPONENTIAL}
    assert train("mlp", *settings(texts)) == recipes["mlp"].override(**texts)


def test_set_names_an_augmentation_for_photographs(train):
    texts = {"iterations": 1, "augmentation": "photo", "augmentation.brightness": 0.1}
    augmentation = train("cnn-fast", *settings(texts)).augmentation
    assert augmentation == dataclasses.replace(PHOTO, brightness=0.1)


def test_set_changes_one_distortion_and_keeps_the_others(train):
    texts = {"iterations": 1, "augmentation.rotation": 5, "augmentation.blur": 1}
    augmentation = train("cnn-fast", *settings(texts)).augmentation
    before = recipes["cnn-fast"].augmentation
    assert (augmentation.rotation, augmentation.blur) == (5.0, 1.0)
    assert augmentation.shear == before.shear != Augmentation().shear
    assert augmentation.scale == before.scale != Augmentation().scale


def test_set_removes_augmentation_and_dropout(train):
    texts = {"iterations": 1, "augmentation": "none", "keep_prob": "None"}
    recipe = train("cnn-fast", *settings(texts))
    assert (recipe.augmentation, recipe.keep_prob) == (None, None)


def test_predict_finds_the_run_that_was_trained_with_set(command, tmp_path):
    words = ("--model", "mlp", "--iterations", 2, "--hidden", 9)
    assert command(*words, "--set", "beta1=0.8").code == 0
    again = command(*words, "--set", "beta1=0.8", "--predict", TEST_IMAGE)
    assert "training it first" not in again.err
    other = command(*words, "--set", "beta1=0.7", "--predict", TEST_IMAGE)
    assert "training it first" in other.err


REFUSED = {
    "mistyped name": ("mlp", ["beta3=1"], "there is no hyperparameter 'beta3'; did you mean beta"),
    "hyphen": ("mlp", ["batch-size=9"], "'batch-size'; did you mean batch_size?"),
    "mistyped distortion": (
        "cnn-fast",
        ["augmentation.rotaton=5"],
        "'augmentation.rotaton'; did you mean augmentation.rotation?",
    ),
    "unknown name": ("mlp", ["zzz=1"], "there is no hyperparameter 'zzz'; there are network,"),
    "model": ("mlp", ["model=cnn"], "there is no hyperparameter 'model'; there are network,"),
    "part of another": ("mlp", ["hidden.size=3"], "there is no hyperparameter 'hidden.size'"),
    "no value": ("mlp", ["beta1"], "--set takes NAME=VALUE, not 'beta1'"),
    "empty value": ("mlp", ["beta1="], "beta1 must be a number, not ''"),
    "letters": ("mlp", ["beta1=x"], "beta1 must be a number, not 'x'"),
    "fraction": ("mlp", ["batch_size=1.5"], "batch_size must be a whole number, not '1.5'"),
    "list of letters": ("conv3", ["channels=1,x,3"], "channels must be a whole number, not 'x'"),
    "neither true nor false": ("mlp", ["average_weights=yes"], "must be true or false, not 'yes'"),
    "unknown augmentation": ("mlp", ["augmentation=x"], "must be default, photo or none, not 'x'"),
    "unknown choice": ("mlp", ["loss=max"], "loss must be one of mean, sum, not max"),
    "out of range": ("mlp", ["beta1=1"], "beta1 must be at least 0 and below 1, not 1.0"),
    "NaN": ("mlp", ["beta1=nan"], "beta1 must be at least 0 and below 1, not nan"),
    "distortion out of range": (
        "cnn-fast",
        ["augmentation.rotation=500"],
        "rotation must be from 0 to 180, not 500.0",
    ),
    "number of channels": ("conv3", ["channels=1,2"], "channels must be 3 numbers from 1 to"),
    "twice": ("mlp", ["beta1=0.8", "beta1=0.8"], "beta1 is given twice"),
    "no keep_prob": ("softmax", ["keep_prob=0.5"], "softmax has no keep_prob"),
    "no channels": ("cnn", ["channels=1"], "cnn has no channels"),
    "no dropout": ("cnn-best", ["dropout=each"], "cnn-best has no dropout to set"),
    "dropout without keep_prob": ("mlp-sigmoid", ["dropout=each"], "no effect without keep_prob"),
    "no augmentation": ("mlp", ["augmentation.rotation=5"], "set augmentation=default first"),
    "warmup of a constant rate": (
        "softmax",
        ["warmup=0.3"],
        "warmup has no effect unless schedule is one-cycle",
    ),
    "decay of a constant rate": (
        "mlp",
        ["decay_iterations=9"],
        "decay_iterations has no effect unless schedule is exponential",
    ),
    "beta1 of gradient descent": (
        "softmax",
        ["beta1=0.8"],
        "beta1 has no effect unless optimizer is adam",
    ),
}
"""A model, what --set is given, and a part of the answer."""


@pytest.mark.parametrize("name", REFUSED)
def test_set_refuses(command, tmp_path, name):
    model, given, said = REFUSED[name]
    words = [word for setting in given for word in ("--set", setting)]
    assert_refused(command("--model", model, *words), 2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_flag_and_set_cannot_both_give_a_value(command):
    outcome = command("--model", "mlp", "--seed", 1, "--set", "seed=1")
    assert_refused(outcome, 2, "seed is given twice")
