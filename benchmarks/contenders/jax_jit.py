"""JAX: one jitted step whose weights are donated."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.contenders import Timed, run
from mnist_graph import recipes

SHAPES = {
    "softmax": [(784, 10)],
    "mlp": [(784, 512), (512, 256), (256, 128), (128, 10)],
    "cnn": [(5, 5, 1, 32), (5, 5, 32, 64), (7 * 7 * 64, 1024), (1024, 10)],
}


def _layer(x: jax.Array, weights: jax.Array, bias: jax.Array, dtype: type) -> jax.Array:
    x, weights = x.astype(dtype), weights.astype(dtype)
    if weights.ndim == 4:
        axes = ("NHWC", "HWIO", "NHWC")
        product = lax.conv_general_dilated(x, weights, (1, 1), "SAME", dimension_numbers=axes)
        window, least = (1, 2, 2, 1), np.array(-np.inf, dtype)
        product = lax.reduce_window(product, least, lax.max, window, window, "VALID")
    else:
        product = x.reshape(len(x), -1) @ weights
    return product.astype(jnp.float32) + bias


def _initial(model: str) -> list[tuple[jax.Array, jax.Array]]:
    if model == "softmax":
        return [(jnp.zeros((784, 10)), jnp.zeros(10))]
    keys = jax.random.split(jax.random.key(0), len(SHAPES[model]))
    return [
        (0.1 * jax.random.truncated_normal(key, -2, 2, shape), jnp.full(shape[-1], 0.1))
        for key, shape in zip(keys, SHAPES[model], strict=True)
    ]


def _forward(
    weights: list, pixels: jax.Array, dtype: type, keep_prob: float = 1.0, key: Any = None
) -> jax.Array:
    x = pixels[..., None] / jnp.float32(255)
    for layer in weights[:-1]:
        x = jax.nn.relu(_layer(x, *layer, dtype))
    if keep_prob < 1:
        x = jnp.where(jax.random.bernoulli(key, keep_prob, x.shape), x / keep_prob, 0)
    return _layer(x, *weights[-1], jnp.float32)


def _adam(state: tuple, gradient: list, rate: float) -> tuple:
    weights, mean, square, count = state
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
    rate *= jnp.sqrt(1 - 0.999 ** (count + 1)) / (1 - 0.9 ** (count + 1))
    moved = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, mean, square)
    return moved, mean, square, count + 1


def contend(model: str, precision: str, iterations: int) -> Timed:
    recipe = recipes[model]
    keep_prob, rate = recipe.keep_prob or 1.0, recipe.learning_rate
    dtype = jnp.bfloat16 if precision == "bfloat16" else jnp.float32

    def loss(weights: list, pixels: jax.Array, labels: jax.Array, key: jax.Array) -> jax.Array:
        logs = jax.nn.log_softmax(_forward(weights, pixels, dtype, keep_prob, key))
        return -jnp.take_along_axis(logs, labels[:, None], 1).mean()

    def update(state: tuple, pixels: jax.Array, labels: jax.Array) -> tuple:
        weights, *moments, count = state
        key = jax.random.fold_in(jax.random.key(1), count)
        gradient = jax.grad(loss)(weights, pixels, labels, key)
        if recipe.optimizer == "adam":
            return _adam(state, gradient, rate)
        moved = jax.tree.map(lambda w, g: w - rate * g, weights, gradient)
        return moved, *moments, count + 1

    weights = _initial(model)
    moments = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    state = (weights, *moments, jnp.int32(0))
    compiled = jax.jit(update, donate_argnums=0)
    judge = jax.jit(lambda weights, pixels: _forward(weights, pixels, dtype))

    def step(pixels: np.ndarray, labels: np.ndarray) -> None:
        nonlocal state
        state = compiled(state, pixels, labels)

    def logits(pixels: np.ndarray) -> np.ndarray:
        return np.asarray(judge(state[0], pixels))

    return run(model, iterations, step, lambda: jax.block_until_ready(state), logits)
