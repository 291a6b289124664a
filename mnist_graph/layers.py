"""The tutorials' building blocks, under the tutorials' names.

Whatever is random in them is a function of the graph's seed, of where in the graph it
stands, and (dropout) of the iteration: two graphs with the same seed start from the same
weights, and a run that was stopped and resumed drops the units it would have dropped.

Where a layer takes a `dtype`, float32 or bfloat16, it multiplies in it, and gives it with its
bias added; its variables are float32 all the same, and so is what a layer without bias gives.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

tf1 = tf.compat.v1

ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "linear": tf.identity,
}

BATCH_NORM_EPSILON = 1e-5


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Puts operations under `name`, however often it is entered, so that the graph reads like
    the network.
    """
    outer = tf1.get_default_graph().get_name_scope()
    with tf1.name_scope(f"{outer}/{name}/" if outer else f"{name}/"):
        yield


@contextmanager
def layer(name: str) -> Iterator[None]:
    """Puts variables and operations under `name`."""
    with tf1.variable_scope(name, auxiliary_name_scope=False), scope(name):
        yield


def weight_variable(shape: Sequence[int], weights: str) -> tf.Variable:
    """A float32 variable `weights` of `shape`, inputs before outputs, started as named:

    zeros; truncated-normal, standard deviation 0.1 (the tutorials'); glorot-uniform, in
    +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010); he, normal with variance
    2 / fan_in (He et al. 2015).
    """
    shape = tf.TensorShape(shape).as_list()
    *receptive, inputs, outputs = shape
    fan_in, fan_out = math.prod(receptive) * inputs, math.prod(receptive) * outputs

    def seed() -> tf.Tensor:
        # Were it a constant, TensorFlow would draw the weights twice: once in vain, on one
        # core, when it looks through the graph for what could be computed ahead.
        return tf1.placeholder_with_default([_stream("weights"), 0], [2], name="seed")

    if weights == "zeros":
        initial = tf.zeros(shape)
    elif weights == "truncated-normal":
        initial = tf.random.stateless_truncated_normal(shape, seed(), stddev=0.1)
    elif weights == "glorot-uniform":
        limit = math.sqrt(6 / (fan_in + fan_out))
        initial = tf.random.stateless_uniform(shape, seed(), -limit, limit)
    elif weights == "he":
        initial = tf.random.stateless_normal(shape, seed(), stddev=math.sqrt(2 / fan_in))
    else:
        raise ValueError(f"no initialisation {weights!r}")
    return tf1.get_variable("weights", initializer=initial, use_resource=True)


def bias_variable(units: int, bias: float) -> tf.Variable:
    """A float32 variable `biases` [units], all of them `bias` at the start."""
    return tf1.get_variable("biases", initializer=tf.fill([units], bias), use_resource=True)


def dense(
    inputs: tf.Tensor,
    units: int,
    name: str,
    *,
    weights: str,
    bias: float | None,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """inputs x W + b: [n, features] -> [n, units]; without b where `bias` is None."""
    with layer(name):
        w = weight_variable([inputs.shape[1], units], weights)
        product = tf.matmul(tf.cast(inputs, dtype), tf.cast(w, dtype))
        return _add_bias(product, bias)


def conv2d(
    inputs: tf.Tensor,
    size: int,
    channels: int,
    name: str,
    *,
    stride: int = 1,
    padding: str = "SAME",
    pool: bool = False,
    weights: str,
    bias: float | None,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """A `size` x `size` convolution, padded to keep the frame, with bias unless it is None:
    [n, h, w, c] -> [n, ceil(h / stride), ceil(w / stride), channels]. With padding "VALID" it
    stays inside the frame: h and w are then less by size - 1 before they are divided.

    With `pool`, `max_pool_2x2` of that. It is taken before the bias: a maximum commutes
    with adding a constant and with every activation here, all of which rise, and so these
    have a quarter of the work left.
    """
    with layer(name):
        w = weight_variable([size, size, inputs.shape[3], channels], weights)
        product = tf.nn.conv2d(
            tf.cast(inputs, dtype), tf.cast(w, dtype), strides=stride, padding=padding
        )
        if pool:
            product = max_pool_2x2(product)
        return _add_bias(product, bias)


def _add_bias(product: tf.Tensor, bias: float | None) -> tf.Tensor:
    if bias is None:
        return tf.cast(product, tf.float32)
    return tf.nn.bias_add(product, tf.cast(bias_variable(product.shape[-1], bias), product.dtype))


def max_pool_2x2(inputs: tf.Tensor) -> tf.Tensor:
    """The largest of each 2x2: [n, h, w, c] -> [n, ceil(h / 2), ceil(w / 2), c]."""
    return tf.nn.max_pool2d(inputs, ksize=2, strides=2, padding="SAME")


def flatten(inputs: tf.Tensor) -> tf.Tensor:
    """[n, ...] -> [n, features]."""
    return tf.reshape(inputs, [-1, math.prod(inputs.shape[1:])], name="flatten")


def batch_normalization(inputs: tf.Tensor, is_training: bool, name: str, decay: float) -> tf.Tensor:
    """Each channel of float32 [n, h, w, c] or [n, c] at mean 0 and variance 1, plus an
    offset that is learned (Ioffe and Szegedy 2015; no scale: ReLU passes one on).

    With `is_training`, by the batch's own mean and variance, whose moving averages are kept
    through tf.GraphKeys.UPDATE_OPS; else by these averages. They move by `decay`, and faster
    in the first iterations.
    """
    channels = inputs.shape[-1]
    with layer(name):
        offset = tf1.get_variable("offset", initializer=tf.zeros([channels]), use_resource=True)
        averages = [
            tf1.get_variable(key, initializer=start, trainable=False, use_resource=True)
            for key, start in (
                ("moving_mean", tf.zeros([channels])),
                ("moving_variance", tf.ones([channels])),
            )
        ]
        framed = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis, :]
        output, *moments = tf1.nn.fused_batch_norm(
            framed,
            tf.ones([channels]),
            offset,
            *([] if is_training else averages),
            epsilon=BATCH_NORM_EPSILON,
            is_training=is_training,
        )
        if is_training:
            iteration = tf.cast(tf1.train.get_or_create_global_step(), tf.float32)
            pace = 1 - tf.minimum(decay, (1 + iteration) / (10 + iteration))
            for average, moment in zip(averages, moments, strict=True):
                update = average.assign_add(pace * (moment - average))
                tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        return tf.reshape(output, [-1, *inputs.shape[1:]])


def dropout(inputs: tf.Tensor, keep_prob: tf.Tensor, name: str = "dropout") -> tf.Tensor:
    """Keeps each unit with probability `keep_prob`, scaled by 1 / keep_prob, else gives 0:
    float32.
    """
    with tf1.name_scope(name):
        iteration = tf.cast(tf1.train.get_or_create_global_step(), tf.int32)
        return tf.nn.experimental.stateless_dropout(
            tf.cast(inputs, tf.float32),
            rate=1 - keep_prob,
            seed=[_stream(name), iteration],
            rng_alg="philox",
        )


def _stream(name: str) -> int:
    """A number of 31 bits that follows from the graph's seed and the place of `name` in it."""
    scope = tf1.get_variable_scope().name
    place = f"{tf1.get_default_graph().seed}/{scope}/{scope or name}/{name}"
    return zlib.crc32(place.encode()) & 0x7FFFFFFF
