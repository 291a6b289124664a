"""The tutorials' building blocks, under the tutorials' names.

Whatever is random in them is a function of the graph's seed, of where in the graph it
stands, and (dropout) of the iteration: two graphs with the same seed start from the same
weights, and a run that was stopped and resumed drops the units it would have dropped.
"""

import math
import zlib
from collections.abc import Callable, Sequence

import tensorflow as tf

tf1 = tf.compat.v1

ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "linear": tf.identity,
}


def weight_variable(shape: Sequence[int], weights: str = "truncated-normal") -> tf.Variable:
    """A float32 variable `weights` of `shape`, inputs before outputs, started as named:

    zeros; truncated-normal, standard deviation 0.1 (the tutorials'); glorot-uniform, in
    +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010); he, normal with variance
    2 / fan_in (He et al. 2015).
    """
    *receptive, inputs, outputs = shape
    fan_in, fan_out = math.prod(receptive) * inputs, math.prod(receptive) * outputs
    seed = (_stream("weights"), 0)
    if weights == "zeros":
        initial = tf.zeros(shape)
    elif weights == "truncated-normal":
        initial = tf.random.stateless_truncated_normal(shape, seed, stddev=0.1)
    elif weights == "glorot-uniform":
        limit = math.sqrt(6 / (fan_in + fan_out))
        initial = tf.random.stateless_uniform(shape, seed, -limit, limit)
    elif weights == "he":
        initial = tf.random.stateless_normal(shape, seed, stddev=math.sqrt(2 / fan_in))
    else:
        raise ValueError(f"no initialisation {weights!r}")
    return tf1.get_variable("weights", initializer=initial, use_resource=True)


def bias_variable(units: int, bias: float = 0.1) -> tf.Variable:
    """A float32 variable `biases` [units], all of them `bias` at the start."""
    return tf1.get_variable("biases", initializer=tf.fill([units], bias), use_resource=True)


def dense(
    inputs: tf.Tensor,
    units: int,
    name: str,
    weights: str = "truncated-normal",
    bias: float = 0.1,
) -> tf.Tensor:
    """inputs x W + b: float32 [n, features] -> [n, units]."""
    with tf1.variable_scope(name):
        w = weight_variable([inputs.shape[1], units], weights)
        return tf.matmul(inputs, w) + bias_variable(units, bias)


def conv2d(
    inputs: tf.Tensor,
    size: int,
    channels: int,
    name: str,
    weights: str = "truncated-normal",
    bias: float = 0.1,
    stride: int = 1,
) -> tf.Tensor:
    """A `size` x `size` convolution with bias, padded to keep the frame:
    float32 [n, h, w, c] -> [n, ceil(h / stride), ceil(w / stride), channels].
    """
    with tf1.variable_scope(name):
        w = weight_variable([size, size, inputs.shape[3], channels], weights)
        return tf.nn.conv2d(inputs, w, strides=stride, padding="SAME") + bias_variable(
            channels, bias
        )


def max_pool_2x2(inputs: tf.Tensor) -> tf.Tensor:
    """The largest of each 2x2: [n, h, w, c] -> [n, ceil(h / 2), ceil(w / 2), c]."""
    return tf.nn.max_pool2d(inputs, ksize=2, strides=2, padding="SAME")


def flatten(inputs: tf.Tensor) -> tf.Tensor:
    """[n, ...] -> [n, features]."""
    return tf.reshape(inputs, [-1, math.prod(inputs.shape[1:])])


def dropout(inputs: tf.Tensor, keep_prob: tf.Tensor, name: str = "dropout") -> tf.Tensor:
    """Keeps each unit with probability `keep_prob`, scaled by 1 / keep_prob, else gives 0."""
    with tf1.name_scope(name):
        iteration = tf.cast(tf1.train.get_or_create_global_step(), tf.int32)
        return tf.nn.experimental.stateless_dropout(
            inputs, rate=1 - keep_prob, seed=[_stream(name), iteration], rng_alg="philox"
        )


def _stream(name: str) -> int:
    """A number of 31 bits that follows from the graph's seed and the place of `name` in it."""
    graph = tf1.get_default_graph()
    place = f"{graph.seed}/{tf1.get_variable_scope().name}/{graph.get_name_scope()}/{name}"
    return zlib.crc32(place.encode()) & 0x7FFFFFFF
