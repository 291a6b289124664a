import dataclasses
import json
import math

import numpy as np
import pytest

from mnist_graph import Augmentation, MnistGraphError, Recipe, recipes
from mnist_graph.errors import UsageError
from mnist_graph.graph.recipes import find_recipe

MLP = recipes["mlp"]


def override_from_text(recipe, settings):
    """Override hyperparameters given as text, as the command line does for --set."""
    return recipe.override(**recipe.parse(settings))


@pytest.mark.parametrize(
    ("model", "optimizer", "rate", "iterations", "batch", "keep_prob", "hidden"),
    [
        ("softmax", "gradient-descent", 0.5, 1000, 100, None, None),
        ("mlp", "adam", 1e-4, 1000, 128, 0.5, (512, 256, 128)),
        ("cnn", "adam", 1e-4, 20000, 50, 0.5, (1024,)),
    ],
)
def test_classic_recipes_have_the_published_hyperparameters(
    model, optimizer, rate, iterations, batch, keep_prob, hidden
):
    recipe = recipes[model]
    assert (recipe.optimizer, recipe.learning_rate) == (optimizer, rate)
    assert (recipe.iterations, recipe.batch_size) == (iterations, batch)
    assert (recipe.keep_prob, recipe.hidden) == (keep_prob, hidden)
    assert (recipe.validation_size, recipe.seed, recipe.schedule) == (5000, 0, "constant")


@pytest.mark.parametrize("name", recipes)
def test_find_recipe_returns_the_recipe_of_that_name(name):
    assert find_recipe(name).model == name


def test_unknown_model_is_refused_with_all_names():
    with pytest.raises(UsageError) as refused:
        find_recipe("nope")
    assert all(name in str(refused.value) for name in ("'nope'", *recipes))


def test_misspelled_model_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match=r"^there is no model 'sofmax'; did you mean softmax\?$"):
        find_recipe("sofmax")


# Values.

INVALID = [
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
    ("decay_iterations", 1e-300),
    ("weight_decay", -0.1),
    ("weight_decay", math.nan),
    ("temperature", 1e-40),  # its quotients would be infinite, and the probabilities NaN
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
    ("loss", "a\nb" * 1000),
    ("dropout", "first"),
    ("precision", "float64"),
    ("precision", "x" * 1000),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_invalid_value_is_refused(name, value):
    with pytest.raises(UsageError, match=f"^{name} must be .*, not ") as refused:
        MLP.override(**{name: value})
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("keep_prob", 1.0), ("iterations", 1), ("batch_size", 1), ("hidden", (1,)), ("seed", 2**70)],
)
def test_extreme_valid_value_is_accepted(name, value):
    assert getattr(MLP.override(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "converted"),
    [
        ("iterations", np.int64(5), 5),
        ("batch_size", np.array(5), 5),
        ("learning_rate", np.float32(0.5), 0.5),
        ("learning_rate", 1, 1.0),
        ("keep_prob", np.float64(0.25), 0.25),
        ("hidden", [32, 16], (32, 16)),
        ("hidden", np.array([32, 16]), (32, 16)),
        ("hidden", (np.uint8(32),), (32,)),
    ],
)
def test_value_becomes_the_hyperparameters_own_type(name, value, converted):
    recipe = MLP.override(**{name: value})
    assert getattr(recipe, name) == converted
    assert type(getattr(recipe, name)) is type(converted)
    assert json.loads(json.dumps(recipe.to_json())) == recipe.to_json()
    assert recipe == MLP.override(**{name: converted})


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("iterations", 2.5, "a whole number"),
        ("batch_size", 100.0, "a whole number"),
        ("iterations", True, "a whole number"),
        ("iterations", "5", "a whole number"),
        ("iterations", None, "a whole number"),
        ("seed", np.array([1, 2]), "a whole number"),
        ("learning_rate", "0.5", "a number"),
        ("learning_rate", 1j, "a number"),
        ("learning_rate", 10**400, "a number"),
        ("keep_prob", False, "a number"),
        ("hidden", 32, "a sequence of whole numbers"),
        ("hidden", "32", "a sequence of whole numbers"),
        ("hidden", np.array(32), "a sequence of whole numbers"),
        ("hidden", (32.0,), "a whole number"),
        ("hidden", np.zeros((2, 2)), "a whole number"),
        ("activation", 3, "of type str"),
        ("optimizer", None, "of type str"),
        ("augmentation", {"rotation": 3}, "of type Augmentation"),
        ("average_weights", 1, "true or false"),
        ("iterations", np.zeros(10_000), "a whole number"),
    ],
)
def test_value_of_another_type_is_refused_in_one_short_line(name, value, what):
    with pytest.raises(UsageError, match=f"^{name} must be {what}") as refused:
        MLP.override(**{name: value})
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", ["10", None, True, math.nan, -1, [1]])
def test_distortion_of_another_type_or_out_of_range_is_refused(value):
    with pytest.raises(UsageError, match=r"^rotation must be "):
        Augmentation(rotation=value)


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "two words"])
def test_model_name_that_cannot_name_a_folder_is_refused(name):
    with pytest.raises(UsageError, match=r"^model must be a name of letters"):
        dataclasses.replace(MLP, model=name)


UNUSED = [
    ("softmax", {"hidden": (512,)}),
    ("softmax", {"activation": "relu"}),
    ("softmax", {"keep_prob": 0.5}),
    ("softmax", {"dropout": "each"}),
    ("softmax", {"bias": 0.5}),
    ("cnn-best", {"dropout": "each"}),
    ("cnn-best", {"hidden": (100,)}),
    ("cnn", {"channels": (8, 16)}),
    ("cnn", {"filter_sizes": (5, 5)}),
]


@pytest.mark.parametrize(("model", "setting"), UNUSED)
def test_override_refuses_what_the_network_does_not_use(model, setting):
    (name,) = setting
    with pytest.raises(UsageError, match=f"^{model} has no {name} to set$"):
        recipes[model].override(**setting)


@pytest.mark.parametrize(("model", "setting"), UNUSED)
def test_recipe_refuses_what_its_network_does_not_use(model, setting):
    (name,) = setting
    with pytest.raises(UsageError, match=f"^{model} has no {name} to set$"):
        dataclasses.replace(recipes[model], **setting)


@pytest.mark.parametrize(("model", "name"), [("softmax", "dropout"), ("softmax", "bias")])
def test_override_refuses_the_default_of_what_the_network_does_not_use(model, name):
    recipe = recipes[model]
    with pytest.raises(UsageError, match=f"^{model} has no {name} to set$"):
        recipe.override(**{name: getattr(recipe, name)})


@pytest.mark.parametrize(
    ("model", "setting", "message"),
    [
        ("mlp", {"warmup": 0.3}, "warmup has no effect unless schedule is one-cycle"),
        ("mlp", {"learning_rate_floor": 0.0}, "unless schedule is exponential"),
        ("cnn-fast", {"decay_iterations": 9.0}, "unless schedule is exponential"),
        ("softmax", {"beta1": 0.8}, "beta1 has no effect unless optimizer is adam"),
        ("cnn-sgd", {"beta2": 0.99}, "beta2 has no effect unless optimizer is adam"),
        ("mlp-sigmoid", {"dropout": "each"}, "dropout has no effect without keep_prob"),
    ],
)
def test_setting_without_effect_is_refused(model, setting, message):
    with pytest.raises(UsageError, match=f"{message}$"):
        recipes[model].override(**setting)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("mlp", {"schedule": "one-cycle", "warmup": 0.3}),
        ("mlp5-relu-decay", {"learning_rate_floor": 0.0, "decay_iterations": 9.0}),
        ("softmax", {"optimizer": "adam", "beta1": 0.8}),
        ("mlp-sigmoid", {"keep_prob": 0.5}),
        ("mlp-sigmoid", {"keep_prob": 0.5, "dropout": "each"}),
    ],
)
def test_setting_with_an_effect_is_accepted(model, settings):
    changed = recipes[model].override(**settings)
    assert {name: getattr(changed, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("misspelled", "nearest"),
    [("learning_rat", "learning_rate"), ("keepprob", "keep_prob"), ("hiden", "hidden")],
)
def test_unknown_hyperparameter_is_refused_with_the_nearest_name(misspelled, nearest):
    message = rf"^there is no hyperparameter '{misspelled}'; did you mean {nearest}\?$"
    with pytest.raises(UsageError, match=message):
        MLP.override(**{misspelled: 1})
    with pytest.raises(UsageError, match=message):
        override_from_text(MLP, {misspelled: "1"})


@pytest.mark.parametrize("name", ["model", "published"])
def test_what_is_not_a_hyperparameter_cannot_be_overridden(name):
    with pytest.raises(UsageError, match=f"^there is no hyperparameter '{name}'"):
        MLP.override(**{name: "other"})
    with pytest.raises(UsageError, match=f"^there is no hyperparameter '{name}'"):
        override_from_text(MLP, {name: "other"})


def test_override_leaves_the_table_unchanged():
    changed = MLP.override(iterations=7)
    assert (changed.iterations, MLP.iterations) == (7, 1000)
    assert changed != MLP
    assert changed.override(iterations=1000) == MLP


def test_differences_state_both_values():
    other = MLP.override(batch_size=64, seed=3)
    assert MLP.differences(other) == ["batch_size is 64, not 128", "seed is 3, not 0"]
    assert MLP.differences(MLP) == []


# Text.


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("iterations", "20", 20),
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", "1", 1.0),
        ("batch_normalization", "true", True),
        ("batch_normalization", "False", False),
        ("hidden", "64", (64,)),
        ("hidden", "64,32", (64, 32)),
        ("keep_prob", "0.25", 0.25),
        ("keep_prob", "none", None),
        ("activation", "tanh", "tanh"),
        ("augmentation", "default", Augmentation()),
        ("augmentation", "none", None),
    ],
)
def test_text_becomes_a_value_of_the_hyperparameters_type(name, text, value):
    parsed = MLP.parse({name: text})
    assert parsed == {name: value}
    assert type(parsed[name]) is type(value)
    assert override_from_text(MLP, {name: text}) == MLP.override(**{name: value})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("iterations", "2.5", "iterations must be a whole number, not '2.5'"),
        ("iterations", "none", "iterations must be a whole number, not 'none'"),
        ("learning_rate", "fast", "learning_rate must be a number, not 'fast'"),
        ("batch_normalization", "1", "batch_normalization must be true or false, not '1'"),
        ("hidden", "64,", "hidden must be a whole number, not ''"),
        ("keep_prob", "half", "keep_prob must be a number, not 'half'"),
        ("augmentation", "strong", "augmentation must be default, photo or none, not 'strong'"),
    ],
)
def test_text_of_another_type_is_refused(name, text, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        MLP.parse({name: text})


def test_text_sets_one_distortion():
    recipe = recipes["cnn-best"]
    changed = override_from_text(recipe, {"augmentation.rotation": "5"})
    assert changed.augmentation == Augmentation(rotation=5.0, thickness=0.5, blur=0.25)
    assert recipe.augmentation == Augmentation(thickness=0.5, blur=0.25)


def test_text_sets_one_distortion_of_the_default_augmentation():
    settings = {"augmentation": "default", "augmentation.rotation": "5", "augmentation.shift": "1"}
    changed = override_from_text(MLP, settings)
    assert changed.augmentation == Augmentation(rotation=5.0, shift=1.0)


def test_distortion_without_augmentation_is_refused():
    with pytest.raises(UsageError, match="mlp has no augmentation; set augmentation=default first"):
        override_from_text(MLP, {"augmentation.rotation": "5"})


@pytest.mark.parametrize("name", ["augmentation.mirror", "hidden.units"])
def test_unknown_part_of_a_hyperparameter_is_refused(name):
    with pytest.raises(UsageError, match=f"^there is no hyperparameter '{name}'"):
        override_from_text(recipes["cnn-best"], {name: "5"})


# JSON.


@pytest.mark.parametrize("name", recipes)
def test_recipe_survives_json(name):
    values = json.loads(json.dumps(recipes[name].to_json()))
    assert Recipe.from_json(values) == recipes[name]


def test_json_has_only_hyperparameters():
    assert not {"summary", "parameters", "published"} & set(MLP.to_json())


OLD_SOFTMAX = {
    "model": "softmax",
    "network": "softmax",
    "iterations": 1000,
    "batch_size": 100,
    "optimizer": "gradient-descent",
    "learning_rate": 0.5,
    "schedule": "constant",
    "decay_iterations": 2000.0,
    "warmup": 0.2,
    "beta1": 0.9,
    "beta2": 0.999,
    "loss": "mean",
    "keep_prob": None,
    "dropout": "last",
    "hidden": None,
    "activation": None,
    "weights": "zeros",
    "bias": 0.1,
    "validation_size": 5000,
    "seed": 0,
}
"""Without the hyperparameters that were added since, such as precision and temperature."""
OLD_MLP = OLD_SOFTMAX | {
    "model": "mlp",
    "network": "mlp",
    "batch_size": 128,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "keep_prob": 0.5,
    "hidden": [512, 256, 128],
    "activation": "relu",
    "weights": "truncated-normal",
}


def test_json_of_an_older_version_may_lack_hyperparameters():
    assert Recipe.from_json(OLD_MLP) == MLP
    assert Recipe.from_json(OLD_SOFTMAX) == recipes["softmax"]


def test_json_of_an_older_version_may_lack_distortions():
    recipe = recipes["cnn-fast"]
    values = recipe.to_json()
    del values["augmentation"]["blur"], values["temperature"]
    assert Recipe.from_json(values) == recipe.override(temperature=1.0)


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
def test_damaged_json_is_refused(damage):
    with pytest.raises(MnistGraphError):
        Recipe.from_json(MLP.to_json() | damage)


@pytest.mark.parametrize("missing", ["model", "iterations", "learning_rate"])
def test_json_without_a_required_hyperparameter_is_refused(missing):
    values = MLP.to_json()
    del values[missing]
    with pytest.raises(MnistGraphError, match=f"lacks {missing}"):
        Recipe.from_json(values)


@pytest.mark.parametrize("values", [None, [], "mlp", 3])
def test_json_of_another_type_is_refused(values):
    with pytest.raises(MnistGraphError):
        Recipe.from_json(values)


def test_json_with_an_unknown_distortion_is_refused():
    values = recipes["cnn-fast"].to_json()
    values["augmentation"]["mirror"] = 1.0
    with pytest.raises(MnistGraphError, match="for augmentation"):
        Recipe.from_json(values)
