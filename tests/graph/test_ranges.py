"""The values that --tune tries, for every recipe."""

import pytest
from helpers import IMAGE_MODELS

from mnist_graph import recipes
from mnist_graph.graph.ranges import find_ranges


@pytest.mark.parametrize("model", IMAGE_MODELS)
def test_every_range_has_valid_values_and_the_recipes_own(model):
    recipe = recipes[model]
    ranges = find_ranges(recipe)
    assert {"learning_rate", "batch_size"} <= set(ranges)
    for name, searched in ranges.items():
        own = getattr(recipe, name)
        if searched.choices:
            assert own in searched.choices
        else:
            assert searched.low <= own <= searched.high
            assert searched.low > 0 or not searched.log
        for value in searched.choices or (searched.low, searched.high):
            assert getattr(recipe.override(**{name: value}), name) == value


def test_what_has_no_effect_is_not_searched():
    assert set(find_ranges(recipes["softmax"])) == {"learning_rate", "batch_size"}
    assert "keep_prob" not in find_ranges(recipes["mlp5-relu"])
    assert "warmup" not in find_ranges(recipes["mlp"])
    assert "warmup" in find_ranges(recipes["cnn-fast"])
    assert "decay_iterations" in find_ranges(recipes["mlp5-relu-decay"])
