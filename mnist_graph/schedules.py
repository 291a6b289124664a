"""Learning rates that change as the training goes, as functions in the graph."""

import math

import tensorflow as tf

from mnist_graph.recipes import Recipe

ONE_CYCLE_START = 25
"""The one-cycle schedule starts from its peak divided by this, as fast.ai's does."""


def learning_rate(recipe: Recipe, iteration: tf.Tensor) -> tf.Tensor:
    """The rate of `iteration`, an integer scalar counted from 0: a float32 scalar.

    constant: learning_rate.
    exponential: final_learning_rate + learning_rate * exp(-iteration / decay_iterations)
    (Görner, "TensorFlow and deep learning, without a PhD").
    one-cycle: along half a cosine from learning_rate / 25 to learning_rate within the first
    `warmup` of the run, then along another to final_learning_rate (Smith 2018, with the
    cosines of fast.ai).
    """
    iteration = tf.cast(iteration, tf.float32)
    if recipe.schedule == "constant":
        rate = tf.constant(recipe.learning_rate)
    elif recipe.schedule == "exponential":
        decayed = tf.exp(-iteration / recipe.decay_iterations)
        rate = recipe.final_learning_rate + recipe.learning_rate * decayed
    else:
        rising = max(1.0, recipe.warmup * recipe.iterations)
        falling = max(1.0, recipe.iterations - rising)
        start = recipe.learning_rate / ONE_CYCLE_START
        up = _cosine(start, recipe.learning_rate, iteration / rising)
        down = _cosine(
            recipe.learning_rate, recipe.final_learning_rate, (iteration - rising) / falling
        )
        rate = tf.where(iteration < rising, up, down)
    return tf.identity(rate, name="learning_rate")


def _cosine(start: float, end: float, share: tf.Tensor) -> tf.Tensor:
    """From `start` to `end` along half a cosine, as `share` goes from 0 to 1."""
    return end + (start - end) * (1 + tf.cos(math.pi * tf.clip_by_value(share, 0, 1))) / 2
