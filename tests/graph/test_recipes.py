import json
import math

import pytest
from helpers import CLASSICS

from mnist_graph import MnistGraphError, Recipe, build_graph, recipes
from mnist_graph.errors import UsageError
from mnist_graph.graph.outline import outline
from mnist_graph.graph.recipes import find_recipe

MLP = recipes["mlp"]


@pytest.mark.parametrize(
    ("model", "optimizer", "rate", "iterations", "batch", "keep_prob", "hidden"),
    [
        ("softmax", "gradient-descent", 0.5, 1000, 100, None, None),
        ("mlp", "adam", 1e-4, 1000, 128, 0.5, (512, 256, 128)),
        ("cnn", "adam", 1e-4, 20000, 50, 0.5, (1024,)),
    ],
)
def test_the_classics_are_trained_as_published(
    model, optimizer, rate, iterations, batch, keep_prob, hidden
):
    recipe = recipes[model]
    assert (recipe.optimizer, recipe.learning_rate) == (optimizer, rate)
    assert (recipe.iterations, recipe.batch_size) == (iterations, batch)
    assert (recipe.keep_prob, recipe.hidden) == (keep_prob, hidden)
    assert (recipe.validation_size, recipe.seed, recipe.schedule) == (5000, 0, "constant")


@pytest.mark.parametrize("name", recipes)
def test_a_recipe_is_found_by_its_name(name):
    assert find_recipe(name) is recipes[name]
    assert recipes[name].model == name


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(UsageError) as refused:
        find_recipe("nope")
    assert all(name in str(refused.value) for name in ("'nope'", *recipes))


@pytest.mark.parametrize("name", recipes)
def test_the_number_of_parameters_in_the_table_is_that_of_the_graph(name):
    graph = build_graph(recipes[name])
    import tensorflow as tf

    with graph.graph.as_default():
        shapes = [variable.shape for variable in tf.compat.v1.trainable_variables()]
    assert sum(math.prod(shape) for shape in shapes) == outline(recipes[name]).parameters


BAD = [
    ("iterations", 0),
    ("iterations", -5),
    ("batch_size", 0),
    ("seed", -1),
    ("validation_size", -1),
    ("learning_rate", 0.0),
    ("learning_rate", -0.1),
    ("learning_rate", math.inf),
    ("learning_rate", math.nan),
    ("decay_iterations", 0.0),
    ("keep_prob", 0.0),
    ("keep_prob", 1.01),
    ("keep_prob", -0.5),
    ("keep_prob", math.nan),
    ("hidden", ()),
    ("hidden", (10, 0)),
    ("hidden", (2**16 + 1,)),
    ("optimizer", "sgd"),
    ("activation", "swish"),
    ("schedule", "cosine"),
    ("weights", "ones"),
    ("loss", "max"),
    ("dropout", "first"),
    ("precision", "float64"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_that_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(UsageError, match=f"^{name} must be .*, not "):
        MLP.override(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("keep_prob", 1.0), ("iterations", 1), ("batch_size", 1), ("hidden", (1,)), ("seed", 2**70)],
)
def test_the_last_value_that_can_be_is_taken(name, value):
    assert getattr(MLP.override(**{name: value}), name) == value


@pytest.mark.parametrize("name", ["hidden", "activation", "keep_prob"])
def test_softmax_refuses_what_it_does_not_have(name):
    with pytest.raises(UsageError, match=f"softmax has no {name}"):
        recipes["softmax"].override(**{name: getattr(MLP, name)})


def test_override_leaves_the_table_as_it_was():
    changed = MLP.override(iterations=7)
    assert (changed.iterations, MLP.iterations) == (7, 1000)
    assert changed != MLP
    assert changed.override(iterations=1000) == MLP


@pytest.mark.parametrize("name", recipes)
def test_a_recipe_goes_through_json_and_back(name):
    values = json.loads(json.dumps(recipes[name].to_json()))
    assert Recipe.from_json(values) == recipes[name]


def test_words_for_the_reader_play_no_part_in_whether_recipes_are_the_same():
    assert not {"summary", "parameters", "published"} & set(MLP.to_json())


def test_an_older_recipe_may_lack_what_has_a_default():
    values = MLP.to_json()
    del values["precision"]
    assert Recipe.from_json(values) == MLP


@pytest.mark.parametrize(
    "damage",
    [
        {"iterations": "many"},
        {"iterations": 1.5},
        {"iterations": True},
        {"iterations": 0},
        {"hidden": [1, "2"]},
        {"hidden": 5},
        {"keep_prob": "half"},
        {"optimizer": None},
        {"unknown": 1},
    ],
)
def test_a_damaged_json_recipe_is_refused(damage):
    with pytest.raises(MnistGraphError):
        Recipe.from_json(MLP.to_json() | damage)


@pytest.mark.parametrize("missing", ["model", "iterations", "learning_rate"])
def test_a_json_recipe_that_lacks_what_it_needs_is_refused(missing):
    values = MLP.to_json()
    del values[missing]
    with pytest.raises(MnistGraphError, match=f"lacks {missing}"):
        Recipe.from_json(values)


@pytest.mark.parametrize("values", [None, [], "mlp", 3])
def test_json_that_is_no_recipe_at_all_is_refused(values):
    with pytest.raises(MnistGraphError):
        Recipe.from_json(values)


def test_differences_are_named_with_both_values():
    other = MLP.override(batch_size=64, seed=3)
    assert MLP.differences(other) == ["batch_size is 64, not 128", "seed is 3, not 0"]
    assert MLP.differences(MLP) == []


def test_the_classics_are_in_the_table():
    assert set(CLASSICS) <= set(recipes)


def test_an_augmentation_of_another_version_is_refused():
    values = recipes["cnn-fast"].to_json()
    values["augmentation"]["mirror"] = 1.0
    with pytest.raises(MnistGraphError, match="for augmentation"):
        Recipe.from_json(values)
