"""Every hyperparameter of every recipe: the table behind `--model`."""

import dataclasses
from typing import Any

import mnist_graph.graph.networks
import mnist_graph.graph.strip_network  # noqa: F401 - both register their networks
from mnist_graph.data.augmentation import PHOTO, Augmentation
from mnist_graph.errors import UsageError
from mnist_graph.graph.recipe import Recipe, unknown


def _table(*rows: Recipe) -> dict[str, Recipe]:
    return {row.model: row for row in rows}


_DENSE_5 = (200, 100, 60, 30)
_DECAY: dict[str, Any] = {"learning_rate": 0.003, "schedule": "exponential"}
_ONE_CYCLE: dict[str, Any] = {
    "schedule": "one-cycle",
    "weights": "he",
    "bias": 0.0,
}
_CNN_BEST: dict[str, Any] = {
    **_ONE_CYCLE,
    "network": "cnn5",
    "batch_size": 128,
    "learning_rate": 0.003,
    "beta2": 0.99,
    "batch_normalization": True,
    "activation": "relu",
    "moving_decay": 0.995,
    "average_weights": True,
}
_GOERNER: dict[str, Any] = {
    "iterations": 10_000,
    "batch_size": 100,
    "validation_size": 0,  # his listings train on all 60,000 images
}

recipes = _table(
    Recipe(
        model="softmax",
        network="softmax",
        iterations=1000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.5,
        weights="zeros",
        published="about 0.92",
    ),
    Recipe(
        model="mlp",
        network="mlp",
        iterations=1000,
        batch_size=128,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(512, 256, 128),
        activation="relu",
    ),
    Recipe(
        model="cnn",
        network="cnn",
        iterations=20_000,
        batch_size=50,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(1024,),
        activation="relu",
        published="about 0.992",
    ),
    Recipe(
        model="mlp-linear",
        network="mlp",
        iterations=1000,
        batch_size=128,
        learning_rate=1e-4,
        keep_prob=0.5,
        hidden=(512, 256, 128),
        activation="linear",
        published="0.9206",
    ),
    Recipe(
        model="cnn-sgd",
        network="cnn",
        iterations=10_000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.001,
        keep_prob=0.6,
        hidden=(1024,),
        activation="relu",
        weights="glorot-uniform",
        bias=0.0,
        published="0.9521",
    ),
    Recipe(
        model="softmax-sum",
        network="softmax",
        iterations=1000,
        batch_size=100,
        optimizer="gradient-descent",
        learning_rate=0.003,
        loss="sum",
        weights="zeros",
        validation_size=0,
        published="0.92",
    ),
    Recipe(
        model="mlp-sigmoid",
        network="mlp",
        **_GOERNER,
        optimizer="gradient-descent",
        learning_rate=0.003,
        loss="sum",
        hidden=(200, 100),
        activation="sigmoid",
        bias=0.0,
        published="above 0.97",
    ),
    Recipe(
        model="mlp5-sigmoid",
        network="mlp",
        **_GOERNER,
        learning_rate=0.003,
        hidden=_DENSE_5,
        activation="sigmoid",
        bias=0.0,
        published="0.9788",
    ),
    Recipe(
        model="mlp5-relu",
        network="mlp",
        **_GOERNER,
        learning_rate=0.003,
        hidden=_DENSE_5,
        activation="relu",
        published="0.98 (0.9825 at its best)",
    ),
    Recipe(
        model="mlp5-relu-decay",
        network="mlp",
        **_GOERNER,
        **_DECAY,
        hidden=_DENSE_5,
        activation="relu",
        published="above 0.98 (0.9824)",
    ),
    Recipe(
        model="mlp5-relu-dropout",
        network="mlp",
        **_GOERNER,
        **_DECAY,
        keep_prob=0.75,
        dropout="each",
        hidden=_DENSE_5,
        activation="relu",
        published="about 0.98",
    ),
    Recipe(
        model="conv3",
        network="conv3",
        **_GOERNER,
        **_DECAY,
        filter_sizes=(5, 5, 4),
        channels=(4, 8, 12),
        hidden=(200,),
        activation="relu",
        published="0.989",
    ),
    Recipe(
        model="conv3-dropout",
        network="conv3",
        **_GOERNER,
        **_DECAY,
        keep_prob=0.75,
        filter_sizes=(6, 5, 4),
        channels=(6, 12, 24),
        hidden=(200,),
        activation="relu",
        published="0.993",
    ),
    Recipe(
        model="conv3-batchnorm",
        network="conv3",
        **_GOERNER,
        learning_rate=0.02,
        schedule="exponential",
        decay_iterations=1600.0,
        keep_prob=0.75,
        filter_sizes=(6, 5, 4),
        channels=(24, 48, 64),
        batch_normalization=True,
        hidden=(200,),
        activation="relu",
        published="0.995",
    ),
    Recipe(
        model="cnn-fast",
        network="cnn",
        iterations=650,
        batch_size=128,
        **_ONE_CYCLE,
        learning_rate=0.005,
        beta1=0.8,
        beta2=0.95,
        keep_prob=0.75,
        hidden=(1024,),
        activation="relu",
        label_smoothing=0.1,
        temperature=0.54,
        augmentation=Augmentation(
            rotation=7.0, shear=7.0, scale=0.07, shift=1.0, elastic=0.4, thickness=0.0
        ),
        validation_size=0,
    ),
    Recipe(
        model="mnist-99",
        network="conv2",
        iterations=235,  # an epoch
        batch_size=256,
        **_ONE_CYCLE,
        learning_rate=0.015,
        warmup=0.1,
        beta1=0.7,
        beta2=0.9,
        filter_sizes=(5, 3),
        channels=(24, 32),
        hidden=(128,),
        activation="relu",
        label_smoothing=0.1,
        temperature=0.46,
        validation_size=0,
    ),
    Recipe(
        model="cnn5-fast",
        **{**_CNN_BEST, "network": "cnn5_cropped"},
        iterations=1640,  # 3.5 epochs
        keep_prob=0.9,
        label_smoothing=0.05,
        temperature=0.54,
        augmentation=Augmentation(
            rotation=8.0, shear=8.0, scale=0.08, shift=1.5, elastic=0.6, thickness=0.2, blur=0.1
        ),
        validation_size=0,
    ),
    Recipe(
        model="cnn-best",
        **_CNN_BEST,
        iterations=14_062,  # 30 epochs
        keep_prob=0.6,
        label_smoothing=0.05,
        temperature=0.58,
        augmentation=Augmentation(thickness=0.5, blur=0.25),
        validation_size=0,
    ),
    Recipe(
        model="cnn-scan",
        **_CNN_BEST,
        iterations=10_000,
        keep_prob=0.7,
        augmentation=Augmentation(thickness=0.0, scan=0.8),
    ),
    Recipe(
        model="cifar10",
        network="cifar10",
        iterations=100_000,
        batch_size=128,
        optimizer="gradient-descent",
        learning_rate=0.1,
        schedule="exponential",
        learning_rate_floor=0.0,
        decay_iterations=59_376.0,  # a tenth in 350 epochs of 50,000 images, as there in steps
        hidden=(384, 192),
        activation="relu",
        weights="glorot-uniform",
        bias=0.0,
        weight_decay=0.004,
        moving_decay=0.9999,
        average_weights=True,
        augmentation=dataclasses.replace(PHOTO, brightness=63 / 255, contrast=0.8),
        validation_size=0,
        published="about 0.86",
    ),
    Recipe(
        model="colour-fast",
        network="cnn5",
        iterations=5859,  # 15 epochs of 50,000 images
        batch_size=128,
        **_ONE_CYCLE,
        learning_rate=0.005,
        beta2=0.99,
        keep_prob=0.75,
        batch_normalization=True,
        activation="relu",
        label_smoothing=0.1,
        moving_decay=0.99,
        average_weights=True,
        augmentation=PHOTO,
        validation_size=0,
    ),
    Recipe(
        model="reader",
        network="reader",
        iterations=20_000,
        batch_size=32,
        **_ONE_CYCLE,
        learning_rate=0.002,
        beta2=0.99,
        keep_prob=0.9,
        channels=(32, 64, 64, 128, 128, 192, 192, 224, 224, 224, 256),
        batch_normalization=True,
        activation="relu",
        temperature=1.2,
        moving_decay=0.998,
        average_weights=True,
        validation_size=0,
    ),
)
"""Every recipe by the name that `--model` takes."""


def find_recipe(name: str) -> Recipe:
    """Return the recipe called `name`. Raises UsageError, with the most similar name, if there
    is none.
    """
    if name not in recipes:
        raise UsageError(unknown("model", name, recipes))
    return recipes[name]
