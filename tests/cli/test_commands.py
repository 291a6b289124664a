"""Commands that are printed for pasting."""

import dataclasses

import pytest
from helpers import IMAGE_MODELS

from mnist_graph import Augmentation, recipes
from mnist_graph.cli.commands import recipe_words
from mnist_graph.cli.parser import parse
from mnist_graph.cli.request import Request

OTHERS = [
    recipes["mlp"].override(learning_rate=0.0005705, hidden=(64, 32), beta1=0.8548, seed=7),
    recipes["mlp"].override(keep_prob=None, activation="tanh", batch_normalization=True),
    recipes["cnn-fast"].override(augmentation=None, validation_size=5000),
    recipes["cnn-fast"].override(augmentation=Augmentation(rotation=3.5)),
    recipes["cnn"].override(augmentation=Augmentation()),
    recipes["cnn-fast"].override(
        augmentation=dataclasses.replace(recipes["cnn-fast"].augmentation, blur=0.25)
    ),
]


@pytest.mark.parametrize("recipe", [*(recipes[model] for model in IMAGE_MODELS), *OTHERS])
def test_the_words_train_the_very_recipe(recipe):
    assert Request(parse(recipe_words(recipe))).recipe == recipe


def test_what_the_recipe_has_is_not_repeated():
    assert recipe_words(recipes["mlp"]) == ["--model", "mlp"]
    words = recipe_words(recipes["mlp"].override(batch_size=64, beta1=0.8))
    assert words == ["--model", "mlp", "--batch-size", "64", "--set", "beta1=0.8"]
