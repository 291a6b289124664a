"""Learning rate schedules, as tensors of the graph."""

import tensorflow as tf

from mnist_graph.graph.layers import scope
from mnist_graph.graph.recipe import Recipe

ONE_CYCLE_START = 0.1
"""The one-cycle schedule's first rate, as a fraction of its peak (Smith and Topin 2018)."""


def learning_rate(recipe: Recipe, iteration: tf.Tensor) -> tf.Tensor:
    """Return the learning rate at `iteration`, an integer scalar counted from 0, as a float32
    scalar.

    constant: learning_rate.
    exponential: learning_rate_floor + learning_rate * exp(-iteration / decay_iterations)
    (Görner, "TensorFlow and deep learning, without a PhD").
    one-cycle: linearly from a tenth of learning_rate up to it, in the first `warmup` of the
    run, then linearly down to 0 at its end (Smith and Topin 2018).

    In the first `warmup_iterations`, this times a factor that rises linearly to 1.
    """
    with scope("learning_rate"):
        iteration = tf.cast(iteration, tf.float32)
        if recipe.schedule == "constant":
            rate = tf.constant(recipe.learning_rate)
        elif recipe.schedule == "exponential":
            decayed = tf.exp(-iteration / recipe.decay_iterations)
            rate = recipe.learning_rate_floor + recipe.learning_rate * decayed
        else:
            peak = recipe.warmup * recipe.iterations
            rising = ONE_CYCLE_START + (1 - ONE_CYCLE_START) * iteration / peak
            falling = (recipe.iterations - iteration) / (recipe.iterations - peak)
            rate = recipe.learning_rate * tf.minimum(rising, falling)
        if recipe.warmup_iterations:
            rate *= tf.minimum((iteration + 1) / recipe.warmup_iterations, 1.0)
    return tf.identity(rate, name="learning_rate")
