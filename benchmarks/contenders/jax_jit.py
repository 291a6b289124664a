"""JAX: jitted training steps with donated buffers, one per call or several in one `lax.scan`.

For bfloat16, operands are cast, which XLA of JAX 0.10 then multiplies in float32 on a CPU.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.contenders import SHAPES, Timing, time_training
from mnist_graph import recipes


def _apply_layer(x: jax.Array, weights: jax.Array, bias: jax.Array, dtype: type) -> jax.Array:
    """Apply a dense layer, or a convolution with 2x2 max pooling; without activation."""
    x, weights = x.astype(dtype), weights.astype(dtype)
    if weights.ndim == 4:
        axes = ("NHWC", "HWIO", "NHWC")
        product = lax.conv_general_dilated(x, weights, (1, 1), "SAME", dimension_numbers=axes)
        window, lowest = (1, 2, 2, 1), np.array(-np.inf, dtype)
        product = lax.reduce_window(product, lowest, lax.max, window, window, "VALID")
    else:
        product = x.reshape(len(x), -1) @ weights
    return product.astype(jnp.float32) + bias


def _initialize_weights(model: str) -> list[tuple[jax.Array, jax.Array]]:
    """Draw the initial weights and biases of every layer."""
    if model == "softmax":
        return [(jnp.zeros((784, 10)), jnp.zeros(10))]
    keys = jax.random.split(jax.random.key(0), len(SHAPES[model]))
    return [
        (0.1 * jax.random.truncated_normal(key, -2, 2, shape), jnp.full(shape[-1], 0.1))
        for key, shape in zip(keys, SHAPES[model], strict=True)
    ]


def _compute_logits(
    weights: list, pixels: jax.Array, dtype: type, keep_prob: float = 1.0, key: Any = None
) -> jax.Array:
    x = pixels[..., None] / jnp.float32(255)
    for layer in weights[:-1]:
        x = jax.nn.relu(_apply_layer(x, *layer, dtype))
    if keep_prob < 1:
        x = jnp.where(jax.random.bernoulli(key, keep_prob, x.shape), x / keep_prob, 0)
    return _apply_layer(x, *weights[-1], jnp.float32)


def _apply_adam(state: tuple, gradient: list, learning_rate: float) -> tuple:
    """Return the state (weights, first moments, second moments, step count) after one update."""
    weights, mean, square, count = state
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
    rate = learning_rate * (jnp.sqrt(1 - 0.999 ** (count + 1)) / (1 - 0.9 ** (count + 1)))
    updated = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, mean, square
    )
    return updated, mean, square, count + 1


def measure_speed(
    model: str, precision: str, iterations: int, steps_per_call: int = 0, unroll: bool = False
) -> Timing:
    """Time a step per call, or `steps_per_call` of them in one `lax.scan`, as a loop or unrolled:
    XLA computes what is in a loop several times more slowly on a CPU.
    """
    recipe = recipes[model]
    keep_prob, learning_rate = recipe.fed_keep_prob, recipe.learning_rate
    dtype = jnp.bfloat16 if precision == "bfloat16" else jnp.float32

    def compute_loss(
        weights: list, pixels: jax.Array, labels: jax.Array, key: jax.Array
    ) -> jax.Array:
        logits = _compute_logits(weights, pixels, dtype, keep_prob, key)
        log_probabilities = jax.nn.log_softmax(logits)
        return -jnp.take_along_axis(log_probabilities, labels[:, None], 1).mean()

    def update(state: tuple, pixels: jax.Array, labels: jax.Array) -> tuple:
        weights, *moments, count = state
        key = jax.random.fold_in(jax.random.key(1), count)
        gradient = jax.grad(compute_loss)(weights, pixels, labels, key)
        if recipe.optimizer == "adam":
            return _apply_adam(state, gradient, learning_rate)
        updated = jax.tree.map(lambda w, g: w - learning_rate * g, weights, gradient)
        return updated, *moments, count + 1

    def scan(state: tuple, pixels: jax.Array, labels: jax.Array) -> tuple:
        def body(each: tuple, batch: tuple) -> tuple[tuple, None]:
            return update(each, *batch), None

        return lax.scan(body, state, (pixels, labels), unroll=unroll)[0]

    weights = _initialize_weights(model)
    moments = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    state = (weights, *moments, jnp.int32(0))
    jitted_update = jax.jit(scan if steps_per_call else update, donate_argnums=0)
    jitted_logits = jax.jit(lambda weights, pixels: _compute_logits(weights, pixels, dtype))

    def step(pixels: np.ndarray, labels: np.ndarray) -> None:
        nonlocal state
        state = jitted_update(state, pixels, labels)

    def predict_logits(pixels: np.ndarray) -> np.ndarray:
        return np.asarray(jitted_logits(state[0], pixels))

    def synchronize() -> None:
        jax.block_until_ready(state)

    return time_training(model, iterations, step, synchronize, predict_logits, steps_per_call)
